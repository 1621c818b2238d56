"""clients/typescript: compiled strictly, packed, the package installed alone, used from TypeScript, and run against the service by each Node that is here."""

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
CLIENT = os.path.join(ROOT, "clients", "typescript")
MODULES = os.path.join(os.environ["OUTSIDE_NODE"], "node_modules")
# What comes for steam is of another brand: its orders stay open until they are cancelled.
CONFIG = """
[orders]
max_concurrent_per_account = 10
[webhooks]
allow_private_targets = true
[suppliers.simulator.templates]
steam = "G-{code} is your Google verification code."
"""
USE = """
import { Client, NoCode, verifyWebhook, type Order } from "telenumerus";
const client = new Client({ apiKey: "tn_" });
const order: Order = await client.waitForCode("ord_");
const price: number = order.price;
const event = verifyWebhook("whsec_", new Headers(), "");
if (event.event === "sms.received") console.log(event.data.code, price, NoCode);
// @ts-expect-error no such platform
await client.order({ platform: "gogle" });
"""


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return (done.stdout + done.stderr).strip()


with Service(CONFIG) as service, tempfile.TemporaryDirectory() as work:
    source = os.path.join(work, "source")
    shutil.copytree(CLIENT, source, ignore=shutil.ignore_patterns("node_modules", "dist"))
    os.symlink(MODULES, os.path.join(source, "node_modules"))
    run("npm", "pack", "--pack-destination", work, "--loglevel=error", cwd=source)
    tarball, = glob.glob(os.path.join(work, "*.tgz"))
    user = os.path.join(work, "user")
    os.makedirs(os.path.join(user, "node_modules", "telenumerus"))
    run("tar", "-xzf", tarball, "--strip-components=1", "-C", os.path.join(user, "node_modules", "telenumerus"))
    packed = sorted(os.listdir(os.path.join(user, "node_modules", "telenumerus")))
    assert packed == ["README.md", "dist", "package.json"], packed
    with open(os.path.join(user, "package.json"), "w", encoding="utf-8") as file:
        file.write('{ "type": "module" }')
    with open(os.path.join(user, "use.ts"), "w", encoding="utf-8") as file:
        file.write(USE)
    types = ["--typeRoots", os.path.join(MODULES, "@types"), "--types", "node"]
    run(os.path.join(MODULES, ".bin", "tsc"), "--strict", "--noEmit", "--target", "es2022", "--module", "nodenext", *types, "use.ts", cwd=user)
    shutil.copy(os.path.join(source, "test", "client.test.mjs"), user)
    environment = {**os.environ, "TELENUMERUS_URL": service.url}
    nodes = [node for node in dict.fromkeys([shutil.which("node"), os.path.join(MODULES, "node", "bin", "node")]) if node and os.path.exists(node)]

    # What the README shows does what it says; but for its types it is JavaScript.
    with open(os.path.join(source, "README.md"), encoding="utf-8") as file:
        shown = re.search(r"```ts\n(.*?)```", file.read(), re.S)[1]
    shown = shown.replace("http://127.0.0.1:8080", service.url).replace("…64 hex digits…", secrets.token_hex(32))
    shown = shown.replace("const order", "await new Promise((done) => setTimeout(done, 3000));\nconst order", 1)
    with open(os.path.join(user, "shown.mjs"), "w", encoding="utf-8") as file:
        file.write(shown)
    story = run(nodes[0], "shown.mjs", cwd=user).splitlines()
    assert len(story) == 2 and story[0].startswith("type this number: +1") and story[1].isdigit(), story

    def tested(node):
        said = run(node, "--test", "--test-reporter=tap", "client.test.mjs", cwd=user, env=environment)
        passed = next(line for line in said.splitlines() if line.startswith("# pass"))
        return f"node {run(node, '--version')}: {passed[2:]}"

    with ThreadPoolExecutor() as pool:
        print("\n".join(pool.map(tested, nodes)))
    service.audit()
