"""Deliveries of a renewed subscription and of an order, signed and read."""

from __future__ import annotations

import hmac
import json
from typing import Any

from rmz_async.webhooks import Event, verify

SECRET = "a-secret-of-28-characters..."
SNAPSHOT = {
    "id": 501,
    "status": "active",
    "external_customer_id": None,
    "variant": {"id": 15, "price": "49.00", "duration": "monthly"},
    "metadata": [],
    "customer": {"id": 123, "name": "Sara Omar", "country_code": 965},
}
RENEWED = {"event": "subscription.renewed", "event_id": "a7b8", "data": {"subscription": SNAPSHOT}}
ORDER: dict[str, Any] = {
    "id": 12345,
    "store_id": 7,
    "customer_id": 5678,
    "coupon_id": None,
    "total": "149.00",
    "discount_amount": None,
    "customer_note": None,
    "meta": None,
    "cost": "0.00",
    "current_status": 4,
    "tax_rate": "0.00",
    "tax_amount": "0.00",
    "prices_include_tax": True,
    "created_at": "2026-03-30T14:30:00.000000Z",
    "human_format": {"date_human": "منذ ثانية واحدة"},
    "transaction": {
        "id": 301,
        "deserved": "134.10",
        "platform_fees": "14.90",
        "is_by_platform": False,
        "created_at": "2026-03-30T14:30:00.000000Z",
        "human_format": {"payment.method": "بطاقة"},
    },
    "items": [
        {
            "id": 101,
            "quantity": 1,
            "item_id": 42,
            "price": "149.00",
            "fields": None,
            "notes": "wrap it",
            "item": {"id": 42, "price": "199.00", "actual_price": "149.00", "type": "card"},
            "codes": [{"id": 201, "code": "XXXX-YYYY", "is_used": 1, "batch": 3}],
        }
    ],
    "customer": {
        "id": 5678,
        "firstName": "Sara",
        "lastName": "Omar",
        "email": "sara@example.com",
        "country_code": 966,
        "phone": "501234567",
        "is_banned": False,
        "ban_reason": None,
        "store_id": 7,
        "created_at": "2026-01-15T10:00:00.000000Z",
        "updated_at": "2026-03-30T14:30:00.000000Z",
        "deleted_at": None,
    },
    "status": {"id": 401, "reason": None, "status": 4, "model_id": 12345},
    "statuses": [
        {"id": 400, "reason": "paid", "status": 2, "model_id": 12345},
        {"id": 401, "reason": None, "status": 4, "model_id": 12345},
    ],
}


def deliver(payload: Any, **headers: str) -> Event:
    """Sign and verify a payload, or bytes."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signature = hmac.digest(SECRET.encode(), body, "sha256").hex()
    return verify(
        body,
        {"Signature": signature} | {key.replace("_", "-"): text for key, text in headers.items()},
        secrets=[SECRET],
    )
