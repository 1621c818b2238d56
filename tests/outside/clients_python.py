"""The guide's story over the client that openapi-python-client makes."""

import sys
import time

from telenumerus_client import AuthenticatedClient, Client
from telenumerus_client.api.account import register
from telenumerus_client.api.deposits import verify_deposit
from telenumerus_client.api.orders import get_order, order
from telenumerus_client.models import (
    AccountRegistered,
    Deposit,
    Order,
    OrderPlaced,
    OrderRequest,
    PlatformName,
    RegisterRequest,
    VerifyDepositRequest,
)

url = sys.argv[1]
registered = register.sync(client=Client(base_url=url), body=RegisterRequest())
assert isinstance(registered, AccountRegistered), registered
client = AuthenticatedClient(base_url=url, token=registered.api_key)
status = ""
while status != "confirmed":
    deposit = verify_deposit.sync(client=client, body=VerifyDepositRequest(tx_hash="c3" * 32))
    assert isinstance(deposit, Deposit) and deposit.status != "rejected", deposit
    status = deposit.status.value
    time.sleep(0.2)
body = OrderRequest(platform=PlatformName.TELEGRAM, idempotency_key="order-1")
placed, again = order.sync(client=client, body=body), order.sync(client=client, body=body)
assert isinstance(placed, OrderPlaced) and isinstance(again, OrderPlaced), placed
assert placed.order_id == again.order_id, "an idempotency key in the body was lost"
code: str | None = None
for _ in range(20):
    read = get_order.sync(id=placed.order_id, client=client, wait=5)
    assert isinstance(read, Order), read
    code = read.code
    if code is not None:
        break
assert code is not None
print(f"openapi-python-client: code {len(code)} digits")
