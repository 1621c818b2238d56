"""Every delivery of a scenario, verified by the Standard Webhooks reference libraries of PyPI and npm, a rotation of the secret in its middle."""

import http.server
import json
import os
import queue
import subprocess
import sys
import threading

from standardwebhooks import Webhook

from service import Service

arrived = queue.Queue()
failures = ["first", "second"]


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        arrived.put((dict(self.headers), body))
        self.send_response(500 if failures and failures.pop() else 200)
        self.end_headers()

    def log_message(self, *_):
        pass


receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=receiver.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{receiver.server_port}/hook"

CONFIG = "[webhooks]\nallow_private_targets = true\n[orders]\nlifetime_seconds = 2\nmax_concurrent_per_account = 50\n"
with Service(CONFIG) as service:
    account = service.register(dollars=7)
    key, old = account["api_key"], account["webhook_secret"]
    assert service.call("PUT", "/api/v1/webhook", {"url": url}, key)[0] == 200
    for platform in ("google", "discord", "steam", "telegram", "line", "wechat"):
        status, order = service.call("POST", "/api/v1/order", {"platform": platform, "country": "DE"}, key)
        assert status == 200, order
    service.call("POST", "/api/v1/webhook/test", None, key)
    deliveries = [arrived.get(timeout=60) for _ in range(6 + 1 + 2)]
    new = service.call("POST", "/api/v1/webhook/rotate-secret", None, key)[1]["webhook_secret"]
    while service.call("POST", "/api/v1/order", {"platform": "google"}, key)[0] == 200:
        deliveries.append(arrived.get(timeout=60))
    service.call("POST", "/api/v1/webhook/test", None, key)
    deliveries.append(arrived.get(timeout=60))
    # Attempts run beside each other: one that began earlier may come later.
    sequence = lambda delivery: json.loads(delivery[1])["sequence"]
    while len(set(map(sequence, deliveries))) < max(map(sequence, deliveries)):
        deliveries.append(arrived.get(timeout=60))
    while not arrived.empty():
        deliveries.append(arrived.get())

    sequences, rotated = set(), 0
    cases = []
    for headers, body in deliveries:
        headers = {name.lower(): value for name, value in headers.items()}
        both = " " in headers["webhook-signature"]
        rotated += both
        for secret in (new, old) if both else (old,):
            message = Webhook(secret).verify(body, headers)
            cases.append({"secret": secret, "headers": headers, "body": body.decode()})
        assert message["id"] == headers["webhook-id"]
        sequences.add(message["sequence"])
        try:
            Webhook(old).verify(body + b" ", headers)
            sys.exit("a changed body was accepted")
        except Exception as refused:
            assert "signature" in str(refused).lower(), refused
    assert sequences == set(range(1, max(sequences) + 1)), sequences
    assert rotated >= 2
    node = subprocess.run(["node", os.path.join(os.path.dirname(os.path.abspath(__file__)), "webhooks.mjs")], input=json.dumps(cases), text=True)
    if node.returncode:
        sys.exit("npm standardwebhooks refused a delivery")
    service.audit()
    print(f"{len(deliveries)} deliveries, {rotated} with both signatures, accepted by both libraries")
