"""Every documented answer and delivery is read whole: no key is unknown, and none unreadable."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from rmz_async import webhooks
from rmz_async._decoding.converter import decode
from rmz_async._decoding.strict_json import parse
from rmz_async.models import (
    Category,
    CheckoutSession,
    CompletedOrder,
    CreatedOrder,
    DuplicateOrder,
    Model,
    Order,
    PendingOrder,
    PortalSession,
    Product,
    Subscription,
    SubscriptionLookup,
)
from rmz_async.pagination import Page
from tests.unit import documented
from tests.unit.documented import CHANGED, UNTIL

PAID = {"checkout_id": 7, "checkout_url": "https://app.rmz.gg/checkout/x", "amount": 299.99}
ANSWERS: Mapping[str, tuple[Any, Mapping[str, Any]]] = {
    "checkout_sessions.create": (
        CheckoutSession,
        {"session_id": "cs_1", "checkout_url": "https://pay.rmz.gg/cs_1", "expires_at": UNTIL},
    ),
    "portal_sessions.create": (
        PortalSession,
        {"url": "https://billing.rmz.gg/s/x", "expires_at": UNTIL},
    ),
    "subscriptions.get": (Subscription, documented.READ),
    "subscriptions.lookup": (
        SubscriptionLookup,
        {"count": 1, "has_active": True, "subscriptions": [documented.LOOKED_UP]},
    ),
    "subscriptions.cancel": (Subscription, {**CHANGED, "cancel_at_period_end": True}),
    "subscriptions.pause": (Subscription, {**CHANGED, "status": "paused", "is_active": False}),
    "subscriptions.unpause": (Subscription, CHANGED),
    "subscriptions.extend": (Subscription, {**CHANGED, "end_date": "2026-05-01"}),
    "orders.get": (Order, documented.ORDER),
    "orders.create, paid": (CreatedOrder, {**PAID, "status": "pending_payment"}),
    "orders.create, free": (CreatedOrder, {"order_id": 7, "status": "completed", "amount": 0}),
    "orders.create, again": (CreatedOrder, {"checkout_id": 7, "duplicate": True}),
    "products.get": (Product, documented.PRODUCT),
}
LISTS: Mapping[str, tuple[Any, Mapping[str, Any]]] = {
    "subscriptions.list": (Subscription, documented.READ),
    "orders.list": (Order, documented.LISTED_ORDER),
    "products.list": (Product, documented.LISTED_PRODUCT),
    "categories.list": (Category, documented.CATEGORY),
}


def as_answered(data: object) -> Any:
    """The data as an answer's bytes give them, with exact numbers."""
    return parse(json.dumps(data).encode(), unique_keys=True)


def left_over(found: object) -> list[object]:
    """The unknown and the unreadable values of a model and of those in it."""
    if isinstance(found, tuple):
        return [rest for item in found for rest in left_over(item)]
    if not isinstance(found, Model):
        return []
    inner = (left_over(getattr(found, field.name)) for field in attrs.fields(type(found)))
    rest = {**found.extra, **found.unreadable}
    return [rest] * bool(rest) + [value for values in inner for value in values]


@pytest.mark.parametrize("call", ANSWERS)
def test_every_documented_answer_is_read_whole(call: str, caplog: pytest.LogCaptureFixture) -> None:
    """The object has all keys that came."""
    into, data = ANSWERS[call]
    found: Any = decode(as_answered(data), into)

    assert set(found.to_dict()) >= set(data)
    assert left_over(found) == []
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("orders.create, paid", PendingOrder),
        ("orders.create, free", CompletedOrder),
        ("orders.create, again", DuplicateOrder),
    ],
)
def test_each_answer_to_an_order_has_its_own_class(call: str, kind: type[Model]) -> None:
    """A caller finds out with ``match`` what became of the order."""
    into, data = ANSWERS[call]

    assert type(decode(as_answered(data), into)) is kind


@pytest.mark.parametrize("call", LISTS)
def test_every_documented_page_is_read_whole(call: str) -> None:
    """Each item has all keys that came."""
    into, item = LISTS[call]
    frame = {"current_page": 1, "data": [item], "from": 1, "next_page_url": None, "per_page": 15}
    pages: Any = Page
    page = decode(as_answered(frame), pages[into])

    assert set(page.items[0].to_dict()) >= set(item)
    assert left_over(page.items) == []


@pytest.mark.parametrize("name", documented.EVENTS)
def test_every_documented_event_is_read_whole(name: str) -> None:
    """The subscription or the order of the event has all keys that came."""
    payload = {"event": name, "data": documented.EVENTS[name]}
    event = webhooks.verify(
        json.dumps(payload).encode(), {}, secrets=["x" * 28], allow_unsigned=True
    )

    assert type(event.event) is webhooks.EventType
    assert (event.subscription is not None) == name.startswith("subscription.")
    assert (event.order is not None) == name.startswith("order.")
    assert left_over(event) == []


def test_every_event_type_is_documented() -> None:
    """An event that is added is added here as well."""
    assert set(documented.EVENTS) == set(webhooks.EventType)
