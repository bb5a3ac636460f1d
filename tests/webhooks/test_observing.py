"""An observer gets a record of each delivery that is answered, and of each handler that ran."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any, TypeAlias

import anyio
import attrs
import pytest

import rmz_sync.webhooks
from rmz_async import TaskLostError
from rmz_async.observing import Observer
from rmz_async.webhooks import Event, EventType, Receiver, sample, sign
from rmz_async.webhooks.inbox.sqlite import SQLiteInbox
from tests.observers import Broken, Notebook
from tests.webhooks.receiving import SECRET, deliver, deliver_events, unreliable
from tests.webhooks.storages import Time

pytestmark = pytest.mark.anyio

MakeReceiver: TypeAlias = Callable[..., Receiver]

OLD_SECRET = "old-S3CRETcanary-of-32-letters.."


@pytest.fixture
def notebook() -> Notebook:
    """An observer that keeps everything."""
    return Notebook()


@pytest.fixture
async def make_receiver(address: str, time: Time) -> AsyncIterator[MakeReceiver]:
    """Make receivers that are closed after the test."""
    async with AsyncExitStack() as stack:

        def make(observer: Observer, **options: Any) -> Receiver:
            given: dict[str, Any] = {"secrets": [SECRET, OLD_SECRET], "inbox": address, **options}
            receiver = Receiver(**given, observer=observer, max_attempts=2, _clock=time.clock())
            stack.push_async_callback(receiver.aclose)
            return receiver

        yield make


@pytest.fixture
def receiver(make_receiver: MakeReceiver, notebook: Notebook) -> Receiver:
    """A receiver that is observed."""
    return make_receiver(notebook)


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """Return the headers of a delivery."""
    return {"Signature": sign(body, secret)}


async def test_a_delivery_is_genuine_once_and_then_a_duplicate(
    receiver: Receiver, notebook: Notebook
) -> None:
    await deliver_events(receiver, "a", "a")

    seen = [(each.event, each.outcome, each.secret_index) for each in notebook.deliveries]
    assert seen == [("subscription.renewed", outcome, 0) for outcome in ("genuine", "duplicate")]


async def test_a_delivery_shows_which_secret_fitted(receiver: Receiver, notebook: Notebook) -> None:
    """A secret that nothing fits any more may go."""
    body = sample(EventType.ORDER_CREATED)
    await receiver.receive(body, signed(body, OLD_SECRET))

    assert [each.secret_index for each in notebook.deliveries] == [1]


async def test_a_delivery_of_a_stranger_is_refused(receiver: Receiver, notebook: Notebook) -> None:
    """Nothing in it is to be believed, the event's name neither."""
    body = sample(EventType.ORDER_CREATED)
    await receiver.receive(body, {"Signature": "0" * 64})

    (record,) = notebook.deliveries
    assert (record.event, record.outcome, record.secret_index) == (None, "refused", None)


@pytest.mark.parametrize(
    ("body", "event"),
    [
        (b"{", None),
        (b'{"event": "subscription.renewed", "data": {"subscription": 1}}', "subscription.renewed"),
    ],
)
async def test_a_signed_delivery_that_cannot_be_read_is_unreadable(
    receiver: Receiver, notebook: Notebook, body: bytes, event: str | None
) -> None:
    await deliver(receiver, body)

    assert [(each.event, each.outcome) for each in notebook.deliveries] == [(event, "unreadable")]


async def test_the_names_of_events_are_of_a_small_set(
    receiver: Receiver, notebook: Notebook
) -> None:
    """Each name would be a series of its own in a database of metrics."""
    receiver.on("*", name="any")(lambda event: None)
    for number in range(3):
        await deliver(receiver, json.dumps({"event": f"new.{number}", "data": {}}).encode())
    await receiver.drain()

    assert {each.event for each in notebook.deliveries} == {"other"}
    assert {each.event for each in notebook.handlers} == {"other"}
    assert {line for line in notebook.lines if "begins" in line} == {"handler other begins"}


async def test_a_delivery_that_cannot_be_stored_is_observed(
    make_receiver: MakeReceiver, address: str, time: Time, notebook: Notebook
) -> None:
    _, inbox = unreliable(address, time, "add")
    receiver = make_receiver(notebook, inbox=inbox)
    body = sample(EventType.ORDER_CREATED)

    assert (await deliver(receiver, body)).status == 503
    assert [(each.event, each.outcome) for each in notebook.deliveries] == [
        ("order.created", "not_stored")
    ]


async def test_secrets_that_cannot_be_used_are_observed(
    make_receiver: MakeReceiver, notebook: Notebook
) -> None:
    def no_secrets() -> list[str]:
        raise LookupError

    await make_receiver(notebook, secrets=no_secrets).receive(b"{}", None)

    assert [each.outcome for each in notebook.deliveries] == ["not_configured"]


async def test_the_seconds_to_answer_are_those_of_the_clock(
    make_receiver: MakeReceiver, notebook: Notebook, time: Time
) -> None:
    def slow_secrets() -> list[str]:
        time.move(0.5)
        return [SECRET]

    await deliver_events(make_receiver(notebook, secrets=slow_secrets), "a")

    assert [each.seconds for each in notebook.deliveries] == [0.5]


async def test_a_handler_is_observed_with_its_time_and_its_lag(
    receiver: Receiver, notebook: Notebook, time: Time
) -> None:
    """The lag is the time from the storing of the delivery to the beginning of the handler."""

    @receiver.on("*", name="handler")
    async def handler(event: Event) -> None:
        time.move(2)

    await deliver_events(receiver, "a")
    time.move(30)
    await receiver.drain()

    (record,) = notebook.handlers
    assert (record.event, record.handler, record.attempt) == ("subscription.renewed", "handler", 1)
    assert (record.outcome, record.seconds, record.lag) == ("ok", 2, 30)
    assert notebook.lines[1:] == [
        "handler subscription.renewed begins",
        "on_handler",
        "handler ends",
    ]


async def test_the_lag_has_the_wait_for_a_free_place(
    receiver: Receiver, notebook: Notebook, time: Time
) -> None:
    """Both tasks of the delivery are claimed together, and run one after another."""

    def slow(event: Event) -> None:
        time.move(5)

    receiver.on("*", name="first")(slow)
    receiver.on("*", name="second")(slow)
    await deliver_events(receiver, "a")
    await receiver.run_one(1)

    assert [each.lag for each in notebook.handlers] == [0, 5]


async def test_the_last_attempt_of_a_handler_that_fails_is_dead(
    receiver: Receiver, notebook: Notebook
) -> None:
    @receiver.on("*")
    def handler(event: Event) -> None:
        raise LookupError

    await deliver_events(receiver, "a")
    for _ in range(2):
        await receiver.run_one(1)

    assert [(each.attempt, each.outcome) for each in notebook.handlers] == [
        (1, "failed"),
        (2, "dead"),
    ]


async def test_a_handler_that_fails_after_its_commit_is_ok(
    receiver: Receiver, notebook: Notebook
) -> None:
    """Its effect has happened, and it does not run again."""

    @receiver.on("*")
    async def handler(event: Event) -> None:
        async with receiver.transaction(event):
            pass
        raise LookupError

    await deliver_events(receiver, "a")
    await receiver.drain()

    assert [each.outcome for each in notebook.handlers] == ["ok"]


async def test_a_handler_that_lost_its_task_is_lost(receiver: Receiver, notebook: Notebook) -> None:
    @receiver.on("*")
    def handler(event: Event) -> None:
        raise TaskLostError("another worker has the task")

    await deliver_events(receiver, "a")
    await receiver.drain()

    assert [each.outcome for each in notebook.handlers] == ["lost"]


async def test_a_handler_that_is_cut_off_is_cancelled(
    receiver: Receiver, notebook: Notebook
) -> None:
    with anyio.CancelScope() as scope:

        @receiver.on("*")
        async def handler(event: Event) -> None:
            scope.cancel()
            await anyio.sleep_forever()

        await deliver_events(receiver, "a")
        await receiver.drain()

    assert [each.outcome for each in notebook.handlers] == ["cancelled"]


async def test_the_lag_is_unknown_if_the_inbox_does_not_say_it(
    make_receiver: MakeReceiver, address: str, notebook: Notebook
) -> None:
    """An inbox of one's own may know no ages."""

    class Ageless(SQLiteInbox):
        def claim(self, *arguments: Any, **options: Any) -> Any:
            return [attrs.evolve(task, age=None) for task in super().claim(*arguments, **options)]

    receiver = make_receiver(notebook, inbox=Ageless(address.removeprefix("sqlite:///")))
    receiver.on("*", name="any")(lambda event: None)
    await deliver_events(receiver, "a")
    await receiver.drain()

    assert [each.lag for each in notebook.handlers] == [None]


async def test_an_observer_that_fails_costs_one_line_of_the_log(
    make_receiver: MakeReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    """The delivery is stored, and its handler succeeds."""
    receiver = make_receiver(Broken())
    receiver.on("*", name="any")(lambda event: None)

    with caplog.at_level(logging.WARNING, "rmz_async"):
        await deliver_events(receiver, "a", "b")
        await receiver.drain()

    assert (await receiver.stats()).done == 2
    (line,) = caplog.messages
    assert line.endswith("ValueError")


async def test_an_observer_that_takes_no_deliveries_changes_nothing(
    make_receiver: MakeReceiver,
) -> None:
    receiver = make_receiver(Observer())
    receiver.on("*", name="any")(lambda event: None)
    await deliver_events(receiver, "a")

    assert await receiver.drain() == 1


def test_a_blocking_receiver_is_observed(address: str, notebook: Notebook) -> None:
    receiver = rmz_sync.webhooks.Receiver(secrets=[SECRET], inbox=address, observer=notebook)
    receiver.on("*", name="any")(lambda event: None)
    body = sample(EventType.SUBSCRIPTION_RENEWED)
    receiver.receive(body, signed(body))
    receiver.drain()
    receiver.close()

    assert [each.outcome for each in notebook.deliveries] == ["genuine"]
    assert [each.outcome for each in notebook.handlers] == ["ok"]
