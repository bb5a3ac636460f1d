"""The kit with which users test their own handlers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import rmz_sync.webhooks
import rmz_sync.webhooks.testing
from rmz_async import ConfigurationError, Event
from rmz_async.webhooks import EventType, Receiver, sample
from rmz_async.webhooks.testing import InboxDouble, deliver
from tests.webhooks.receiving import SECRET, deliver_events

pytestmark = pytest.mark.anyio

EVENTS = [sample(EventType.SUBSCRIPTION_RENEWED, event_id=f"e-{number}") for number in range(20)]
POINTS = ["stored", "claimed", "effect"]


@pytest.fixture
def double() -> Iterator[InboxDouble]:
    """An inbox that can die."""
    inbox = InboxDouble()
    yield inbox
    inbox.close()


@pytest.mark.parametrize("seed", [None, 1, 7])
async def test_duplicates_and_another_order_change_nothing(
    double: InboxDouble, seed: int | None
) -> None:
    """A tenth of twenty events comes twice, whatever the seed."""
    receiver = Receiver(secrets=[SECRET], inbox=double)
    effects: list[str] = []

    @receiver.on("subscription.*")
    def handle(event: Event) -> None:
        effects.append(event.dedupe_key)

    delivered = await deliver(receiver, EVENTS, secret=SECRET, duplicates=0.1, shuffle=seed)

    delivered.assert_once(effects)
    assert (delivered.events, delivered.deliveries) == (20, 22)
    assert (effects == [f"e-{number}" for number in range(20)]) is (seed is None)


@pytest.mark.parametrize("point", ["stored", "claimed"])
async def test_a_process_that_dies_before_the_effect_does_no_harm(
    double: InboxDouble, point: str
) -> None:
    """Another one takes over, and RMZ delivers again what it had no answer for."""
    receiver = Receiver(secrets=[SECRET], inbox=double)
    effects: list[str] = []
    receiver.on("*")(lambda event: effects.append(event.dedupe_key))

    delivered = await deliver(receiver, EVENTS, secret=SECRET, kill_after=point)  # type: ignore[arg-type] # one of them

    delivered.assert_once(effects)
    assert delivered.deliveries == (21 if point == "stored" else 20)
    assert delivered.kill_after == point


async def test_an_effect_outside_of_the_transaction_happens_twice(double: InboxDouble) -> None:
    """The kit shows it, and says what to do."""
    receiver = Receiver(secrets=[SECRET], inbox=double)
    effects: list[str] = []
    receiver.on("*")(lambda event: effects.append(event.dedupe_key))

    delivered = await deliver(receiver, EVENTS, secret=SECRET, shuffle=3, kill_after="effect")

    with pytest.raises(AssertionError, match=r"happened 2 times in deliver\(shuffle=3, kill_after"):
        delivered.assert_once(effects)


async def test_an_effect_in_the_transaction_happens_once(double: InboxDouble) -> None:
    """The effect is committed with the mark that the handler is done."""
    receiver = Receiver(secrets=[SECRET], inbox=double)

    @receiver.on("*")
    async def handle(event: Event) -> None:
        async with receiver.transaction(event) as connection:
            connection.execute("create table if not exists effects (key text)")
            connection.execute("insert into effects values (?)", [event.dedupe_key])

    delivered = await deliver(receiver, EVENTS, secret=SECRET, duplicates=0.5, kill_after="effect")

    rows: list[str] = []

    @receiver.on(EventType.ORDER_CREATED)
    async def look(event: Event) -> None:
        async with receiver.transaction(event) as connection:
            rows.extend(key for (key,) in connection.execute("select key from effects"))

    await deliver(receiver, [EventType.ORDER_CREATED], secret=SECRET)
    delivered.assert_once(row for row in rows if row.startswith("e-"))


async def test_an_effect_that_is_missing_is_named(double: InboxDouble) -> None:
    """A handler that fails in each of its attempts has no effect."""
    receiver = Receiver(secrets=[SECRET], inbox=double)

    @receiver.on("*")
    def fail(event: Event) -> None:
        raise RuntimeError(event.event)

    delivered = await deliver(receiver, [EventType.SUBSCRIPTION_PAUSED], secret=SECRET)

    with pytest.raises(AssertionError, match="1 events were delivered, and 0 had an effect"):
        delivered.assert_once([])


async def test_a_handler_that_fails_once_is_attempted_again_without_waiting(
    double: InboxDouble,
) -> None:
    receiver = Receiver(secrets=[SECRET], inbox=double)
    effects: list[str] = []

    @receiver.on("*")
    def fail_once(event: Event) -> None:
        effects.append(event.dedupe_key)
        if len(effects) == 1:
            effects.clear()
            effects.append("failed")
            raise RuntimeError

    delivered = await deliver(receiver, EVENTS, secret=SECRET)

    delivered.assert_once(effects[1:])


async def test_two_bodies_of_one_event_are_one_event(double: InboxDouble) -> None:
    """Each webhook has its own, which says how many seconds ago the customer ordered."""
    receiver = Receiver(secrets=[SECRET], inbox=double)
    effects: list[str] = []
    receiver.on("*")(lambda event: effects.append(event.dedupe_key))
    bodies = [sample(EventType.ORDER_CREATED, human=text) for text in ("now", "a second ago")]

    delivered = await deliver(receiver, [*bodies, b"no event"], secret=SECRET)

    assert (delivered.events, len(effects)) == (2, 1)
    (await deliver(receiver, bodies, secret=SECRET)).assert_once(effects)


async def test_an_inbox_that_cannot_die_is_good_for_duplicates(tmp_path: Path) -> None:
    receiver = Receiver(secrets=[SECRET], inbox=f"sqlite:///{tmp_path}/inbox.db")
    effects: list[str] = []
    receiver.on("*")(lambda event: effects.append(event.dedupe_key))
    delivered = await deliver(receiver, EVENTS[:2], secret=SECRET, duplicates=0.5)
    await receiver.aclose()

    delivered.assert_once(effects)


async def test_a_secret_that_the_receiver_does_not_have_fails_the_test(
    double: InboxDouble,
) -> None:
    """Otherwise the handlers would seem to be at fault."""
    receiver = Receiver(secrets=[SECRET], inbox=double)

    with pytest.raises(AssertionError, match="answered 401: the signature does not match"):
        await deliver(receiver, EVENTS, secret=SECRET[::-1])


async def test_no_process_dies_after_the_deliveries(double: InboxDouble) -> None:
    """No handler ran, and so none had claimed an event."""
    receiver = Receiver(secrets=[SECRET], inbox=double)
    await deliver(receiver, EVENTS, secret=SECRET, kill_after="claimed")
    effects: list[str] = []
    receiver.on("*")(lambda event: effects.append(event.dedupe_key))
    await deliver_events(receiver, "later")
    await receiver.drain()

    assert effects == ["later"]


async def test_a_receiver_that_cannot_store_fails_the_test(
    double: InboxDouble, tmp_path: Path
) -> None:
    """So does a wish that the kit cannot fulfil."""
    receiver = Receiver(secrets=[SECRET], inbox=f"sqlite:///{tmp_path}/no/inbox.db")
    with pytest.raises(AssertionError, match="the receiver answered 503"):
        await deliver(receiver, EVENTS, secret=SECRET)
    with pytest.raises(ConfigurationError, match="needs an inbox that can die"):
        await deliver(receiver, EVENTS, secret=SECRET, kill_after="claimed")
    other = Receiver(secrets=[SECRET], inbox=double)
    with pytest.raises(ConfigurationError, match="stored, claimed or effect"):
        await deliver(other, EVENTS, secret=SECRET, kill_after="never")  # type: ignore[arg-type] # the point
    with pytest.raises(ConfigurationError, match="duplicates"):
        await deliver(other, EVENTS, secret=SECRET, duplicates=2)


@pytest.mark.parametrize("point", POINTS)
def test_code_that_cannot_await_has_the_same_kit(double: InboxDouble, point: str) -> None:
    """Only ``deliver`` differs."""
    receiver = rmz_sync.webhooks.Receiver(secrets=[SECRET], inbox=double)
    effects: list[str] = []
    receiver.on("*")(lambda event: effects.append(event.dedupe_key))

    delivered = rmz_sync.webhooks.testing.deliver(
        receiver,
        EVENTS,
        secret=SECRET,
        kill_after=point,  # type: ignore[arg-type] # one of them
    )

    if point == "effect":
        with pytest.raises(AssertionError, match="happened 2 times"):
            delivered.assert_once(effects)
    else:
        delivered.assert_once(effects)
