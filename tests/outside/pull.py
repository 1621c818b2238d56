"""The example source (Python, SQLite) under the checker and under the service: the protocol as a stranger has written it down."""

import os
import subprocess
import sys
import tempfile
import time

from service import BINARY, Service

TOKEN = "token-of-the-example"
NUMBERS = "\n".join(f"+1202555{number:04} US" for number in range(100, 110))
EXAMPLE = os.path.join(os.path.dirname(__file__), "..", "..", "contrib", "supplier", "example.py")


def main():
    with tempfile.TemporaryDirectory() as home:
        database, numbers = os.path.join(home, "numbers.db"), os.path.join(home, "numbers.txt")
        with open(numbers, "w", encoding="utf-8") as file:
            file.write(NUMBERS)
        command = [sys.executable, EXAMPLE, "--port", "0", "--database", database, "--numbers", numbers]
        source = subprocess.Popen(command, env=dict(os.environ, SUPPLIER_TOKEN=TOKEN), stdout=subprocess.PIPE, text=True)
        try:
            url = source.stdout.readline().split()[-1]
            checked = subprocess.run([BINARY, "supplier", "check", "--url", url, "--token", TOKEN], capture_output=True, text=True, timeout=60)
            assert checked.returncode == 0, checked.stdout + checked.stderr
            print(checked.stdout.strip())
            orders(url, database)
        finally:
            source.kill()
            source.wait()


def orders(url, database):
    config = f"""
[deposits]
simulated = true
[suppliers]
max_attempts = 3
[suppliers.simulator]
enabled = false
[[suppliers.http]]
name = "example"
url = "{url}"
token = "{TOKEN}"
poll_seconds = 1
"""
    with Service(config, quick=False) as service:
        key = service.register(10)["api_key"]
        for place in range(5):
            _, order = service.call("POST", "/api/v1/order", {"platform": "google"}, key)
            text = f"G-48291{place} is your Google verification code."
            deliver = [sys.executable, EXAMPLE, "--database", database, "--deliver", order["phone"], "Google", text]
            subprocess.run(deliver, check=True, timeout=30)
            begun = time.monotonic()
            while (shown := service.call("GET", f"/api/v1/order/{order['order_id']}?wait=20", key=key)[1])["status"] == "active":
                assert time.monotonic() - begun < 40, shown
            assert (shown["status"], shown["code"]) == ("completed", f"48291{place}"), shown
        print("5 orders, each with the code that came on the number it was leased")


main()
