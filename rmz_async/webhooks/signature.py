"""Make sure that RMZ sent a delivery, then read it: in this order."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from rmz_async._decoding import strict_json as _json
from rmz_async._decoding.converter import decode
from rmz_async.errors import ConfigurationError, PayloadError, SignatureError
from rmz_async.webhooks.events import Event, EventType

__all__ = ("Headers", "verify")

MAX_BODY = 1024 * 1024
MAX_SECRETS = 5
MIN_SECRET = 16

# ASGI has names as bytes.
_READ: Mapping[str | bytes, str] = {
    "signature": "signature",
    b"signature": "signature",
    "x-rmz-request-id": "x-rmz-request-id",
    b"x-rmz-request-id": "x-rmz-request-id",
}
_ORDER_EVENTS = (EventType.ORDER_CREATED, EventType.ORDER_STATUS_CHANGED)

Headers = Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]]
"""A framework's headers, or pairs as ASGI has them; names in any case."""


def verify(
    body: bytes,
    headers: Headers,
    *,
    secrets: Sequence[str],
    allow_unsigned: bool = False,
) -> Event:
    """Return the event of a delivery that RMZ has signed.

    A signature has no time in it: whoever has seen a delivery can send it again. Handle each
    ``event_id`` once, and read the subscription itself before granting anything.

    Args:
        body: The raw body, as it came; at most 1 MiB. Parsing and writing it again breaks the
            signature.
        headers: All headers of the request, so that a doubled one is seen.
        secrets: 1 to 5 secrets of at least 16 characters, one for each webhook that may deliver
            here. RMZ signs every retry with the current secret. If you regenerate a secret, keep
            the old one only while you redeploy, because whoever knows it can sign events until you
            remove it.
        allow_unsigned: Accept a delivery without a signature. Anyone can send one.

    Returns:
        The event; unknown types and keys are kept.

    Raises:
        SignatureError: The signature is missing, doubled, malformed or wrong. Answer 401.
        PayloadError: It is signed, but it is not an event. Answer 400.
        ConfigurationError: A secret is missing or too short.

    Source: https://docs.rmz.gg/webhooks/signature-verification
    """
    keys = _Keys(secrets)
    del secrets
    keys.check()
    if not isinstance(cast("object", body), bytes):
        raise TypeError("body: must be the raw bytes of the request")
    if len(body) > MAX_BODY:
        raise SignatureError(f"the body has more than {MAX_BODY} bytes; it was not looked at")
    signature, request_id = _looked_up(headers)
    if signature is None:
        if not allow_unsigned:
            raise SignatureError(
                "there is no Signature header: switch signing on for this webhook in the dashboard"
            )
    elif not keys.made(signature, body):
        raise SignatureError(
            "the signature is wrong: none of the secrets made it for this body; check that the "
            "body is the raw one, and that the secret is this webhook's"
        )
    return _event(body, request_id)


class _Keys:
    """The secrets, kept where no traceback shows them: it may show the variables of its frames."""

    __slots__ = ("_keys", "_secrets")

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = secrets

    def __repr__(self) -> str:
        return "<secrets>"

    def check(self) -> None:
        """Raise ConfigurationError where they would not protect anything."""
        # A single text is a sequence too, of one-letter secrets that anyone could guess.
        if isinstance(self._secrets, (str, bytes)) or not 1 <= len(self._secrets) <= MAX_SECRETS:
            raise ConfigurationError(f"secrets: must be a list of 1 to {MAX_SECRETS} secrets")
        self._keys = [_key(secret) for secret in self._secrets]
        if not all(self._keys):
            raise ConfigurationError(
                f"secrets: each must be a text of at least {MIN_SECRET} characters"
            )

    def made(self, signature: str, body: bytes) -> bool:
        """Say whether one of them made *signature* for *body*."""
        # Other texts cannot be compared, and are no signature either.
        if not signature.isascii():
            return False
        claimed = signature.lower()
        fits = False
        # All of them, so that the time taken does not tell which one fits.
        for key in self._keys:
            fits |= hmac.compare_digest(hmac.digest(key, body, "sha256").hex(), claimed)
        return fits


def _key(secret: object) -> bytes:
    """Return the secret's bytes, and none where it would not protect anything."""
    if not isinstance(secret, str) or len(secret) < MIN_SECRET:
        return b""
    try:
        return secret.encode()
    except UnicodeEncodeError:
        # An environment variable that is not UTF-8; the error would show the secret.
        return b""


def _looked_up(headers: Headers) -> tuple[str | None, str | None]:
    """Return the signature and the delivery's number."""
    # Not every class that has headers is a Mapping: that of the standard library is none.
    items: Any = getattr(headers, "items", None)
    pairs: Any = items() if items else headers
    found: dict[str, str] = {}
    # Not looked up by name: a doubled header, in whatever case, must be seen.
    for given, value in pairs:
        name = _READ.get(given.lower())
        if name is not None:
            if name in found:
                raise SignatureError(f"the {name} header stands more than once")
            found[name] = _text(value)
    return found.get("signature"), found.get("x-rmz-request-id")


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _event(body: bytes, request_id: str | None) -> Event:
    try:
        payload = _json.parse(body, unique_keys=True)
        if not isinstance(payload, dict):
            raise ValueError("not an object")
        name, data = payload.get("event"), payload.get("data")
        subscription = order = None
        if isinstance(name, str) and isinstance(data, dict):
            subscription = data.get("subscription") if name.startswith("subscription.") else None
            # Of another event about an order nobody knows whether its data are the order.
            order = (data or None) if name in _ORDER_EVENTS else None
        # Over what the body itself may call so.
        payload |= {"request_id": request_id, "subscription": subscription, "order": order}
        return decode(payload, Event)
    except ValueError as error:
        raise PayloadError(f"the delivery is not an event: {error}") from None
