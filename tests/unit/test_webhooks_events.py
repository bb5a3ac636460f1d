from __future__ import annotations

import hmac
import json
from decimal import Decimal
from typing import Any

import pytest

from rmz_async import OrderStatus, PayloadError, ProductType, SignatureError, SubscriptionStatus
from rmz_async.webhooks import Event, EventType, verify

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


def deliver(payload: Any, **headers: str) -> Event:
    """Sign and verify a payload, or bytes."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signature = hmac.digest(SECRET.encode(), body, "sha256").hex()
    return verify(
        body,
        {"Signature": signature} | {key.replace("_", "-"): text for key, text in headers.items()},
        secrets=[SECRET],
    )


def test_the_types() -> None:
    """There are two for orders and eleven for subscriptions."""
    assert len(EventType) == 13
    assert sum(kind.startswith("subscription.") for kind in EventType) == 11


@pytest.mark.parametrize("kind", EventType)
def test_a_known_event_is_the_member(kind: EventType) -> None:
    """The member itself and not a text that equals it."""
    assert deliver({"event": kind.value, "data": {}}).event is kind


def test_a_subscription_event() -> None:
    """It has the subscription as it was, and the event's own name."""
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


@pytest.mark.parametrize("kind", [EventType.ORDER_CREATED, EventType.ORDER_STATUS_CHANGED])
def test_an_order_event(kind: EventType) -> None:
    """It has the order as it was, and neither an event id nor a subscription."""
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


def test_the_amounts_of_an_order() -> None:
    """They are texts in a delivery, and exact numbers here."""
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


def test_numbers_of_an_order() -> None:
    """A number with a fraction stays exact in the plain data too."""
    event = deliver(b'{"event": "order.created", "data": {"id": 78901, "total": 149.00}}')

    assert type(event.data["total"]) is Decimal
    assert event.order is not None
    assert str(event.order.total) == "149.00"


@pytest.mark.parametrize("data", [{}, []])
def test_an_order_event_without_an_order(data: object) -> None:
    """An event may come without its order, in both ways that PHP has to say nothing."""
    assert deliver({"event": "order.created", "data": data}).order is None


@pytest.mark.parametrize("name", ["order.refunded", "order.", "orders.created", "Order.created"])
@pytest.mark.parametrize("data", [ORDER, {"order": ORDER}, {"id": "x"}, {"order_id": 5}])
def test_an_unknown_event_about_an_order(name: str, data: dict[str, Any]) -> None:
    """Nobody knows what its data are: they are kept, and are no fault."""
    event = deliver({"event": name, "data": data})

    assert event.order is None
    assert event.data == data


def test_a_subscription_event_has_no_order() -> None:
    """Whatever its data look like, and whatever stands beside them."""
    assert deliver({**RENEWED, "order": ORDER}).order is None
    assert deliver({"event": "subscription.created", "data": ORDER}).order is None


def test_the_order_is_the_datas() -> None:
    """A key beside the data cannot take the order's place."""
    event = deliver({"event": "order.created", "data": ORDER, "order": {"id": 999}})

    assert event.order is not None
    assert event.order.id == 12345


@pytest.mark.parametrize("name", ["invoice.paid", "subscription", "Subscription.renewed", ""])
def test_an_unknown_event(name: str) -> None:
    """What RMZ has grown is kept as a plain text, with its data, and is no error."""
    event = deliver({"event": name, "data": {"subscription": {"shape": "another"}}})

    assert type(event.event) is str
    assert event.event == name
    assert event.data == {"subscription": {"shape": "another"}}
    assert event.subscription is None


def test_an_unknown_event_about_a_subscription() -> None:
    """A new event about a subscription has its snapshot as well."""
    event = deliver({**RENEWED, "event": "subscription.gifted"})

    assert type(event.event) is str
    assert event.subscription is not None


@pytest.mark.parametrize("data", [{}, [], {"subscription": None}, {"subscription": []}])
def test_a_subscription_event_without_one(data: object) -> None:
    """An event may come without its snapshot."""
    assert deliver({"event": "subscription.renewed", "data": data}).subscription is None


def test_unknown_keys() -> None:
    """What stands beside the documented keys is kept."""
    assert deliver({**RENEWED, "attempt": 2}).extra == {"attempt": 2}


def test_the_request_id() -> None:
    """The delivery's number is kept as a label."""
    assert deliver(RENEWED, X_RMZ_REQUEST_ID="991").request_id == "991"


def test_no_request_id() -> None:
    """A delivery without a number has none, whatever its body claims."""
    assert deliver({**RENEWED, "request_id": "forged"}).request_id is None


def test_the_snapshot_is_the_datas() -> None:
    """A key beside the data cannot take the snapshot's place."""
    event = deliver({**RENEWED, "subscription": {"id": 999, "status": "active"}})

    assert event.subscription is not None
    assert event.subscription.id == 501


def test_a_doubled_request_id() -> None:
    """A proxy that doubles headers cannot be trusted with the others."""
    body = json.dumps(RENEWED).encode()
    signature = hmac.digest(SECRET.encode(), body, "sha256").hex()
    headers = [("signature", signature), ("x-rmz-request-id", "1"), ("X-RMZ-REQUEST-ID", "2")]

    with pytest.raises(SignatureError, match="x-rmz-request-id header stands more than once"):
        verify(body, headers, secrets=[SECRET])


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b'{"event": "x", "event": "y", "data": {}}', "a key stands twice"),
        (b'{"event": "x", "data": {"a": 1, "a": 2}}', "a key stands twice"),
        (b'{"event": "x", "data": {"a": NaN}}', "NaN and Infinity are not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "not an object"),
        (b'[{"event": "x", "data": {}}]', "not an object"),
        (b"null", "not an object"),
        (b'"x"', "not an object"),
        (b"{}", "required field missing @ data.event"),
        (b'{"data": {}}', "required field missing @ data.event"),
        (b'{"event": null, "data": {}}', "expected a text @ data.event"),
        (b'{"event": 5, "data": {}}', "expected a text @ data.event"),
        (b'{"event": "x"}', "required field missing @ data.data"),
        (b'{"event": "x", "data": null}', "expected an object @ data.data"),
        (b'{"event": "x", "data": [1]}', "expected an object @ data.data"),
        (
            b'{"event": "subscription.paused", "data": {"subscription": {"id": 1}}}',
            "required field missing @ data.subscription.status",
        ),
        (
            b'{"event": "subscription.paused", "data": {"subscription": "x"}}',
            "expected an object @ data.subscription",
        ),
        (b'{"event": "order.created", "data": {"total": 5}}', "missing @ data.order.id"),
        (
            b'{"event": "order.status.changed", "data": {"id": 1, "current_status": true}}',
            "expected an integer @ data.order.current_status",
        ),
    ],
)
def test_what_is_no_event(body: bytes, rule: str) -> None:
    """Each fault of a signed body is a PayloadError that says what is wrong."""
    with pytest.raises(PayloadError) as caught:
        deliver(body)

    assert str(caught.value).startswith("the delivery is not an event: ")
    assert rule in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_fault_shows_nothing_of_the_body() -> None:
    """A delivery holds personal data, and an error lands in logs."""
    with pytest.raises(PayloadError) as caught:
        deliver({"event": "subscription.paused", "data": {"subscription": {"id": "sara@o.kw"}}})

    assert "sara" not in str(caught.value)
