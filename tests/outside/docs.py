"""/docs/ in Debian's chromium, offline and under the page's own policy: it shows the calls, and nothing was refused or asked elsewhere."""

import os
import subprocess
import sys

from service import Service

with Service() as service:
    here = os.path.dirname(os.path.abspath(__file__))
    picture = os.path.join(os.environ["OUTSIDE_NODE"], "docs.png")
    node = subprocess.run(["node", os.path.join(here, "docs.mjs"), service.url, picture])
    if node.returncode:
        sys.exit("the page did not come up as it should")
    print(f"seen in {picture}")
