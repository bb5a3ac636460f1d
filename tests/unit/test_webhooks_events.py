from __future__ import annotations

import hashlib
import hmac
import json
import pickle
import re
from decimal import Decimal
from typing import Any

import pytest

from rmz_async import (
    OrderStatus,
    PayloadError,
    ProductType,
    SignatureError,
    SubscriptionStatus,
    from_dict,
    webhooks,
)
from rmz_async.webhooks import Event, EventType, OrderEvent, SubscriptionEvent, UnknownEvent, verify

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
        (
            {"event": "order.status.changed", "data": {"id": 1, "status": {"id": 401}}},
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


def test_the_amounts_of_an_order() -> None:
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


def test_numbers_of_an_order() -> None:
    """A number with a fraction stays exact in the plain data too."""
    event = deliver(b'{"event": "order.created", "data": {"id": 78901, "total": 149.00}}')

    assert type(event.data["total"]) is Decimal
    assert event.order is not None
    assert str(event.order.total) == "149.00"


@pytest.mark.parametrize("data", [{}, []])
def test_an_order_event_without_an_order(data: object) -> None:
    """An event may come without its order, in both ways that PHP writes nothing."""
    event = deliver({"event": "order.created", "data": data})

    assert isinstance(event, UnknownEvent)
    assert event.fault == "required field missing @ data.id"
    assert event.order is None


@pytest.mark.parametrize("name", ["order.refunded", "order.", "orders.created", "Order.created"])
@pytest.mark.parametrize("data", [ORDER, {"order": ORDER}, {"id": "x"}, {"order_id": 5}])
def test_an_unknown_event_about_an_order(name: str, data: dict[str, Any]) -> None:
    """The meaning of its data is not known: they are kept, and are no fault."""
    event = deliver({"event": name, "data": data})

    assert event.order is None
    assert event.data == data


def test_a_subscription_event_has_no_order() -> None:
    """Whatever its data look like, and whatever stands beside them."""
    event = deliver({**RENEWED, "order": ORDER})

    assert event.order is None
    assert event.extra["order"]["id"] == 12345
    assert deliver({"event": "subscription.created", "data": ORDER}).order is None


def test_the_order_is_the_datas() -> None:
    """A key beside the data cannot take the order's place."""
    event = deliver({"event": "order.created", "data": ORDER, "order": {"id": 999}})

    assert event.order is not None
    assert event.order.id == 12345


@pytest.mark.parametrize("name", ["invoice.paid", "subscription", "Subscription.renewed", ""])
def test_an_unknown_event_is_kept(name: str) -> None:
    """An event that is new at RMZ is kept as a plain string, with its data, and is no error."""
    event = deliver({"event": name, "data": {"subscription": {"shape": "another"}}})

    assert type(event.event) is str
    assert event.event == name
    assert event.data == {"subscription": {"shape": "another"}}
    assert event.subscription is None
    assert isinstance(event, UnknownEvent)
    assert event.fault is None


def test_an_unknown_event_about_a_subscription() -> None:
    """A new event about a subscription has its snapshot as well."""
    event = deliver({**RENEWED, "event": "subscription.gifted"})

    assert type(event) is UnknownEvent
    assert type(event.event) is str
    assert event.subscription is not None


@pytest.mark.parametrize("subscription", [None, [], "x", {"id": 5}])
def test_an_unknown_event_about_something_else_is_no_fault(subscription: object) -> None:
    """The shape of a new event's content is not known here."""
    event = deliver({"event": "subscription.gifted", "data": {"subscription": subscription}})

    assert isinstance(event, UnknownEvent)
    assert (event.fault, event.subscription) == (None, None)


@pytest.mark.parametrize("data", [{}, [], {"subscription": None}, {"subscription": []}])
def test_a_subscription_event_without_one(data: object) -> None:
    """An event may come without its snapshot."""
    event = deliver({"event": "subscription.renewed", "data": data})

    assert isinstance(event, UnknownEvent)
    assert event.fault == "expected an object @ data.subscription"


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
        (b"[]", "the body must be a JSON object"),
        (b'[{"event": "x", "data": {}}]', "the body must be a JSON object"),
        (b"null", "the body must be a JSON object"),
        (b'"x"', "the body must be a JSON object"),
        (b"{}", "event must be a string"),
        (b'{"data": {}}', "event must be a string"),
        (b'{"event": null, "data": {}}', "event must be a string"),
        (b'{"event": 5, "data": {}}', "event must be a string"),
        (b'{"embeds": [{"title": "x"}]}', "this is Discord's format"),
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(body: bytes, rule: str) -> None:
    """Each fault of a signed body is a PayloadError that says what is wrong."""
    with pytest.raises(PayloadError) as caught:
        deliver(body)

    reason = str(caught.value).removeprefix("the delivery is not an event: ")
    assert re.match(rf"{rule}($|\W)", reason), reason
    assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        ({"data": None}, "data: expected an object"),
        ({"data": [1]}, "data: expected an object"),
        ({"data": "x"}, "data: expected an object"),
        ({}, "data: expected an object"),
        (
            {"data": {"subscription": {"id": 1}}},
            "missing @ data.subscription.status",
        ),
        ({"data": {"subscription": "x"}}, "expected an object @ data.subscription"),
        ({"data": {"total": 5}, "event": "order.created"}, "required field missing @ data.id"),
        ({"data": {"id": {}}, "event": "order.status.changed"}, "@ data.id"),
    ],
)
def test_a_signed_event_that_cannot_be_read_is_still_an_event(
    payload: dict[str, Any], fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """RMZ switches a webhook off that refuses too often, and a retry has the same body."""
    event = deliver({"event": "subscription.paused", **payload})

    assert isinstance(event, UnknownEvent)
    assert event.event in list(EventType)
    assert event.fault is not None
    assert fault in event.fault
    (record,) = caplog.records
    assert (record.name, record.levelname, record.message) == (
        "rmz_async",
        "WARNING",
        f"a delivery of {event.event} cannot be read: {event.fault}",
    )


def test_all_faults_of_an_event_are_named_together() -> None:
    """A single look at the log shows everything that is wrong with a delivery."""
    event = deliver({"event": "order.created", "event_id": 5, "data": None})

    assert isinstance(event, UnknownEvent)
    assert event.fault is not None
    first, second, *others = event.fault.split("; ")
    assert (first, second) == ("event_id: expected a string", "data: expected an object")
    assert others == ["required field missing @ data.id"]


def test_data_that_is_no_object_is_kept() -> None:
    """Nothing that RMZ sent is lost."""
    event = deliver({"event": "subscription.paused", "data": [1]})

    assert event.data == {}
    assert event.extra == {"data": [1]}


@pytest.mark.parametrize("event_id", [5, ["a"], {}])
def test_an_event_id_that_is_no_string_is_kept_apart(event_id: object) -> None:
    """The content is read all the same, and the digest distinguishes deliveries."""
    event = deliver({**RENEWED, "event_id": event_id})

    assert event.subscription is not None
    assert event.event_id is None
    assert event.extra == {"event_id": event_id}
    assert len(event.dedupe_key) == 64


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


def test_a_fault_shows_nothing_of_the_body() -> None:
    """A delivery holds personal data, and a fault lands in logs."""
    event = deliver({"event": "subscription.paused", "data": {"subscription": {"id": "sara@o"}}})

    assert isinstance(event, UnknownEvent)
    assert event.fault is not None
    assert "sara" not in event.fault
