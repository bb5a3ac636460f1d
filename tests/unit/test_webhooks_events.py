from __future__ import annotations

import hmac
import json
from decimal import Decimal
from typing import Any

import pytest

from rmz_async import PayloadError, SignatureError, SubscriptionStatus
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


def test_an_order_event() -> None:
    """It has neither an event id nor a subscription; its data is the order."""
    event = deliver(b'{"event": "order.created", "data": {"id": 78901, "total": 149.00}}')

    assert event.event_id is None
    assert event.subscription is None
    assert event.data == {"id": 78901, "total": Decimal("149.00")}
    assert type(event.data["total"]) is Decimal


def test_an_orders_subscription_is_no_snapshot() -> None:
    """Only events about subscriptions have one, whatever an order's keys are."""
    event = deliver({"event": "order.created", "data": {"id": 1, "subscription": SNAPSHOT}})

    assert event.subscription is None


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
