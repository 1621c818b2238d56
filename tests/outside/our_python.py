"""clients/python: built as a wheel, installed alone, judged by mypy, vermin and ruff, and run against the service from each Python that is here."""

import glob
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from service import Service

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CLIENT = os.path.join(ROOT, "clients", "python")
# What comes for steam is of another brand: its orders stay open until they are cancelled.
CONFIG = """
[orders]
max_concurrent_per_account = 10
[webhooks]
allow_private_targets = true
[suppliers.simulator.templates]
steam = "G-{code} is your Google verification code."
"""


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return (done.stdout + done.stderr).strip()


def tool(name):
    return os.path.join(os.path.dirname(sys.executable), name)


def interpreters():
    """This Python, and whichever of the oldest and the newest that are meant run here."""
    found = [sys.executable]
    for version in ("3.9", "3.13"):
        own = sorted(glob.glob(os.path.expanduser(f"~/.pyenv/versions/{version}.*/bin/python")))
        path = own[-1] if own else shutil.which(f"python{version}")
        # A name on the path may lead to a version that is not installed.
        if path and subprocess.run([path, "--version"], capture_output=True).returncode == 0:
            found.append(path)
    return found


with Service(CONFIG) as service, tempfile.TemporaryDirectory() as work:
    source = os.path.join(work, "source")
    shutil.copytree(CLIENT, source, ignore=shutil.ignore_patterns("__pycache__"))
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "-w", work, source)
    wheel, = glob.glob(os.path.join(work, "*.whl"))
    package = os.path.join(work, "installed")
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--target", package, wheel)
    assert os.path.exists(os.path.join(package, "telenumerus", "py.typed"))
    run(tool("mypy"), "--strict", os.path.join(package, "telenumerus"), cwd=work)
    run(tool("vermin"), "--target=3.9-", "--violations", "--no-tips", "--eval-annotations", os.path.join(package, "telenumerus"))
    run(tool("ruff"), "check", "--isolated", "--target-version", "py39", "--select", "E,F,I,B,UP", "--ignore", "E501,UP006,UP007,UP035,UP045", os.path.join(source, "src"))
    environment = {**os.environ, "TELENUMERUS_URL": service.url, "PYTHONPATH": package}

    # What the README shows does what it says.
    with open(os.path.join(source, "README.md"), encoding="utf-8") as file:
        shown = re.search(r"```python\n(.*?)```", file.read(), re.S)[1]
    shown = shown.replace("http://127.0.0.1:8080", service.url).replace("…64 hex digits…", secrets.token_hex(32))
    shown = shown.replace("order = client", "import time; time.sleep(3)\norder = client", 1)
    story = run(sys.executable, "-c", shown, env=environment).splitlines()
    assert len(story) == 2 and story[0].startswith("type this number: +1") and story[1].isdigit(), story

    def tested(python):
        said = run(python, os.path.join(source, "tests", "test_client.py"), env=environment)
        return f"{run(python, '--version')}: {said.splitlines()[-3]}"

    with ThreadPoolExecutor() as pool:
        print("\n".join(pool.map(tested, interpreters())))
    service.audit()
