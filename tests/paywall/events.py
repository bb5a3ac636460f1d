"""Genuine events about a subscriber, as a webhook brings them."""

from __future__ import annotations

import json
from typing import Any

from rmz_async import Event, EventType
from rmz_async.webhooks import sample, sign, verify

SECRET = "an-example-secret-0123456789"


def event(
    kind: EventType = EventType.SUBSCRIPTION_CREATED, status: str = "active", **fields: Any
) -> Event:
    """Make a genuine event about Noura's subscription 501."""
    body = json.loads(sample(kind))
    reported = {"id": 501, "external_customer_id": "noura", "status": status, **fields}
    body["data"]["subscription"] |= reported
    raw = json.dumps(body).encode()
    return verify(raw, {"Signature": sign(raw, SECRET)}, secrets=[SECRET])
