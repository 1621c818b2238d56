"""How calls are made: keys, retries, waiting for the code, and the stream of an order."""

from __future__ import annotations

import http.client
import json
import random
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from typing import Any, Dict, Iterator, Mapping, Optional, cast

from .calls import Calls, quoted
from .schema import Error, HowFar, Order, StreamMessage

ENDED = ("completed", "cancelled", "expired", "failed")
# The service lets a long poll wait this long at most.
LONGEST_WAIT_SECONDS = 55
# Streams carry a heartbeat every 15 seconds.
SILENCE_SECONDS = 45.0
LONGEST_PAUSE_SECONDS = 30.0


class CallFailed(Exception):
    """The service, or something before it, refused a call."""

    def __init__(self, status: int, error: Mapping[str, Any], idempotency_key: Optional[str] = None) -> None:
        super().__init__(f"{error.get('error_code') or status}: {error.get('error') or 'no reason given'}")
        self.status = status
        self.error = cast(Error, error)
        self.error_code: Optional[str] = error.get("error_code")
        # Whoever answers without the error object is a proxy: what it says of the service behind it passes.
        self.retryable: bool = error.get("retryable", status in (502, 503, 504))
        self.retry_after_seconds: float = error.get("retry_after_seconds") or 0
        self.detail: Any = error.get("detail")
        self.request_id: Optional[str] = error.get("request_id")
        self.idempotency_key = idempotency_key


class NoReply(Exception):
    """Whether the call took effect is not known; with its `idempotency_key` it may be made again, where it has one."""

    def __init__(self, reason: BaseException, idempotency_key: Optional[str]) -> None:
        super().__init__(f"no reply: {reason or type(reason).__name__}")
        self.idempotency_key = idempotency_key


class NoCode(Exception):
    """The order ended without a code; what was held for it is back."""

    def __init__(self, order: Order) -> None:
        super().__init__(f"{order['order_id']} is {order['status']}")
        self.order = order


class CodeNotYet(NoCode):
    """The time for waiting is over; the order lives on."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A key goes where it was told to go, nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Client(Calls):
    """Calls of one service, with one key. It holds no connection, and may be used from several threads."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        api_key: Optional[str] = None,
        *,
        retries: int = 4,
        patience_seconds: float = 60.0,
        timeout_seconds: float = 30.0,
        ssl_context: Optional[ssl.SSLContext] = None,
    ) -> None:
        """At most `retries` further attempts, with at most `patience_seconds` between them in all; `timeout_seconds` for a reply, beyond what a call is asked to wait."""
        self._url = url.rstrip("/")
        self._api_key = api_key
        self._retries = retries
        self._patience_seconds = patience_seconds
        self._timeout_seconds = timeout_seconds
        self._opener = urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=ssl_context))

    def __repr__(self) -> str:
        return f"Client({self._url!r})"

    def wait_for_code(self, order_id: str, timeout_seconds: float = 300.0) -> Order:
        """The order once it has its code. NoCode if it ends without, CodeNotYet if the time is over."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            left = deadline - time.monotonic()
            wait = max(1, min(LONGEST_WAIT_SECONDS, int(left)))
            order = self.get_order(order_id, wait=wait)
            if order["code"] is not None:
                return order
            if order["status"] in ENDED:
                raise NoCode(order)
            if time.monotonic() >= deadline:
                raise CodeNotYet(order)

    def stream(self, order_id: str, *, until: Optional[HowFar] = None) -> Iterator[StreamMessage]:
        """The order's messages until it ends; a cut connection is resumed without gap or repeat."""
        last_id: Optional[str] = None
        failures = 0
        query = {"until": until}
        while True:
            extra = {"Accept": "text/event-stream"}
            if last_id is not None:
                extra["Last-Event-ID"] = last_id
            try:
                with self._open("GET", f"/api/v1/order/{quoted(order_id)}/stream", query, None, extra, SILENCE_SECONDS) as reply:
                    if reply.status == 204:
                        return
                    for fields in _events(reply):
                        last_id = fields.get("id", last_id)
                        if fields.get("data"):
                            failures = 0
                            yield cast(StreamMessage, json.loads(fields["data"]))
                pause = 0.0
            except CallFailed as failed:
                if not failed.retryable:
                    raise
                pause, reason = failed.retry_after_seconds, cast(Exception, failed)
            except (OSError, http.client.HTTPException) as lost:
                pause, reason = 0.0, NoReply(lost, None)
            else:
                reason = NoReply(EOFError("the stream ends without saying so"), None)
            # The first time at once: most often the message before was the last one, or a proxy has closed what was long open.
            if failures > self._retries:
                raise reason
            if failures:
                pause = max(pause, _backoff_seconds(failures - 1))
            failures += 1
            time.sleep(pause)

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
        key = (idempotency_key or str(uuid.uuid4())) if is_keyed else None
        extra = {"Idempotency-Key": key} if key else {}
        timeout = self._timeout_seconds + _asked_to_wait(path, query or {}, body or {})
        may_repeat = is_repeatable or is_keyed or method != "POST"
        waited = 0.0
        attempt = 0
        while True:
            try:
                return self._once(method, path, query or {}, body, extra, timeout, key)
            except CallFailed as failed:
                pause = max(failed.retry_after_seconds, _backoff_seconds(attempt))
                if not failed.retryable or attempt >= self._retries or waited + pause > self._patience_seconds:
                    raise
            except NoReply as lost:
                pause = _backoff_seconds(attempt)
                if not may_repeat or attempt >= self._retries or waited + pause > self._patience_seconds:
                    raise lost
            time.sleep(pause)
            waited += pause
            attempt += 1

    def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        body: Optional[Mapping[str, Any]],
        extra: Mapping[str, str],
        timeout: float,
        key: Optional[str],
    ) -> Any:
        try:
            with self._open(method, path, query, body, extra, timeout, key) as reply:
                text = reply.read().decode()
                is_json = reply.headers.get_content_type() == "application/json"
        except (OSError, http.client.HTTPException) as lost:
            raise NoReply(lost, key) from lost
        return json.loads(text) if is_json else text

    def _open(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        body: Optional[Mapping[str, Any]],
        extra: Mapping[str, str],
        timeout: float,
        key: Optional[str] = None,
    ) -> Any:
        asked = urllib.parse.urlencode({name: value for name, value in query.items() if value is not None})
        headers: Dict[str, str] = {"Accept": "application/json", "User-Agent": "telenumerus-python", **extra}
        if self._api_key:
            headers["Authorization"] = f"Bearer {self._api_key}"
        data = None
        if body is not None:
            data = json.dumps({name: value for name, value in body.items() if value is not None}).encode()
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self._url + path + ("?" + asked if asked else ""), data, headers, method=method)
        try:
            return self._opener.open(request, timeout=timeout)
        except urllib.error.HTTPError as refused:
            with refused:
                text = refused.read()
            raise CallFailed(refused.code, _error_object(text, refused.headers.get("Retry-After")), key) from None


def _error_object(text: bytes, retry_after: Optional[str]) -> Mapping[str, Any]:
    """What the service says of its refusal; of a proxy's, at least when to come again."""
    try:
        error = json.loads(text)
    except ValueError:
        error = None
    if isinstance(error, dict) and "error_code" in error:
        return error
    return {"retry_after_seconds": int(retry_after)} if retry_after and retry_after.isdigit() else {}


def _asked_to_wait(path: str, query: Mapping[str, Any], body: Mapping[str, Any]) -> float:
    """How long the service was asked to wait before it answers."""
    if path.endswith("/verify") and "platform" in body:
        return float(body.get("timeout_seconds") or 120)
    return float(query.get("wait") or 0)


def _backoff_seconds(attempt: int) -> float:
    """Half a second, doubled each time, up to a quarter more or less: many clients do not come back together."""
    return min(LONGEST_PAUSE_SECONDS, 0.5 * 2.0**attempt) * random.uniform(0.75, 1.25)


def _events(reply: Any) -> Iterator[Dict[str, str]]:
    """Server-sent events; one that is cut in its middle is none."""
    fields: Dict[str, str] = {}
    for raw in reply:
        line = raw.decode().rstrip("\r\n")
        if not line:
            if fields:
                yield fields
            fields = {}
            continue
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if name == "data" and "data" in fields:
            fields["data"] += "\n" + value
        elif name:
            fields[name] = value
