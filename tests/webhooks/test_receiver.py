"""From the bytes of a delivery to a handler that has run once."""

from __future__ import annotations

import json
import sqlite3
import traceback
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import anyio.lowlevel
import pytest

from rmz_async import ConfigurationError
from rmz_async.webhooks import (
    Event,
    EventType,
    OrderEvent,
    SubscriptionPaused,
    SubscriptionRenewed,
    sample,
    sign,
)
from rmz_async.webhooks import (
    receiver as receiver_module,
)
from rmz_async.webhooks.inbox.interface import Stats
from rmz_async.webhooks.receiver import Ack, Receiver
from tests.webhooks.storages import Time

pytestmark = pytest.mark.anyio

SECRET = "S3CRETcanary-of-28-letters.."


@pytest.fixture
def time() -> Time:
    """Time that stands still."""
    return Time()


@pytest.fixture
async def receiver(tmp_path: Path, time: Time) -> AsyncIterator[Receiver]:
    """A receiver with an inbox of its own and three attempts."""
    address = f"sqlite:///{tmp_path / 'inbox.db'}"
    found = Receiver(secrets=[SECRET], inbox=address, max_attempts=3, _clock=time.clock())
    yield found
    await found.aclose()


async def deliver(receiver: Receiver, body: bytes) -> Ack:
    """Deliver a body that RMZ has signed."""
    return await receiver.receive(body, {"Signature": sign(body, SECRET)})


async def test_a_handler_runs_after_the_answer(receiver: Receiver) -> None:
    """The answer says that the event is stored; the handler gets the typed event."""
    got: list[Event] = []

    @receiver.on(SubscriptionRenewed)
    async def renewed(event: SubscriptionRenewed) -> None:
        await anyio.lowlevel.checkpoint()
        got.append(event)

    assert await deliver(receiver, sample(EventType.SUBSCRIPTION_RENEWED)) == Ack(200, "stored")
    assert got == []
    assert await receiver.drain() == 1
    assert [type(event) for event in got] == [SubscriptionRenewed]
    assert got[0].secret_index == 0


async def test_a_delivery_that_comes_again_runs_no_handler_again(receiver: Receiver) -> None:
    """The repeated delivery is answered like the first."""
    got: list[str] = []
    receiver.on("*")(lambda event: got.append(event.dedupe_key))
    body = sample(EventType.SUBSCRIPTION_RENEWED, event_id="e-1")
    for _ in range(3):
        assert (await deliver(receiver, body)).status == 200
        await receiver.drain()

    assert got == ["e-1"]


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


async def test_a_plain_handler_that_returns_a_coroutine_fails(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Its work would silently be left undone."""

    async def later(event: Event) -> None:
        raise AssertionError

    def plain(event: Event) -> Any:
        return later(event)

    receiver.on("*")(plain)
    await deliver(receiver, sample(EventType.ORDER_CREATED))
    await receiver.drain()

    assert "make it an async function" in caplog.text


async def test_an_event_that_nobody_wants_is_answered_with_success(receiver: Receiver) -> None:
    """RMZ switches a webhook off that refuses too often."""
    assert (await deliver(receiver, sample(EventType.ORDER_CREATED))).status == 200
    assert await receiver.drain() == 0


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


async def test_a_handler_that_hangs_fails(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease would end, and another worker would run it as well."""
    monkeypatch.setattr(receiver_module, "HANDLER_TIMEOUT", 0.0)

    @receiver.on("*")
    async def hangs(event: Event) -> None:
        await anyio.sleep_forever()

    await deliver(receiver, sample(EventType.ORDER_CREATED))
    assert await receiver.drain() == 1
    assert (await receiver.stats()).waiting == 1


async def test_a_worker_runs_what_comes(receiver: Receiver) -> None:
    """A delivery wakes it."""
    got = anyio.Event()

    @receiver.on("*")
    async def handler(event: Event) -> None:
        got.set()

    with anyio.fail_after(10):
        async with receiver.working():
            await deliver(receiver, sample(EventType.ORDER_CREATED))
            await got.wait()


async def test_a_worker_looks_again_for_what_others_have_stored(
    receiver: Receiver, time: Time, tmp_path: Path
) -> None:
    """Another process cannot wake it."""
    got = anyio.Event()

    def handler(event: Event) -> None:
        anyio.from_thread.run_sync(got.set)

    receiver.on("*")(handler)
    other = Receiver(
        secrets=[SECRET], inbox=f"sqlite:///{tmp_path / 'inbox.db'}", _clock=time.clock()
    )
    other.on("*")(handler)
    with anyio.fail_after(10):
        async with receiver.working():
            while not time.slept:
                await anyio.lowlevel.checkpoint()
            await deliver(other, sample(EventType.ORDER_CREATED))
            await got.wait()
    await other.aclose()


async def test_a_handler_that_is_stopped_is_free_immediately(receiver: Receiver) -> None:
    """A redeployment does not wait for the lease."""
    began = anyio.Event()
    runs: list[str] = []

    @receiver.on("*")
    async def handler(event: Event) -> None:
        runs.append(event.event)
        began.set()
        if len(runs) == 1:
            await anyio.sleep_forever()

    await deliver(receiver, sample(EventType.ORDER_CREATED))
    with anyio.fail_after(10):
        async with receiver.working():
            await began.wait()
    assert await receiver.drain() == 1
    assert await receiver.stats() == Stats(deliveries=1, done=1)


async def test_a_worker_outlives_an_inbox_that_cannot_be_read(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk today is no reason to stop for ever."""
    got = anyio.Event()

    @receiver.on("*")
    async def handler(event: Event) -> None:
        got.set()

    claim = receiver._inbox.claim
    broken = iter([True])

    def sometimes(*arguments: Any, **options: Any) -> Any:
        if next(broken, False):
            raise sqlite3.OperationalError("disk I/O error")
        return claim(*arguments, **options)

    monkeypatch.setattr(receiver._inbox, "claim", sometimes)
    with anyio.fail_after(10):
        async with receiver.working():
            await deliver(receiver, sample(EventType.ORDER_CREATED))
            await got.wait()
    assert "the inbox cannot be read: disk I/O error" in caplog.messages


@pytest.mark.parametrize("headers", [None, {}, {"Signature": "0" * 64}])
async def test_a_delivery_that_rmz_did_not_sign_is_refused(
    receiver: Receiver, headers: Any
) -> None:
    """Nothing of it is stored."""
    receiver.on("*")(print)

    assert await receiver.receive(sample(EventType.ORDER_CREATED), headers) == Ack(
        401, "the signature does not match"
    )
    assert await receiver.drain() == 0


async def test_a_signed_body_that_names_no_event_waits_in_the_inbox(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """No handler can read it, and a retry would be the same."""
    receiver.on("*")(print)
    body = json.dumps(["x"]).encode()

    assert (await deliver(receiver, body)).status == 200
    assert (await deliver(receiver, body)).status == 200
    assert await receiver.drain() == 0
    assert "a signed delivery waits in the inbox: the delivery is not an event" in caplog.text


async def test_a_delivery_that_cannot_be_stored_is_retried_by_rmz(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer is no success, and no traceback either."""
    broken = Receiver(secrets=[SECRET], inbox=f"sqlite:///{tmp_path / 'no' / 'such' / 'folder'}")

    assert await deliver(broken, sample(EventType.ORDER_CREATED)) == Ack(503, "not stored")
    assert "a delivery was not stored: unable to open database file" in caplog.messages


async def test_unsigned_deliveries_are_taken_on_request(tmp_path: Path) -> None:
    """As verify does."""
    open_to_all = Receiver(
        secrets=[SECRET], inbox=f"sqlite:///{tmp_path / 'inbox.db'}", allow_unsigned=True
    )

    assert (await open_to_all.receive(sample(EventType.ORDER_CREATED), {})).status == 200
    await open_to_all.aclose()


async def test_secrets_may_be_asked_for_with_each_delivery(tmp_path: Path) -> None:
    """A callable is asked each time, and not before."""
    current = ["another-secret-of-28-letters"]
    receiver = Receiver(secrets=lambda: current, inbox=f"sqlite:///{tmp_path / 'inbox.db'}")

    assert (await deliver(receiver, sample(EventType.ORDER_CREATED))).status == 401
    current[0] = SECRET
    assert (await deliver(receiver, sample(EventType.ORDER_CREATED))).status == 200
    await receiver.aclose()


@pytest.mark.parametrize("inbox", ["", "inbox.db", "sqlite:///", "mysql://localhost/x"])
def test_an_inbox_that_is_no_file_is_refused(inbox: str) -> None:
    """Only SQLite is known."""
    with pytest.raises(ConfigurationError, match=r"^inbox: "):
        Receiver(secrets=[SECRET], inbox=inbox)


@pytest.mark.parametrize(
    ("options", "rule"),
    [({"max_attempts": 0}, "^max_attempts: "), ({"secrets": [f"{SECRET} "]}, r"^secrets\[0\]: ")],
)
def test_wrong_options_are_refused_at_once(options: dict[str, Any], rule: str) -> None:
    """The first delivery would be too late; and no traceback shows a secret."""
    arguments: dict[str, Any] = {"secrets": [SECRET], "inbox": "sqlite:///x.db", **options}
    hidden = {"arguments": arguments}
    with pytest.raises(ConfigurationError, match=rule) as caught:
        Receiver(**hidden["arguments"])

    ours = caught.value.__traceback__
    assert ours is not None
    summary = traceback.StackSummary.extract(traceback.walk_tb(ours.tb_next), capture_locals=True)
    assert "S3CRET" not in repr([frame.locals for frame in summary])


def test_wrong_handlers_are_refused(tmp_path: Path) -> None:
    """The name of a handler stands in the inbox, and so must be its own."""
    receiver = Receiver(secrets=[SECRET], inbox=f"sqlite:///{tmp_path / 'inbox.db'}")
    receiver.on("*")(print)

    with pytest.raises(ConfigurationError, match=r"two handlers called builtins\.print"):
        receiver.on("order.*")(print)
    with pytest.raises(ConfigurationError, match="name an event"):
        receiver.on()
    assert repr(receiver).endswith("handlers=1)")
    assert "S3CRET" not in repr(receiver)
