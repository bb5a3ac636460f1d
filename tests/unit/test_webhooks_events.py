"""Events that RMZ documents: the class, the content and the key of each."""

from __future__ import annotations

import hashlib
import hmac
import json
import pickle
from decimal import Decimal
from typing import Any

import pytest

from rmz_async import (
    OrderStatus,
    ProductType,
    SignatureError,
    SubscriptionStatus,
    from_dict,
    webhooks,
)
from rmz_async.webhooks import EventType, OrderEvent, SubscriptionEvent, verify
from tests.unit.deliveries import ORDER, RENEWED, SECRET, deliver


def test_there_are_thirteen_types() -> None:
    """There are two for orders and eleven for subscriptions."""
    assert len(EventType) == 13
    assert sum(kind.startswith("subscription.") for kind in EventType) == 11


@pytest.mark.parametrize("kind", EventType)
def test_a_known_event_is_the_member(kind: EventType) -> None:
    """The member itself and not a string that equals it, even if the content is missing."""
    assert deliver({"event": kind.value, "data": {}}).event is kind


CLASSES = {
    kind: "".join(word.title() for word in kind.value.replace("_", ".").split("."))
    for kind in EventType
}


@pytest.mark.parametrize(("kind", "name"), CLASSES.items())
def test_each_event_has_its_class(kind: EventType, name: str) -> None:
    """The class is named like the event, and has the content that its kind has."""
    is_order = kind.startswith("order.")
    event = deliver({**RENEWED, "event": kind, "data": ORDER if is_order else RENEWED["data"]})

    assert type(event) is getattr(webhooks, name)
    assert isinstance(event, OrderEvent if is_order else SubscriptionEvent)
    assert (event.order is None, event.subscription is None) == (not is_order, is_order)


def test_a_match_tells_events_apart() -> None:
    """A handler reads the content without a test for None."""
    match deliver(RENEWED):
        case webhooks.SubscriptionRenewed(subscription=subscription):
            assert subscription.id == 501
        case other:
            raise AssertionError(other)


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        (RENEWED, "a7b8"),
        ({"event": "order.created", "data": {"id": 12345}}, "order.created:12345"),
        ({"event": "order.created", "data": {"id": "12345"}}, "order.created:12345"),
        ({"event": "order.created", "data": {"id": 12345.0}}, "order.created:12345"),
        ({"event": "order.created", "data": {"id": "012345"}}, "order.created:12345"),
        (
            {"event": "order.status.changed", "data": {"id": 1, "status": {"id": 401}}},
            "order.status.changed:401",
        ),
        (
            {"event": "order.status.changed", "data": {"id": 1, "status": {"id": 401.0}}},
            "order.status.changed:401",
        ),
        ({"event": "order.created", "event_id": "new", "data": {"id": 5}}, "new"),
    ],
)
def test_all_deliveries_of_one_event_share_a_key(payload: dict[str, Any], key: str) -> None:
    """The body of an order's event differs between two webhooks, which say when it was."""
    later = {**payload, "sent": "a second ago"}

    assert deliver(payload).dedupe_key == deliver(later).dedupe_key == key


@pytest.mark.parametrize(
    "payload",
    [
        {"event": "invoice.paid", "data": {"id": 5}},
        {"event": "subscription.renewed", "data": {"id": 5}},
        {"event": "order.created", "data": {"id": None}},
        {"event": "order.created", "data": {"id": ""}},
        {"event": "order.created", "data": {"id": True}},
        {"event": "order.created", "data": []},
        {"event": "order.status.changed", "data": {"id": 1}},
        {"event": "order.status.changed", "data": {"id": 1, "status": [401]}},
    ],
)
def test_an_event_without_ids_has_the_digest_of_its_body(payload: dict[str, Any]) -> None:
    """A delivery that comes again has the same bytes."""
    body = json.dumps(payload).encode()

    assert deliver(body).dedupe_key == hashlib.sha256(body).hexdigest()


def test_a_subscription_event_has_its_subscription() -> None:
    """The event has the subscription as it was, and the event's own name."""
    event = deliver(RENEWED)

    assert event.event_id == "a7b8"
    assert event.subscription is not None
    assert event.subscription.id == 501
    assert event.subscription.status is SubscriptionStatus.ACTIVE
    assert event.subscription.customer is not None
    assert event.subscription.customer.country_code == "965"
    assert event.subscription.variant is not None
    assert event.subscription.variant.price == Decimal("49.00")
    assert event.subscription.metadata == {}
    assert event.data == RENEWED["data"]


@pytest.mark.parametrize("kind", [EventType.ORDER_CREATED, EventType.ORDER_STATUS_CHANGED])
def test_an_order_event_has_its_order(kind: EventType) -> None:
    """The event has the order as it was, and neither an event id nor a subscription."""
    event = deliver({"event": kind.value, "data": ORDER})

    assert (event.event_id, event.subscription) == (None, None)
    assert event.data == ORDER
    assert event.order is not None
    assert event.order.id == 12345
    assert event.order.current_status is OrderStatus.COMPLETED
    assert event.order.customer is not None
    assert event.order.customer.country_code == "966"
    assert event.order.customer.is_banned is False
    assert event.order.status is not None
    assert event.order.status.status is OrderStatus.COMPLETED
    assert event.order.statuses is not None
    assert [change.reason for change in event.order.statuses] == ["paid", None]
    assert event.order.items is not None
    (item,) = event.order.items
    assert item.notes == "wrap it"
    assert item.item is not None
    assert item.item.type is ProductType.CARD
    assert item.codes is not None
    assert item.codes[0].code == "XXXX-YYYY"
    assert item.codes[0].is_used is True
    assert item.codes[0].extra == {"batch": 3}


def test_the_amounts_of_an_order_are_exact_numbers() -> None:
    """Amounts are strings in a delivery, and exact numbers here."""
    order = deliver({"event": "order.created", "data": ORDER}).order

    assert order is not None
    assert order.transaction is not None
    assert [str(amount) for amount in (order.total, order.cost, order.transaction.deserved)] == [
        "149.00",
        "0.00",
        "134.10",
    ]


def test_an_event_does_not_show_what_was_sold() -> None:
    """The codes are the goods, and a repr lands in logs."""
    event = deliver({"event": "order.created", "data": ORDER})

    assert "XXXX-YYYY" not in repr(event)
    assert "data=" not in repr(event)
    assert "order=" in repr(event)


def test_numbers_of_an_order_stay_exact_in_plain_data() -> None:
    """A number with a fraction stays exact in the plain data too."""
    event = deliver(b'{"event": "order.created", "data": {"id": 78901, "total": 149.00}}')

    assert type(event.data["total"]) is Decimal
    assert event.order is not None
    assert str(event.order.total) == "149.00"


def test_a_subscription_event_has_no_order() -> None:
    """That holds for any data, and for any keys beside them."""
    event = deliver({**RENEWED, "order": ORDER})

    assert event.order is None
    assert event.extra["order"]["id"] == 12345
    assert deliver({"event": "subscription.created", "data": ORDER}).order is None


def test_the_order_is_the_datas() -> None:
    """A key beside the data cannot take the order's place."""
    event = deliver({"event": "order.created", "data": ORDER, "order": {"id": 999}})

    assert event.order is not None
    assert event.order.id == 12345


def test_unknown_keys_are_kept() -> None:
    """Keys beside the documented ones are kept."""
    assert deliver({**RENEWED, "attempt": 2}).extra == {"attempt": 2}


def test_the_request_id_is_kept() -> None:
    """The delivery's number is kept as a label."""
    assert deliver(RENEWED, X_RMZ_REQUEST_ID="991").request_id == "991"


def test_a_body_cannot_forge_a_request_id() -> None:
    """A delivery without a number has none, whatever its body claims."""
    assert deliver({**RENEWED, "request_id": "forged"}).request_id is None


def test_the_snapshot_is_the_datas() -> None:
    """A key beside the data cannot take the snapshot's place."""
    event = deliver({**RENEWED, "subscription": {"id": 999, "status": "active"}})

    assert event.subscription is not None
    assert event.subscription.id == 501


def test_a_doubled_request_id_is_refused() -> None:
    """A proxy that doubles headers cannot be trusted with the others."""
    body = json.dumps(RENEWED).encode()
    signature = hmac.digest(SECRET.encode(), body, "sha256").hex()
    headers = [("signature", signature), ("x-rmz-request-id", "1"), ("X-RMZ-REQUEST-ID", "2")]

    with pytest.raises(SignatureError, match="x-rmz-request-id header occurs more than once"):
        verify(body, headers, secrets=[SECRET])


@pytest.mark.parametrize(
    "payload",
    [
        RENEWED,
        {"event": "order.created", "data": ORDER},
        {"event": "invoice.paid", "data": {"id": 5}},
        {"event": "subscription.paused", "data": {}},
    ],
)
def test_an_event_survives_json_and_pickle(payload: dict[str, Any]) -> None:
    """An event travels through a queue, with all its keys."""
    event = deliver({**payload, "colour": "red"}, X_RMZ_REQUEST_ID="7")

    assert from_dict(type(event), json.loads(json.dumps(event.to_dict()))) == event
    assert pickle.loads(pickle.dumps(event)) == event  # noqa: S301 - our own bytes
