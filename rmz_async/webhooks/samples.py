"""Bodies like RMZ's, for tests of one's own."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from rmz_async.webhooks.events import EventType

__all__ = ("sample",)

_SUBSCRIPTION: Mapping[str, Any] = {
    "id": 501,
    "status": "active",
    "external_customer_id": "usr_abc123",
    "product_id": 102,
    "product_name": "Pro membership",
    "variant": {"id": 15, "price": "49.00", "duration": "monthly"},
    "duration": "monthly",
    "current_period_start": "2026-05-01T09:00:00+00:00",
    "current_period_end": "2026-06-01T09:00:00+00:00",
    "auto_renew": True,
    "metadata": {"plan": "pro"},
    "customer": {"id": 4501, "email": "sara@example.com", "name": "Sara Omar"},
}
_STATUS: Mapping[str, Any] = {
    "id": 9001,
    "reason": None,
    "status": 4,
    "model_id": 78901,
    "created_at": "2026-05-01T09:00:00.000000Z",
}
_ORDER: Mapping[str, Any] = {
    "id": 78901,
    "store_id": 7,
    "customer_id": 4501,
    "coupon_id": None,
    "total": "149.00",
    "current_status": 4,
    "created_at": "2026-05-01T09:00:00.000000Z",
    "updated_at": "2026-05-01T09:00:00.000000Z",
    "transaction": {"id": 301, "payment_method": "dokanpay", "total": "149.00"},
    "items": [
        {
            "id": 101,
            "item_id": 42,
            "quantity": 1,
            "price": "149.00",
            "item": {"id": 42, "name": "Gift card", "price": "149.00", "type": "card"},
            "codes": [{"id": 201, "code": "SAMPLE-CODE", "is_used": 1}],
        }
    ],
    "customer": {
        "id": 4501,
        "firstName": "Sara",
        "lastName": "Omar",
        "country_code": 966,
        "phone": "512345678",
        "email": "sara@example.com",
    },
    "status": _STATUS,
    "statuses": [_STATUS],
}

# The state of a subscription after each event; all others leave it active.
_AFTER: Mapping[EventType, Mapping[str, Any]] = {
    EventType.SUBSCRIPTION_RENEWAL_FAILED: {"status": "past_due"},
    EventType.SUBSCRIPTION_PAST_DUE: {"status": "past_due"},
    EventType.SUBSCRIPTION_EXPIRED: {"status": "expired", "auto_renew": False},
    EventType.SUBSCRIPTION_CANCELED: {"auto_renew": False},
    EventType.SUBSCRIPTION_PAUSED: {"status": "paused"},
}


def sample(event: EventType, *, event_id: str | None = None, **values: object) -> bytes:
    """Return the body of a delivery, for tests of your own; `sign` makes its signature.

    Args:
        event: The kind of event.
        event_id: The event's id; without one, each kind has an id of its own that stays the same.
            Events about orders have none.
        values: Keys of the subscription or the order that replace the sample's. A `Decimal` and a
            date are written as RMZ writes them, as strings.

    Returns:
        The raw body, as compact JSON.
    """
    if event in (EventType.ORDER_CREATED, EventType.ORDER_STATUS_CHANGED):
        payload: dict[str, object] = {"event": event, "data": {**_ORDER, **values}}
    else:
        payload = {
            "event": event,
            "event_id": event_id or str(uuid.uuid5(uuid.NAMESPACE_URL, event)),
            "data": {"subscription": {**_SUBSCRIPTION, **_AFTER.get(event, {}), **values}},
        }
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), default=_written)
    return text.encode()


def _written(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    raise TypeError(f"sample: a {type(value).__name__} is not a value of JSON")
