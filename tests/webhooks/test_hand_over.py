"""Deliveries are handed over to a queue by their numbers, until they are done."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import partial
from importlib.machinery import ModuleSpec
from types import ModuleType

import anyio
import anyio.lowlevel
import pytest

from rmz_async.webhooks import Event, Receiver
from rmz_async.webhooks import _hand_over as hand_over_module
from tests.webhooks.receiving import deliver_events
from tests.webhooks.storages import Time

pytestmark = pytest.mark.anyio


@pytest.fixture
def seen(receiver: Receiver) -> list[str]:
    """The events that the handler got."""
    seen: list[str] = []

    @receiver.on("*", name="handler")
    def handler(event: Event) -> None:
        seen.append(event.dedupe_key)
        if event.dedupe_key == "bad" and len(seen) == 1:
            raise LookupError

    return seen


def has(queue: list[int], count: int) -> bool:
    """Return whether so many numbers were handed over."""
    return len(queue) == count


async def until(condition: Callable[[], bool]) -> None:
    """Let the background run until a condition holds."""
    while not condition():  # noqa: ASYNC110 - the background has no event for it
        await anyio.sleep(0.001)


async def test_a_delivery_is_handed_over_and_run_by_its_number(
    receiver: Receiver, seen: list[str]
) -> None:
    """Nothing runs here, and a number that comes twice does no harm."""
    queue: list[int] = []
    receiver.hand_off(queue.append)
    await deliver_events(receiver, "a", "b")
    await deliver_events(receiver, "a")

    assert queue == [1, 2]
    assert await receiver.drain() == 0
    assert [await receiver.run_one(number) for number in (2, 2, 7)] == [1, 0, 0]
    assert seen == ["b"]


async def test_an_async_function_may_enqueue(receiver: Receiver, seen: list[str]) -> None:
    queue: list[int] = []

    @receiver.hand_off
    async def enqueue(inbox_id: int) -> None:
        await anyio.lowlevel.checkpoint()
        queue.append(inbox_id)

    await deliver_events(receiver, "a")
    assert queue == [1]


async def test_an_object_with_an_async_call_may_enqueue(
    receiver: Receiver, seen: list[str]
) -> None:
    """A task of a queue's library is such an object."""

    class Task:
        def __init__(self) -> None:
            self.numbers: list[int] = []

        async def __call__(self, inbox_id: int) -> None:
            self.numbers.append(inbox_id)

    task = Task()
    receiver.hand_off(task)
    await deliver_events(receiver, "a")

    assert task.numbers == [1]


async def test_an_event_that_nobody_wants_is_not_handed_over(receiver: Receiver) -> None:
    queue: list[int] = []
    receiver.hand_off(queue.append)
    await deliver_events(receiver, "a")

    assert queue == []


async def test_a_delivery_that_the_queue_has_lost_is_handed_over_again(
    receiver: Receiver, seen: list[str], time: Time
) -> None:
    queue: list[int] = []
    receiver.hand_off(queue.append)
    await deliver_events(receiver, "a")
    async with receiver.working():
        await until(lambda: time.slept >= 3)
        for count in (2, 3):
            time.move(61)
            await until(partial(has, queue, count))
        await receiver.run_one(1)
        slept = time.slept
        time.move(1000)
        await until(lambda: time.slept > slept)
        await receiver.stats()

    assert len(queue) == 3
    assert seen == ["a"]


async def test_a_failed_delivery_is_handed_over_when_its_next_attempt_is_due(
    receiver: Receiver, seen: list[str], time: Time
) -> None:
    queue: list[int] = []
    receiver.hand_off(queue.append)
    await deliver_events(receiver, "bad")
    assert await receiver.run_one(1) == 1
    slept = time.slept
    async with receiver.working():
        await until(lambda: time.slept >= slept + 3)
        time.move(6)
        await until(partial(has, queue, 2))
        assert await receiver.run_one(1) == 1

    assert seen == ["bad", "bad"]
    assert (await receiver.stats()).done == 1


@pytest.mark.parametrize("grouping", ["ordered", "coalesce"])
async def test_an_event_whose_turn_comes_later_is_handed_over_as_soon_as_it_comes(
    receiver: Receiver, time: Time, grouping: str
) -> None:
    """A queue has several workers, which meet events of a subscription that still run."""
    queue: list[int] = []
    seen: list[str] = []
    met: list[int] = []

    @receiver.on("*", ordered=grouping == "ordered", coalesce=grouping == "coalesce")
    async def handler(event: Event) -> None:
        seen.append(event.dedupe_key)
        if event.dedupe_key == "a":
            await deliver_events(receiver, "b")
            met.append(await receiver.run_one(2))

    receiver.hand_off(queue.append)
    await deliver_events(receiver, "a")
    async with receiver.working():
        assert await receiver.run_one(1) == 1
        time.move(1)
        await until(partial(has, queue, 3))

        assert (met, queue) == ([0], [1, 2, 2])
        assert await receiver.run_one(2) == 1
    assert seen == ["a", "b"]


async def test_a_queue_that_is_down_or_slow_costs_no_delivery(
    receiver: Receiver,
    seen: list[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """RMZ gets its answer; the background hands it over later."""
    receiver.hand_off(lambda inbox_id: 1 / 0)
    await deliver_events(receiver, "a")
    assert (
        "delivery 1 was not handed over, and the next attempt follows: ZeroDivisionError"
        in caplog.text
    )

    @receiver.hand_off
    async def enqueue(inbox_id: int) -> None:
        await anyio.sleep_forever()

    monkeypatch.setattr(hand_over_module, "PATIENCE", 0.0)
    await deliver_events(receiver, "b")
    assert (
        "delivery 2 was not handed over, and the next attempt follows: TimeoutError" in caplog.text
    )


async def test_a_queue_that_hangs_takes_no_thread_from_others(
    receiver: Receiver, seen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The inbox, and an application's own plain functions, share the threads of the event loop."""
    released = threading.Event()
    receiver.hand_off(lambda inbox_id: released.wait())
    monkeypatch.setattr(hand_over_module, "PATIENCE", 0.05)
    try:
        await deliver_events(receiver, "a")
        assert anyio.to_thread.current_default_thread_limiter().borrowed_tokens == 0
    finally:
        released.set()


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_number_that_no_code_has_enqueued_is_reported(
    receiver: Receiver, seen: list[str], caplog: pytest.LogCaptureFixture, is_async: bool
) -> None:
    """A lambda around an async function looks like a plain function, and returns a coroutine."""

    async def enqueue(inbox_id: int) -> None:
        pytest.fail("no code awaits this")

    async def forgets_to_await(inbox_id: int) -> object:
        return enqueue(inbox_id)

    receiver.hand_off(forgets_to_await if is_async else lambda number: enqueue(number))
    await deliver_events(receiver, "a")

    assert "was not handed over" in caplog.text
    assert "returned a coroutine" in caplog.text


async def test_the_handlers_of_a_delivery_keep_their_leases_while_the_first_one_runs(
    receiver: Receiver, time: Time
) -> None:
    """Another worker would run them, too."""
    found: list[int] = []

    @receiver.on("*", name="first")
    async def first(event: Event) -> None:
        for _ in range(3):
            times = time.slept + 1
            time.move(15)
            await until(partial(time.has_slept, times))
        found.append(await receiver.run_one(1))

    receiver.on("*", name="second")(found.append)
    await deliver_events(receiver, "a")

    assert await receiver.run_one(1) == 2
    assert (found[0], len(found)) == (0, 2)


async def test_a_worker_that_is_stopped_gives_back_the_handlers_that_have_not_run(
    receiver: Receiver, seen: list[str]
) -> None:
    """They need not wait for the end of a lease, and have all their attempts."""

    @receiver.on("*", name="stopped")
    async def stopped(event: Event) -> None:
        scope.cancel()
        await anyio.sleep_forever()

    receiver.on("*", name="last", max_attempts=1)(print)
    await deliver_events(receiver, "a")
    with anyio.CancelScope() as scope:
        await receiver.run_one(1)

    (entry,) = receiver.inbox.entries()
    assert [(task.state, task.attempts, task.is_running) for task in entry.tasks] == [
        ("done", 1, False),
        ("waiting", 0, False),
        ("waiting", 0, False),
    ]


@pytest.mark.parametrize("name", ["__main__", "__mp_main__"])
@pytest.mark.parametrize(
    ("spec", "file", "imported"),
    [
        (None, "/srv/shop.py", "shop"),
        (ModuleSpec("shop.service", None), "/srv/shop/service.py", "shop.service"),
        (None, None, None),
    ],
    ids=["a file", "a module", "a notebook"],
)
async def test_a_program_names_its_handlers_as_the_worker_that_imports_it(
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    spec: ModuleSpec | None,
    file: str | None,
    imported: str | None,
) -> None:
    """Or no worker of the queue would find the handlers of what the program has stored."""
    program = ModuleType(name)
    program.__spec__ = spec
    if file is not None:
        program.__file__ = file
    monkeypatch.setitem(sys.modules, name, program)

    def handler(event: Event) -> None: ...

    handler.__module__, handler.__qualname__ = name, "handler"
    receiver.on("*")(handler)
    await deliver_events(receiver, "a")

    (entry,) = receiver.inbox.entries()
    assert [task.handler for task in entry.tasks] == [f"{imported or name}.handler"]
