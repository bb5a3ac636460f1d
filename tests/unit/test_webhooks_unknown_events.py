"""Signed deliveries that are no event, are new at RMZ, or cannot be read in full."""

from __future__ import annotations

import re
from typing import Any

import pytest

from rmz_async import PayloadError
from rmz_async.webhooks import EventType, UnknownEvent
from tests.unit.deliveries import ORDER, RENEWED, deliver


@pytest.mark.parametrize("data", [{}, []])
def test_an_order_event_may_come_without_its_order(data: object) -> None:
    """An event may come without its order, in both ways that PHP writes nothing."""
    event = deliver({"event": "order.created", "data": data})

    assert isinstance(event, UnknownEvent)
    assert event.fault == "required field missing @ data.id"
    assert event.order is None


@pytest.mark.parametrize("name", ["order.refunded", "order.", "orders.created", "Order.created"])
@pytest.mark.parametrize("data", [ORDER, {"order": ORDER}, {"id": "x"}, {"order_id": 5}])
def test_the_data_of_an_unknown_order_event_are_kept(name: str, data: dict[str, Any]) -> None:
    """The meaning of its data is not known: they are kept, and are no fault."""
    event = deliver({"event": name, "data": data})

    assert event.order is None
    assert event.data == data


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


def test_an_unknown_event_about_a_subscription_has_its_snapshot() -> None:
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
def test_a_subscription_event_may_come_without_its_snapshot(data: object) -> None:
    """An event may come without its snapshot."""
    event = deliver({"event": "subscription.renewed", "data": data})

    assert isinstance(event, UnknownEvent)
    assert event.fault == "expected an object @ data.subscription"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b'{"event": "x", "event": "y", "data": {}}', "a key occurs twice"),
        (b'{"event": "x", "data": {"a": 1, "a": 2}}', "a key occurs twice"),
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


def test_a_fault_shows_nothing_of_the_body() -> None:
    """A delivery holds personal data, and a fault lands in logs."""
    event = deliver({"event": "subscription.paused", "data": {"subscription": {"id": "sara@o"}}})

    assert isinstance(event, UnknownEvent)
    assert event.fault is not None
    assert "sara" not in event.fault
