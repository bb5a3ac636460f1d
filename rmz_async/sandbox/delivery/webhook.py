"""A webhook that events go to, its secret and its signature."""

from __future__ import annotations

import hmac
import secrets

import attrs
import httpx
from starlette.types import ASGIApp

from rmz_async.sandbox.loopback import is_loopback
from rmz_async.sandbox.tokens import looks_live

__all__ = ("Webhook", "signed_headers")

_VERSION = "1.2"
_MIN_SECRET = 16


def _allowed(webhook: Webhook, __: object, url: str) -> None:
    if looks_live(url):
        raise ValueError("the webhook's URL contains a token that may belong to a real store")
    try:
        # Read by the library that will send to it, so that both see the same host.
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    may_go_there = is_loopback(parsed.host) or (webhook.beyond_loopback and parsed.host)
    if parsed.scheme not in ("http", "https") or not may_go_there:
        raise ValueError(
            f"a webhook's URL must be http(s) on localhost or a loopback address, not {url!r}: "
            "unless beyond_loopback is set, the sandbox never talks to the outside"
        )


def _long_enough(_: object, __: object, secret: object) -> None:
    if not isinstance(secret, str) or len(secret) < _MIN_SECRET:
        raise ValueError(
            f"a webhook's secret must be a string of at least {_MIN_SECRET} characters, as "
            "webhooks.verify wants it: shorter ones can be guessed"
        )
    if looks_live(secret):
        raise ValueError(
            "the webhook's secret looks like a token that may belong to a real store, and was not "
            "kept: give the sandbox a made-up secret"
        )


def _one_to_five(_: object, __: object, tries: int) -> None:
    if not 1 <= tries <= 5:
        raise ValueError("tries must be 1 to 5")


def _new_secret() -> str:
    # 21 bytes are 28 characters, as many as in the dashboard.
    return secrets.token_urlsafe(21)


@attrs.define(kw_only=True)
class Webhook:
    """A target of every event, whatever the event is. Changes hold from the next attempt on.

    Attributes:
        url: The address to post to; on a loopback host, unless `beyond_loopback` is set.
        secret: The key of the signature; at least 16 characters.
        signed: Whether deliveries carry a ``Signature``.
        tries: How many attempts a delivery has, 1 to 5.
        enabled: Whether it gets events. RMZ switches a webhook off if at least 5 attempts were
            made within 90 days, and 80 % of them failed.
        app: An ASGI application that takes the deliveries in process; None to use a socket.
        beyond_loopback: Whether the address may be on another machine. No certificate is checked
            there either.
    """

    id: int
    url: str = attrs.field(validator=_allowed)
    secret: str = attrs.field(factory=_new_secret, repr=False, validator=_long_enough)
    signed: bool = True
    tries: int = attrs.field(default=1, validator=_one_to_five)
    enabled: bool = True
    app: ASGIApp | None = attrs.field(default=None, repr=False, eq=False)
    beyond_loopback: bool = False

    def rotate(self) -> str:
        """Make a new secret, and return it; the old one signs nothing any more."""
        self.secret = _new_secret()
        return self.secret


def signed_headers(webhook: Webhook, request_id: int, body: bytes) -> dict[str, str]:
    """Return the headers of one delivery of *body*, signed with the webhook's secret."""
    headers = {
        "Content-Type": "application/json",
        "X-RMZ-WEBHOOKS": _VERSION,
        "X-RMZ-REQUEST-ID": str(request_id),
    }
    if webhook.signed:
        headers["Signature"] = hmac.digest(webhook.secret.encode(), body, "sha256").hex()
    return headers
