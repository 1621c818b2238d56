"""What clients/generate.py writes of the document is what stands in the tree (`--write` puts it there), and npm's Bruno reads its collection."""

import os
import subprocess
import sys

from service import Service

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
with Service() as service:
    is_writing = "--write" in sys.argv
    generate = [sys.executable, os.path.join(ROOT, "clients", "generate.py"), service.url]
    if subprocess.run(generate if is_writing else [*generate, "--check"]).returncode:
        sys.exit("`cargo xtask clients` writes it")
    if not is_writing and subprocess.run(["node", os.path.join(HERE, "bruno.mjs"), os.path.join(ROOT, "clients", "bruno"), service.url]).returncode:
        sys.exit("the collection for Bruno cannot be read")
