"""What the official SDKs of Twilio, Telnyx and Vonage take for theirs, our inbound webhooks take, and no more; the codes reach their orders."""

import json
import os
import subprocess
import sys

from service import Service

HERE = os.path.dirname(os.path.abspath(__file__))
TOKEN = "0123456789abcdef0123456789abcdef"
VONAGE = "a signature secret"
PUBLIC_URL = "https://sms.example.com"
judge = ["node", os.path.join(HERE, "formats.mjs")]
public_key = subprocess.run([*judge, "key"], check=True, capture_output=True, text=True).stdout.strip()

CONFIG = f"""
enabled = false
[http]
public_url = "{PUBLIC_URL}"
[deposits]
simulated = false
[suppliers.twilio]
auth_token = "{TOKEN}"
[[suppliers.twilio.numbers]]
number = "+12025550101"
country = "US"
[suppliers.telnyx]
public_key = "{public_key}"
[[suppliers.telnyx.numbers]]
number = "+12025550102"
country = "US"
[suppliers.vonage]
signature_secret = "{VONAGE}"
signature_method = "sha512"
[[suppliers.vonage.numbers]]
number = "+12025550103"
country = "US"
"""
with Service(CONFIG) as service:
    accounts = [service.register(dollars=20) for _ in range(3)]
    orders = [service.call("POST", "/api/v1/order", {"platform": "google"}, account["api_key"])[1] for account in accounts]
    assert [order["phone"] for order in orders] == ["+12025550101", "+12025550102", "+12025550103"], orders
    setting = json.dumps({"url": service.url, "publicUrl": PUBLIC_URL, "token": TOKEN, "publicKey": public_key, "vonageSecret": VONAGE})
    if subprocess.run([*judge, "send", setting]).returncode:
        sys.exit("a door and its SDK are of two minds")
    for account, order, code in zip(accounts, orders, ("100001", "100002", "100003")):
        ended = service.call("GET", f"/api/v1/order/{order['order_id']}?wait=10", None, account["api_key"])[1]
        assert ended["code"] == code, ended
    service.audit()
