"""Every call of the service. Written by clients/generate.py: change the service, not this file."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, cast
from urllib.parse import quote

from .schema import (
    Account,
    AccountExport,
    AccountMode,
    AccountRegistered,
    AgentReply,
    ApiKeyCreated,
    ApiKeyRemoved,
    ApiKeys,
    Availability,
    BatchItemRequest,
    BatchPlaced,
    Complaint,
    CountryCode,
    Currency,
    CursorNumber,
    CursorText,
    DateOrTime,
    DeliveryStatus,
    Deposit,
    DepositAddresses,
    DepositList,
    Dollars,
    Granularity,
    GroupBy,
    Health,
    HowFar,
    IdempotencyKey,
    KeyText,
    Ledger,
    OnTimeout,
    Order,
    OrderCancelled,
    OrderFinished,
    OrderHistory,
    OrderList,
    OrderPlaced,
    OrderReported,
    OrderStatus,
    PlatformName,
    PointInHistory,
    ProofOfWork,
    Redelivered,
    RegistrationWanted,
    ScenarioName,
    ServiceList,
    TargetUrl,
    TxHashText,
    Usage,
    Verified,
    Webhook,
    WebhookDeliveries,
    WebhookSecret,
    WebhookTest,
)


def quoted(value: object) -> str:
    """A part of a path."""
    return quote(str(value), safe="")


class Calls:
    """A method for each call; how they are made is the client's."""

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Optional[Mapping[str, Any]] = None,
        body: Optional[Mapping[str, Any]] = None,
        is_keyed: bool = False,
        idempotency_key: Optional[str] = None,
        is_repeatable: bool = False,
    ) -> Any:
        raise NotImplementedError

    def account(self, *, as_of: Optional[PointInHistory] = None) -> Account:
        """Your balance, what is held, your tier and your orders in numbers; with `as_of`, as they were."""
        return cast(Account, self._call("GET", "/api/v1/account", query={"as_of": as_of}))

    def export_account(self, *, limit: Optional[int] = None, cursor: Optional[CursorNumber] = None) -> AccountExport:
        """Everything that is kept of you, oldest first: orders with their messages and codes, money, keys by
        their names, webhooks. Hashes of keys, secrets, and what operators noted are not in it.
        """
        return cast(AccountExport, self._call("GET", "/api/v1/account/export", query={"limit": limit, "cursor": cursor}))

    def ledger(self, *, limit: Optional[int] = None, cursor: Optional[CursorText] = None) -> Ledger:
        """Every movement of your money, newest first, each with the balance before and after it."""
        return cast(Ledger, self._call("GET", "/api/v1/account/ledger", query={"limit": limit, "cursor": cursor}))

    def agent(self, query: str, *, dry_run: Optional[bool] = None, max_price: Optional[Dollars] = None, scenario: Optional[ScenarioName] = None, idempotency_key: Optional[str] = None) -> AgentReply:
        """Order in natural language: one number for one platform in at most one country. Questions, prices,
        status, cancelling, denials, quantities, several platforms, and places that are not known or not
        supported: 422 with a `reason` and the right call in `suggestions`, and no order.
        """
        return cast(AgentReply, self._call("POST", "/api/v1/agent", body={"query": query, "dry_run": dry_run, "max_price": max_price, "scenario": scenario}, is_keyed=True, idempotency_key=idempotency_key))

    def availability(self, *, country: Optional[CountryCode] = None, platform: Optional[PlatformName] = None) -> Availability:
        """Success rates of the last 24 hours, stock and prices in one country. A rate is null under five ended
        orders.
        """
        return cast(Availability, self._call("GET", "/api/v1/availability", query={"country": country, "platform": platform}))

    def batch(self, orders: List[BatchItemRequest], *, scenario: Optional[ScenarioName] = None, idempotency_key: Optional[str] = None) -> BatchPlaced:
        """Place up to 20 orders at once. Those that cannot run yet wait as `queued`; each can be cancelled. An
        order that cannot be accepted is refused alone.
        """
        return cast(BatchPlaced, self._call("POST", "/api/v1/batch", body={"orders": orders, "scenario": scenario}, is_keyed=True, idempotency_key=idempotency_key))

    def deposit_addresses(self) -> DepositAddresses:
        """Where to pay. With a key, the addresses are your own, and whatever is paid there is credited without a
        further call.
        """
        return cast(DepositAddresses, self._call("GET", "/api/v1/deposit/addresses"))

    def deposit_address_qr(self, currency: Currency) -> str:
        """The address as a QR code (SVG), for a wallet's camera: a `bitcoin:` or `litecoin:` link, or the plain
        address of USDT.
        """
        return cast(str, self._call("GET", f"/api/v1/deposit/addresses/{quoted(currency)}/qr"))

    def verify_deposit(self, tx_hash: TxHashText, *, currency: Optional[Currency] = None, idempotency_key: Optional[str] = None) -> Deposit:
        """Say that you have paid. Asked again, it says how far the deposit has come: `pending`, `confirmed`, or
        `rejected`.
        """
        return cast(Deposit, self._call("POST", "/api/v1/deposit/verify", body={"tx_hash": tx_hash, "currency": currency}, is_keyed=True, idempotency_key=idempotency_key))

    def list_deposits(self, *, limit: Optional[int] = None, cursor: Optional[CursorNumber] = None) -> DepositList:
        """What was paid to you and how far each payment has come, newest first. Nothing has to be claimed:
        payments to your addresses are found.
        """
        return cast(DepositList, self._call("GET", "/api/v1/deposits", query={"limit": limit, "cursor": cursor}))

    def health(self) -> Health:
        """How each part of the service is. Says nothing about accounts."""
        return cast(Health, self._call("GET", "/api/v1/health"))

    def idempotency_key(self, key: KeyText) -> IdempotencyKey:
        """What became of a call whose reply was lost: the orders that the key placed or cancelled, or the
        deposit it claimed.
        """
        return cast(IdempotencyKey, self._call("GET", f"/api/v1/idempotency/{quoted(key)}"))

    def list_keys(self) -> ApiKeys:
        """The account's keys: names and when they were used, never the keys themselves."""
        return cast(ApiKeys, self._call("GET", "/api/v1/keys"))

    def create_key(self, name: str, *, mode: Optional[AccountMode] = None) -> ApiKeyCreated:
        """Get a further key of this account. It is shown this once."""
        return cast(ApiKeyCreated, self._call("POST", "/api/v1/keys", body={"name": name, "mode": mode}))

    def remove_key(self, id: str) -> ApiKeyRemoved:
        """Take a key away: from the next call on it opens nothing. The last one of an account stays."""
        return cast(ApiKeyRemoved, self._call("DELETE", f"/api/v1/keys/{quoted(id)}"))

    def order(self, platform: PlatformName, *, country: Optional[CountryCode] = None, max_price: Optional[Dollars] = None, scenario: Optional[ScenarioName] = None, idempotency_key: Optional[str] = None) -> OrderPlaced:
        """Get a phone number for a platform. Its price is held, spent when the code comes, and given back
        otherwise.
        """
        return cast(OrderPlaced, self._call("POST", "/api/v1/order", body={"platform": platform, "country": country, "max_price": max_price, "scenario": scenario}, is_keyed=True, idempotency_key=idempotency_key))

    def get_order(self, id: str, *, wait: Optional[int] = None, until: Optional[HowFar] = None, as_of: Optional[PointInHistory] = None) -> Order:
        """How an order is; with `wait`, once its status changes, or with `until=expiry` once anything does; with
        `as_of`, how it was.
        """
        return cast(Order, self._call("GET", f"/api/v1/order/{quoted(id)}", query={"wait": wait, "until": until, "as_of": as_of}))

    def cancel(self, id: str, *, idempotency_key: Optional[str] = None) -> OrderCancelled:
        """Cancel an order any time before its end and get the whole hold back. A second time: the same answer.
        If the code came first: 409 with the completed order.
        """
        return cast(OrderCancelled, self._call("POST", f"/api/v1/order/{quoted(id)}/cancel", body={}, is_keyed=True, idempotency_key=idempotency_key))

    def order_events(self, id: str) -> OrderHistory:
        """The history of an order: every fact with its number, time, attempt and what it did to your money."""
        return cast(OrderHistory, self._call("GET", f"/api/v1/order/{quoted(id)}/events"))

    def finish(self, id: str) -> OrderFinished:
        """Say that you want nothing more of a completed order: its number goes back, and no further message
        reaches it. A second time: the same answer. An order without a code cannot be finished: cancel it.
        """
        return cast(OrderFinished, self._call("POST", f"/api/v1/order/{quoted(id)}/finish", body={}, is_repeatable=True))

    def report(self, id: str, reason: Complaint) -> OrderReported:
        """Say what was wrong with an order's number or its code. Once for each reason; it counts against the
        number's source, and the operator sees it. A `wrong_code` gives the price back, and the number with
        it, while the order keeps its number and no message of its platform has come: once, and once more for
        every ten completed orders.
        """
        return cast(OrderReported, self._call("POST", f"/api/v1/order/{quoted(id)}/report", body={"reason": reason}))

    def list_orders(self, *, status: Optional[OrderStatus] = None, platform: Optional[PlatformName] = None, from_: Optional[DateOrTime] = None, to: Optional[DateOrTime] = None, limit: Optional[int] = None, cursor: Optional[CursorText] = None) -> OrderList:
        """Your orders, newest first, with filters that must all fit."""
        return cast(OrderList, self._call("GET", "/api/v1/orders", query={"status": status, "platform": platform, "from": from_, "to": to, "limit": limit, "cursor": cursor}))

    def register(self, *, accept_terms: Optional[str] = None, invite: Optional[str] = None, mode: Optional[AccountMode] = None, proof_of_work: Optional[ProofOfWork] = None) -> AccountRegistered:
        """Open an account. Unless the operator wants something of newcomers, nobody has to approve it. The key
        and the webhook secret are shown this once.
        """
        return cast(AccountRegistered, self._call("POST", "/api/v1/register", body={"accept_terms": accept_terms, "invite": invite, "mode": mode, "proof_of_work": proof_of_work}))

    def register_challenge(self) -> RegistrationWanted:
        """What opening an account takes: terms to accept, an invite, a challenge to solve. A refusal of `POST
        /register` has the same as `detail.registration`.
        """
        return cast(RegistrationWanted, self._call("GET", "/api/v1/register/challenge"))

    def list_services(self, *, country: Optional[CountryCode] = None) -> ServiceList:
        """The platforms, their list prices, and the countries."""
        return cast(ServiceList, self._call("GET", "/api/v1/services", query={"country": country}))

    def usage(self, *, from_: Optional[DateOrTime] = None, to: Optional[DateOrTime] = None, granularity: Optional[Granularity] = None, group_by: Optional[GroupBy] = None) -> Usage:
        """What was ordered and spent: totals and a series without holes."""
        return cast(Usage, self._call("GET", "/api/v1/usage", query={"from": from_, "to": to, "granularity": granularity, "group_by": group_by}))

    def verify(self, platform: PlatformName, *, country: Optional[CountryCode] = None, max_price: Optional[Dollars] = None, on_timeout: Optional[OnTimeout] = None, scenario: Optional[ScenarioName] = None, timeout_seconds: Optional[int] = None, idempotency_key: Optional[str] = None) -> Verified:
        """Order a number, wait for its SMS and return the code, in one call. Hanging up cancels nothing; the
        same idempotency key resumes the wait.
        """
        return cast(Verified, self._call("POST", "/api/v1/verify", body={"platform": platform, "country": country, "max_price": max_price, "on_timeout": on_timeout, "scenario": scenario, "timeout_seconds": timeout_seconds}, is_keyed=True, idempotency_key=idempotency_key))

    def remove_webhook(self) -> Webhook:
        """Have nothing pushed to you any more. Deliveries still under way end undelivered."""
        return cast(Webhook, self._call("DELETE", "/api/v1/webhook"))

    def get_webhook(self) -> Webhook:
        """Where pushes go now."""
        return cast(Webhook, self._call("GET", "/api/v1/webhook"))

    def set_webhook(self, url: TargetUrl, *, balance_low_threshold: Optional[Dollars] = None) -> Webhook:
        """Have events pushed to you: `sms.received`, `order.failed`, `balance.low`."""
        return cast(Webhook, self._call("PUT", "/api/v1/webhook", body={"url": url, "balance_low_threshold": balance_low_threshold}))

    def list_webhook_deliveries(self, *, status: Optional[DeliveryStatus] = None, limit: Optional[int] = None, cursor: Optional[CursorNumber] = None) -> WebhookDeliveries:
        """What was pushed to you and how it fared, newest first."""
        return cast(WebhookDeliveries, self._call("GET", "/api/v1/webhook/deliveries", query={"status": status, "limit": limit, "cursor": cursor}))

    def redeliver_since(self, since: DateOrTime) -> Redelivered:
        """Have everything since a time delivered once more."""
        return cast(Redelivered, self._call("POST", "/api/v1/webhook/deliveries/redeliver", body={"since": since}))

    def redeliver(self, sequence: int) -> Redelivered:
        """Have one delivery made once more, from the start of the schedule."""
        return cast(Redelivered, self._call("POST", f"/api/v1/webhook/deliveries/{quoted(sequence)}/redeliver"))

    def rotate_webhook_secret(self) -> WebhookSecret:
        """Get a fresh webhook secret. For 24 hours deliveries carry the signatures of both."""
        return cast(WebhookSecret, self._call("POST", "/api/v1/webhook/rotate-secret"))

    def test_webhook(self) -> WebhookTest:
        """Send a `webhook.test` event, signed and retried like every other."""
        return cast(WebhookTest, self._call("POST", "/api/v1/webhook/test"))
