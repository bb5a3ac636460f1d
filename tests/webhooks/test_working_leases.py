"""Leases that end while claimed tasks wait, and threads that the application has taken."""

from __future__ import annotations

from functools import partial

import anyio
import anyio.to_thread
import pytest

from rmz_async.webhooks import Event, Receiver, Stats
from tests.webhooks.receiving import SECRET, deliver_events
from tests.webhooks.storages import Time, claim
from tests.webhooks.test_working import until

pytestmark = pytest.mark.anyio


async def test_a_task_whose_lease_has_ended_while_it_waited_is_left_to_others(
    receiver: Receiver, time: Time, address: str
) -> None:
    """Its handler would run a second time, and after the later events of its subscription."""
    other = Receiver(secrets=[SECRET], inbox=address, _clock=time.clock())
    seen: list[str] = []

    @receiver.on("*", name="first")
    async def first(event: Event) -> None:
        # The renewal has begun to wait.
        await until(partial(time.has_slept, 1))
        # Nothing in this event loop runs meanwhile.
        time.move(31)
        other.inbox.done(claim(other.inbox, "second"))
        # The renewal that comes too late brings nothing back.
        await until(partial(time.has_slept, 2))

    receiver.on("*", name="second")(lambda event: seen.append(event.dedupe_key))
    await deliver_events(receiver, "a")
    await receiver.run_one(1)

    assert seen == []
    assert await receiver.stats() == Stats(deliveries=1, done=2)
    await other.aclose()


async def test_a_task_whose_lease_has_ended_and_that_nobody_has_taken_loses_no_attempt(
    receiver: Receiver, time: Time
) -> None:
    seen: list[str] = []

    @receiver.on("*", name="first")
    async def first(event: Event) -> None:
        time.move(31)

    receiver.on("*", name="second", max_attempts=1)(lambda event: seen.append(event.dedupe_key))
    await deliver_events(receiver, "a")
    await receiver.run_one(1)
    assert seen == []

    assert await receiver.drain() == 1
    (entry,) = receiver.inbox.entries()
    assert [task.attempts for task in entry.tasks] == [1, 1]


async def test_handlers_run_while_the_application_has_all_threads(receiver: Receiver) -> None:
    """Leases would end, and a commit would keep deliveries from being stored."""
    done = anyio.Event()

    @receiver.on("*")
    async def handler(event: Event) -> None:
        async with receiver.transaction(event):
            pass
        done.set()

    limiter = anyio.to_thread.current_default_thread_limiter()
    pages = [object() for _ in range(int(limiter.total_tokens))]
    for page in pages:
        limiter.acquire_on_behalf_of_nowait(page)
    await deliver_events(receiver, "a")
    async with receiver.working(grace=600):
        with anyio.move_on_after(20) as waiting:
            await done.wait()
        for page in pages:
            limiter.release_on_behalf_of(page)

    assert not waiting.cancelled_caught
    assert await receiver.stats() == Stats(deliveries=1, done=1)
