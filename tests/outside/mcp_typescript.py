"""The official TypeScript client drives the whole story over stdio (through the launcher) and HTTP; the conformance suite runs where it applies."""

import os
import subprocess
import sys

from service import BINARY, Service

HERE = os.path.dirname(os.path.abspath(__file__))
NODE_MODULES = os.path.join(os.environ["OUTSIDE_NODE"], "node_modules")
# The others want a fixture server with tools of their own names (test_image_content and the like).
SCENARIOS = ["server-initialize", "ping", "tools-list", "resources-list", "prompts-list", "dns-rebinding-protection"]

with Service() as service:
    accounts = [service.register(dollars=20) for _ in range(2)]
    keys = ",".join(account["api_key"] for account in accounts)
    judge = subprocess.run(["node", os.path.join(HERE, "mcp_typescript.mjs"), service.url, keys], env={**os.environ, "TELENUMERUS_BIN": BINARY})
    if judge.returncode:
        sys.exit("the TypeScript client was not served")
    # The suite needs Node 22: npm's own package of it.
    node = os.path.join(NODE_MODULES, "node", "bin", "node")
    conformance = os.path.join(NODE_MODULES, "@modelcontextprotocol", "conformance", "dist", "index.js")
    for scenario in SCENARIOS:
        outcome = subprocess.run(
            [node, conformance, "server", "--url", service.url + "/mcp", "--scenario", scenario], cwd=service.directory.name, capture_output=True, text=True
        )
        if outcome.returncode:
            sys.exit(f"conformance, {scenario}:\n{outcome.stdout}\n{outcome.stderr}")
    service.audit()
    print(f"the whole story, and conformance: {', '.join(SCENARIOS)}")
