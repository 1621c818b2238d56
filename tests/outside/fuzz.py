"""Schemathesis with all its checks on the whole document, against the running service: seeded, with real keys and real orders."""

import os
import subprocess
import sys

from service import Service

# Many open orders, so that what is placed can be read, followed and cancelled; a short life, so that waiting calls and streams end.
CONFIG = """
[orders]
lifetime_seconds = 2
max_concurrent_per_account = 100000
[webhooks]
allow_private_targets = true
"""

with Service(CONFIG) as service:
    account = service.register(dollars=100000)
    key = account["api_key"]
    orders = [service.call("POST", "/api/v1/order", {"platform": platform}, key)[1]["order_id"] for platform in ("google", "discord", "steam")]
    service.call("POST", "/api/v1/order", {"platform": "nike", "idempotency_key": "used"}, key)
    service.call("PUT", "/api/v1/webhook", {"url": "http://127.0.0.1:9/"}, key)
    service.call("POST", "/api/v1/webhook/test", None, key)
    here = os.path.dirname(os.path.abspath(__file__))
    environment = {**os.environ, "JUDGE_KEY": key, "JUDGE_ORDERS": ",".join(orders), "JUDGE_USED_KEY": "used", "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": here}
    command = [
        os.path.join(os.path.dirname(sys.executable), "schemathesis"),
        "--config-file", os.path.join(here, "schemathesis.toml"),
        "run", service.url + "/openapi.json", "--checks", "all", "--seed", "7", *sys.argv[1:],
    ]
    outcome = subprocess.run(command, env=environment, cwd=service.directory.name)
    service.audit()
    sys.exit(outcome.returncode)
