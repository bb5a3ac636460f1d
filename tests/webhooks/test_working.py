"""The background of a receiver: what it runs, when it looks, how it ends."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest

from rmz_async.webhooks import Event, Receiver, Stats
from rmz_async.webhooks.inbox.records import EntryTask
from tests.webhooks.receiving import SECRET, deliver_events, unreliable
from tests.webhooks.storages import Time

pytestmark = pytest.mark.anyio

HOUR = 3600.0
WEEK = 7 * 24 * HOUR


async def until(condition: Callable[[], Any]) -> None:
    """Let the other tasks run until a condition holds."""
    while not condition():  # noqa: ASYNC110 - the tasks under test have no event for it
        await anyio.sleep(0.001)


async def until_done(receiver: Receiver, count: int) -> None:
    """Wait until so many tasks are done."""
    while (await receiver.stats()).done < count:  # noqa: ASYNC110 - the database has no event
        await anyio.sleep(0.001)


async def until_asleep(time: Time, since: int = 0) -> None:
    """Wait until all that the background does in turn has begun to sleep.

    The look at the inbox, the renewal of leases and the forgetting do. The next `Time.move` wakes
    them. *since* is how many had slept before the background began.
    """
    await until(lambda: time.slept >= since + 3)


def first_task(receiver: Receiver) -> EntryTask:
    """Return the first delivery's task, as people see it."""
    entry = receiver.inbox.entry(1)
    assert entry is not None
    return entry.tasks[0]


class Blocking:
    """A handler that waits until the test lets it end."""

    def __init__(self, receiver: Receiver) -> None:
        self.seen: list[str] = []
        self.began = anyio.Event()
        self.end = anyio.Event()
        receiver.on("*", name="blocking")(self.handle)

    async def handle(self, event: Event) -> None:
        """Wait."""
        self.seen.append(event.dedupe_key)
        self.began.set()
        await self.end.wait()


async def test_a_delivery_wakes_the_background(receiver: Receiver) -> None:
    """No time needs to pass."""
    handler = Blocking(receiver)
    handler.end.set()
    async with receiver.working(grace=600):
        await deliver_events(receiver, "a")
        await until_done(receiver, 1)
    assert handler.seen == ["a"]


async def test_the_background_finds_what_another_process_has_stored(
    receiver: Receiver, time: Time, address: str
) -> None:
    """SQLite cannot wake it."""
    other = Receiver(secrets=[SECRET], inbox=address, _clock=time.clock())
    Blocking(other)
    handler = Blocking(receiver)
    async with receiver.working(grace=600):
        await until_asleep(time)
        await deliver_events(other, "a")
        time.move(1)
        await until(lambda: handler.seen)
        handler.end.set()
    await other.aclose()


async def test_an_inbox_that_listens_wakes_the_background(address: str, time: Time) -> None:
    """From any thread, until the block ends; later it does no harm."""
    receiver, inbox = unreliable(address, time)
    other, _ = unreliable(address, time)
    Blocking(other)
    handler = Blocking(receiver)
    async with receiver.working(grace=600):
        await until(lambda: inbox.wakes)
        await deliver_events(other, "a")
        await anyio.to_thread.run_sync(inbox.wakes[0])
        await handler.began.wait()
        handler.end.set()
        stopped = [inbox.has_stopped]
    assert [*stopped, inbox.has_stopped] == [False, True]
    await anyio.to_thread.run_sync(inbox.wakes[0])
    await receiver.aclose()
    await other.aclose()


async def test_an_event_loop_that_has_ended_is_not_woken(
    address: str, time: Time, anyio_backend: str
) -> None:
    """A database may call a moment too late."""
    receiver, inbox = unreliable(address, time)

    async def work() -> None:
        async with receiver.working(grace=600):
            await until(lambda: inbox.wakes)

    def run() -> None:
        anyio.run(work, backend=anyio_backend)
        inbox.wakes[0]()

    await anyio.to_thread.run_sync(run)
    await receiver.aclose()


async def test_a_delivery_wakes_a_background_in_another_event_loop(
    receiver: Receiver, time: Time, anyio_backend: str
) -> None:
    """The event of a loop must not be set from another thread."""
    handler = Blocking(receiver)
    handler.end.set()

    def store() -> None:
        async def main() -> None:
            await deliver_events(receiver, "a")

        anyio.run(main, backend=anyio_backend)

    async with receiver.working(grace=600):
        await until_asleep(time)
        await anyio.to_thread.run_sync(store)
        await until(lambda: handler.seen)
    assert handler.seen == ["a"]


async def test_handlers_run_at_the_same_time_up_to_a_limit(receiver: Receiver) -> None:
    """Those that are claimed meanwhile begin as soon as there is room."""
    handler = Blocking(receiver)
    await deliver_events(receiver, "a", "b", "c", "d", "e")
    async with receiver.working(concurrency=2):
        await until(lambda: len(handler.seen) == 2)
        await receiver.stats()
        assert set(handler.seen) == {"a", "b"}
        handler.end.set()
        await until_done(receiver, 5)


async def test_a_handler_that_hangs_fails(address: str, time: Time) -> None:
    """The task would keep its place without end."""
    receiver = Receiver(secrets=[SECRET], inbox=address, handler_timeout=0.0, _clock=time.clock())
    Blocking(receiver)
    await deliver_events(receiver, "a")

    assert await receiver.drain() == 1
    assert first_task(receiver).error == "TimeoutError: "
    await receiver.aclose()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_handler_that_raises_a_cancellation_of_its_own_fails(receiver: Receiver) -> None:
    """The background was not cancelled, and goes on. Trio does not let a handler raise it."""

    @receiver.on("*")
    async def handler(event: Event) -> None:
        raise asyncio.CancelledError

    await deliver_events(receiver, "a")
    assert await receiver.drain() == 1
    assert first_task(receiver).error == "CancelledError: "


async def test_a_handler_that_runs_for_long_keeps_its_lease(
    receiver: Receiver, time: Time, address: str
) -> None:
    """No other worker takes its event."""
    handler = Blocking(receiver)
    other = Receiver(secrets=[SECRET], inbox=address, _clock=time.clock())
    Blocking(other)
    async with receiver.working(grace=600):
        await deliver_events(receiver, "a")
        await handler.began.wait()
        await until_asleep(time)
        for _ in range(8):
            # The renewal, and the look at the inbox, come round again.
            both = time.slept + 2
            time.move(10)
            await until(partial(time.has_slept, both))
        assert await other.drain() == 0
        handler.end.set()
    assert (await receiver.stats()).done == 1
    await other.aclose()


async def test_leases_that_cannot_be_renewed_are_reported(
    address: str, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    """The handler goes on: the next renewal may succeed."""
    receiver, _ = unreliable(address, time, "renew")
    handler = Blocking(receiver)
    async with receiver.working(grace=600):
        await deliver_events(receiver, "a")
        await handler.began.wait()
        await until_asleep(time)
        time.move(10)
        await until(lambda: "leases were not renewed: disk I/O error" in caplog.messages)
        handler.end.set()
    assert (await receiver.stats()).done == 1
    await receiver.aclose()


async def test_the_end_of_the_block_waits_for_the_handlers_that_run(receiver: Receiver) -> None:
    """A redeployment repeats no effect without need."""
    handler = Blocking(receiver)

    async def end_later() -> None:
        await until(lambda: handler.began.is_set())
        handler.end.set()

    async with anyio.create_task_group() as group, receiver.working(grace=60):
        await deliver_events(receiver, "a")
        await handler.began.wait()
        group.start_soon(end_later)
    assert (await receiver.stats()).done == 1


async def test_a_delivery_that_comes_while_all_handlers_are_busy_waits_for_one(
    receiver: Receiver,
) -> None:
    """The worker is woken, and takes no more than it may."""
    handler = Blocking(receiver)
    async with receiver.working(concurrency=1):
        await deliver_events(receiver, "a")
        await handler.began.wait()
        await deliver_events(receiver, "b")
        await anyio.wait_all_tasks_blocked()
        assert len(handler.seen) == 1
        handler.end.set()
    await receiver.drain()

    assert (await receiver.stats()).done == 2


async def test_a_handler_that_is_cut_off_is_free_immediately(receiver: Receiver) -> None:
    """A redeployment does not wait for the lease, and the attempt does not count."""
    handler = Blocking(receiver)
    await deliver_events(receiver, "a", "b")
    async with receiver.working(concurrency=1, grace=0.0):
        await handler.began.wait()
    handler.end.set()

    assert await receiver.drain() == 2
    assert await receiver.stats() == Stats(deliveries=2, done=2)
    assert first_task(receiver).attempts == 1


@pytest.mark.parametrize("is_down", [False, True])
async def test_tasks_that_were_claimed_and_not_begun_are_given_back(
    address: str, time: Time, caplog: pytest.LogCaptureFixture, is_down: bool
) -> None:
    """Another process takes them immediately, or when their lease ends."""
    receiver, inbox = unreliable(address, time)
    other, _ = unreliable(address, time)
    Blocking(other)
    handler = Blocking(receiver)
    await deliver_events(receiver, "a")
    async with receiver.working(concurrency=2, grace=0.0):
        await handler.began.wait()
        await until_asleep(time)
        # Nothing wakes the background between the two, so that it claims both together.
        await deliver_events(other, "b", "c")
        time.move(1)
        await until(lambda: len(handler.seen) == 2)
        inbox.broken += ["release"] * 3 * is_down
    assert (await receiver.stats()).running == 3 * is_down
    assert is_down == any(line.startswith("tasks wait for the end") for line in caplog.messages)
    await receiver.aclose()
    await other.aclose()


@pytest.mark.parametrize("error", [LookupError, SystemExit, KeyboardInterrupt])
async def test_an_error_in_the_block_is_raised_as_it_is(receiver: Receiver, error: Any) -> None:
    """Not inside an exception group, with which a program has another exit code."""
    with pytest.raises(error, match=r"^mine$"):
        async with receiver.working(grace=600):
            raise error("mine")


@pytest.mark.parametrize("method", ["claim", "listen", "purge"])
async def test_the_background_outlives_an_inbox_that_is_down(
    address: str, time: Time, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    """A full disk today is no reason to stop for ever."""
    receiver, _ = unreliable(address, time, method)
    handler = Blocking(receiver)
    handler.end.set()
    async with receiver.working(grace=600):
        await until(lambda: caplog.messages)
        await deliver_events(receiver, "a")
        await until_done(receiver, 1)
    assert caplog.messages[0].endswith("OperationalError: disk I/O error")
    await receiver.aclose()


@pytest.mark.parametrize("method", ["done", "failed"])
async def test_a_result_that_cannot_be_stored_is_found_when_the_lease_ends(
    address: str, time: Time, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    """Nothing is lost; the handler runs again."""
    receiver, _ = unreliable(address, time, method)
    seen: list[str] = []

    @receiver.on("*")
    def handler(event: Event) -> None:
        seen.append(event.dedupe_key)
        if method == "failed" and len(seen) == 1:
            raise LookupError

    await deliver_events(receiver, "a")
    await receiver.drain()
    assert caplog.messages[-1].endswith("was not stored: disk I/O error")
    assert await receiver.drain() == 0

    time.move(60)
    await receiver.drain()
    assert seen == ["a", "a"]
    assert (await receiver.stats()).done == 1
    await receiver.aclose()


async def test_deliveries_are_forgotten_after_seven_days(receiver: Receiver, time: Time) -> None:
    """Those that wait for an attempt or for a person are kept."""
    handler = Blocking(receiver)
    handler.end.set()
    await deliver_events(receiver, "a")
    await receiver.drain()
    time.move(WEEK - HOUR)
    receiver.on("*")(lambda event: 1 / 0)
    await deliver_events(receiver, "b")
    since = time.slept
    async with receiver.working(grace=600):
        await until_done(receiver, 2)
        await until_asleep(time, since)
        time.move(2 * HOUR)
        while (await receiver.stats()).deliveries > 1:  # noqa: ASYNC110 - as above
            await anyio.sleep(0.001)
    (left,) = receiver.inbox.entries()
    assert left.key == "b"


async def test_deliveries_may_be_kept_for_ever(address: str, time: Time) -> None:
    receiver = Receiver(secrets=[SECRET], inbox=address, forget_after=None, _clock=time.clock())
    await deliver_events(receiver, "a")
    time.move(100 * WEEK)
    async with receiver.working(grace=600):
        await until(lambda: time.slept >= 2)
    assert (await receiver.stats()).deliveries == 1
    await receiver.aclose()


async def test_a_plain_handler_ends_before_the_block_does(receiver: Receiver) -> None:
    """A thread cannot be cancelled, and its result is recorded."""
    began = anyio.Event()
    ended: list[bool] = []

    @receiver.on("*")
    def handler(event: Event) -> None:
        anyio.from_thread.run_sync(began.set)
        ended.append(True)

    async with receiver.working(grace=0.0):
        await deliver_events(receiver, "a")
        await began.wait()
    assert ended
    assert (await receiver.stats()).done == 1


async def test_an_inbox_that_is_down_is_an_error_of_drain(address: str, time: Time) -> None:
    """Not inside an exception group."""
    receiver, _ = unreliable(address, time, "claim")

    with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
        await receiver.drain()
