"""Each handler gets the events that it asks for, in its own order and with its own attempts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import pytest

from rmz_async import ConfigurationError
from rmz_async.webhooks import (
    Event,
    EventType,
    OrderEvent,
    Receiver,
    Stats,
    SubscriptionPaused,
    UnknownEvent,
    sample,
)
from rmz_async.webhooks._backoff import default_backoff
from tests.webhooks.receiving import SECRET, deliver, deliver_events
from tests.webhooks.storages import Time

pytestmark = pytest.mark.anyio


async def test_each_handler_gets_the_events_that_it_wants(receiver: Receiver) -> None:
    """By pattern, type or class; plain functions run in a thread."""
    got: list[tuple[str, str]] = []

    @receiver.on("subscription.*")
    def by_pattern(event: Event) -> None:
        got.append(("pattern", event.event))

    @receiver.on(EventType.SUBSCRIPTION_PAUSED, EventType.ORDER_CREATED)
    def by_type(event: Event) -> None:
        got.append(("type", event.event))

    @receiver.on(OrderEvent, SubscriptionPaused)
    def by_class(event: Event) -> None:
        got.append(("class", event.event))

    for kind in (EventType.SUBSCRIPTION_PAUSED, EventType.ORDER_CREATED):
        await deliver(receiver, sample(kind))
    await receiver.drain()

    assert sorted(got) == [
        ("class", "order.created"),
        ("class", "subscription.paused"),
        ("pattern", "subscription.paused"),
        ("type", "order.created"),
        ("type", "subscription.paused"),
    ]


async def test_an_object_with_an_async_call_is_a_handler(receiver: Receiver) -> None:
    """A class may hold what its handler needs."""
    got: list[str] = []

    class Handler:
        async def __call__(self, event: Event) -> None:
            got.append(event.event)

    receiver.on("*")(Handler())
    await deliver(receiver, sample(EventType.ORDER_CREATED))
    await receiver.drain()

    assert got == ["order.created"]


async def later(event: Event) -> None:
    """A function that is called, and not awaited."""
    raise AssertionError


def each(event: Event) -> Generator[Event]:
    """A generator that is made, and not run."""
    yield event
    raise AssertionError


async def each_later(event: Event) -> AsyncGenerator[Event]:
    """An async generator that is made, and not run."""
    yield event
    raise AssertionError


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("called", [later, each, each_later])
async def test_a_handler_that_returns_code_which_has_not_run_fails(
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
    called: Callable[[Event], object],
    is_async: bool,
) -> None:
    """Its work would silently be left undone."""

    def plain(event: Event) -> object:
        return called(event)

    async def forgets_to_await(event: Event) -> object:
        return called(event)

    receiver.on("*", max_attempts=1)(forgets_to_await if is_async else plain)
    await deliver(receiver, sample(EventType.ORDER_CREATED))
    await receiver.drain()

    assert "which did not run" in caplog.text
    assert (await receiver.stats()).dead == 1


@pytest.mark.parametrize("called", [each, each_later])
async def test_an_object_whose_call_yields_is_refused(
    receiver: Receiver, called: Callable[[Event], object]
) -> None:
    class Handler:
        __call__ = staticmethod(called)

    with pytest.raises(ConfigurationError, match="does not yield"):
        receiver.on("*")(Handler())


async def test_a_handler_that_fails_stops_no_other_and_is_attempted_again(
    receiver: Receiver, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    """Each attempt waits longer, and the last error stays in the inbox."""
    attempts: list[float] = []
    began = time.now

    @receiver.on("*")
    def fails(event: Event) -> None:
        attempts.append((time.now - began).total_seconds())
        raise ValueError("no\nway")

    got: list[Event] = []
    receiver.on("*")(got.append)
    await deliver(receiver, sample(EventType.ORDER_CREATED))
    for _ in range(30):
        await receiver.drain()
        time.move(1)

    assert attempts == [0.0, 5.0, 25.0]
    assert len(got) == 1
    assert await receiver.stats() == Stats(deliveries=1, done=1, dead=1)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "ERROR"]
    assert caplog.messages[-1].endswith("(attempt 3 of 3): ValueError: no\\nway")


async def test_a_fallback_gets_the_events_that_no_other_handler_wants(receiver: Receiver) -> None:
    """An event of a new type is among them."""
    got: list[tuple[str, str]] = []

    @receiver.on("subscription.*")
    async def changed(event: Event) -> None:
        got.append(("changed", event.event))

    @receiver.fallback
    async def rest(event: Event) -> None:
        got.append(("rest", event.event))

    await deliver(receiver, sample(EventType.SUBSCRIPTION_PAUSED))
    await deliver(receiver, sample(EventType.ORDER_CREATED))
    await deliver(receiver, b'{"event":"shop.closed","data":{}}')
    await receiver.drain()

    assert got == [
        ("changed", "subscription.paused"),
        ("rest", "order.created"),
        ("rest", "shop.closed"),
    ]


async def test_a_pattern_matches_no_event_that_cannot_be_read(receiver: Receiver) -> None:
    """A handler of subscriptions counts on a subscription; the event waits for a person."""
    receiver.on("subscription.*")(print)
    receiver.fallback(repr)
    await deliver(receiver, b'{"event":"subscription.renewed","event_id":"a","data":{}}')

    assert await receiver.drain() == 0
    (entry,) = receiver.inbox.entries()
    assert entry.name == "subscription.renewed"
    assert entry.fault is not None
    assert "expected an object" in entry.fault
    assert await receiver.replay(entry.inbox_id) == ()


async def test_a_new_type_without_a_subscription_is_for_no_handler_of_subscriptions(
    receiver: Receiver,
) -> None:
    receiver.on("subscription.*")(print)
    await deliver(receiver, b'{"event":"subscription.frozen","data":{}}')
    await deliver(
        receiver,
        b'{"event":"subscription.frozen","data":{"subscription":{"id":5,"status":"frozen"}}}',
    )

    assert [len(entry.tasks) for entry in receiver.inbox.entries()] == [1, 0]


@pytest.mark.parametrize("wanted", ["*", UnknownEvent, Event])
async def test_who_asks_for_everything_gets_what_cannot_be_read(
    receiver: Receiver, wanted: Any
) -> None:
    got: list[Event] = []
    receiver.on(wanted)(got.append)
    await deliver(receiver, b'{"event":"subscription.renewed","data":{}}')
    await receiver.drain()

    assert [type(event) for event in got] == [UnknownEvent]
    assert (await receiver.stats()).unreadable == 0


@pytest.mark.parametrize(("option", "expected"), [("ordered", "abc"), ("coalesce", "c")])
async def test_events_of_one_subscription_run_in_order_or_as_one(
    receiver: Receiver, option: str, expected: str
) -> None:
    got: list[str] = []
    receiver.on("*", **{option: True})(lambda event: got.append(event.dedupe_key))  # type: ignore[arg-type] # mypy takes it for any option
    await deliver_events(receiver, *"abc")
    await deliver_events(receiver, "x", subscription=502)
    await receiver.drain()

    assert "".join(key for key in got if key != "x") == expected
    assert "x" in got


async def test_a_handler_has_attempts_and_waits_of_its_own(receiver: Receiver, time: Time) -> None:
    """Each attempt counts from 1."""
    waits: list[int] = []

    def backoff(attempt: int) -> float:
        waits.append(attempt)
        return 1.0

    receiver.on("*", max_attempts=2, backoff=backoff, name="mine")(lambda event: 1 / 0)
    await deliver_events(receiver, "a")
    await receiver.drain()
    time.move(1)
    await receiver.drain()

    assert waits == [1, 2]
    (entry,) = receiver.inbox.entries()
    (task,) = entry.tasks
    assert (task.handler, task.state, task.attempts) == ("mine", "dead", 2)


def test_the_usual_wait_grows_to_an_hour() -> None:
    """However many attempts there are."""
    waits = [default_backoff(attempt) for attempt in (1, 2, 3, 100)]

    assert waits == sorted(waits)
    assert (waits[0], waits[1] / waits[0], waits[-1]) == (5.0, 4.0, 3600.0)


async def test_part_of_a_wait_is_left_to_chance(address: str, time: Time) -> None:
    """Those that failed together do not all come back together; never earlier than half."""
    clock = time.clock(draw=lambda: 0.0)
    receiver = Receiver(secrets=[SECRET], inbox=address, _clock=clock)
    receiver.on("*")(lambda event: 1 / 0)
    await deliver_events(receiver, "a")
    await receiver.drain()

    (entry,) = receiver.inbox.entries()
    assert entry.tasks[0].due_in == 2.5
    await receiver.aclose()
