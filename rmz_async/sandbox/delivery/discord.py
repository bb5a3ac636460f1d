"""The embed that a webhook gets in place of the event if its URL contains ``discord``."""

from __future__ import annotations

from collections.abc import Mapping

from rmz_async.sandbox.store.orders import Order
from rmz_async.sandbox.store.state import Subscription
from rmz_async.sandbox.wire.exact_json import dumps

__all__ = ("embed", "is_for_discord")


def is_for_discord(url: str) -> bool:
    """Return whether RMZ takes *url* for Discord's: the word may stand anywhere in it."""
    return "discord" in url


def embed(event: str, about: Subscription | Order) -> bytes:
    """Return the body of a message for a channel; RMZ does not document it."""
    kind = "Subscription" if isinstance(about, Subscription) else "Order"
    fields: list[Mapping[str, object]] = [
        {"name": kind, "value": f"#{about.id}", "inline": True},
        {"name": "Status", "value": about.status.name.lower(), "inline": True},
    ]
    return dumps({"content": None, "embeds": [{"title": event, "fields": fields}]})
