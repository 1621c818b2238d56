"""The guide's story with the models that datamodel-code-generator makes."""

import sys
import time

import httpx
import models

client = httpx.Client(base_url=sys.argv[1] + "/api/v1", timeout=60)
registered = models.AccountRegistered.model_validate_json(client.post("/register", json={}).text)
client.headers["X-API-Key"] = registered.api_key
claim = models.VerifyDepositRequest.model_validate({"tx_hash": "d4" * 32})
status = ""
while status != "confirmed":
    deposit = models.Deposit.model_validate_json(client.post("/deposit/verify", json=claim.model_dump(mode="json", exclude_none=True)).text)
    status = deposit.status.value
    assert status != "rejected", deposit
    time.sleep(0.2)
wanted = models.OrderRequest.model_validate({"platform": "discord", "idempotency_key": "order-1"})
body = wanted.model_dump(mode="json", exclude_none=True)
assert body["idempotency_key"] == "order-1"
placed = models.OrderPlaced.model_validate_json(client.post("/order", json=body).text)
order = models.Order.model_validate_json(client.get(f"/order/{placed.order_id}", params={"wait": 30}).text)
while order.code is None:
    order = models.Order.model_validate_json(client.get(f"/order/{placed.order_id}", params={"wait": 30}).text)
health = models.Health.model_validate_json(client.get("/health").text)
print(f"datamodel-code-generator: code {len(order.code)} digits, service {health.status.value}")
