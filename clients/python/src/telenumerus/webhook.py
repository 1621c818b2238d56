"""Whether a delivery is the service's: Standard Webhooks."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from typing import Mapping, Optional, Union, cast

from .schema import WebhookEvent

TOLERANCE_SECONDS = 300


class SignatureRefused(Exception):
    """The delivery is not the service's, or not of now. Answer 400, and do nothing else."""


def verify_webhook(
    secret: str,
    headers: Mapping[str, str],
    body: Union[bytes, str],
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: Optional[float] = None,
) -> WebhookEvent:
    """What was delivered, if it was signed with `secret` (as registration showed it) lately. `body` is what arrived, byte for byte."""
    given = {name.lower(): value for name, value in headers.items()}
    try:
        delivery, moment, signatures = given["webhook-id"], given["webhook-timestamp"], given["webhook-signature"]
        age = (time.time() if now is None else now) - int(moment)
    except (KeyError, ValueError):
        raise SignatureRefused("the webhook headers are missing or not as they should be") from None
    if abs(age) > tolerance_seconds:
        raise SignatureRefused("the delivery is too old, or the clocks differ")
    raw = body.encode() if isinstance(body, str) else body
    signed = f"{delivery}.{moment}.".encode() + raw
    expected = base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest())
    # After a rotation there are two: of the old secret, and of the new one.
    found = [part.partition(",") for part in signatures.split(" ")]
    if not any([version == "v1" and hmac.compare_digest(value.encode(), expected) for version, _, value in found]):
        raise SignatureRefused("no signature is of this secret and this body")
    return cast(WebhookEvent, json.loads(raw))


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret[len("whsec_") :] if secret.startswith("whsec_") else secret, validate=True)
    except binascii.Error:
        raise ValueError("the webhook secret is not as registration shows it: whsec_ and base64") from None
