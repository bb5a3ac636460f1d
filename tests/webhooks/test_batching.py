"""Calls that wait together become one, and nobody pays for the errors of another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

import anyio
import anyio.from_thread
import anyio.lowlevel
import pytest

from rmz_async.webhooks._batching import MAX_BATCH, Batches

pytestmark = pytest.mark.anyio


class Doubling:
    """Doubles numbers, and remembers what it got together; it fails for 13."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.free = anyio.Event()
        self.began = anyio.Event()
        self.is_down = False

    def __call__(self, values: Sequence[int]) -> Sequence[int]:
        """Wait in the first call until the test lets it go on."""
        # Trio starts tasks in any order.
        self.calls.append(sorted(values))
        if len(self.calls) == 1:
            anyio.from_thread.run_sync(self.began.set)
            anyio.from_thread.run(self.free.wait)
        if 13 in values or self.is_down:
            raise ValueError("down" if self.is_down else "no 13")
        return [2 * value for value in values]


async def submit(batches: Batches[int, int], value: int, results: dict[int, object]) -> None:
    """Keep the result, or the error."""
    try:
        results[value] = await batches.submit(value)
    except ValueError as error:
        results[value] = str(error)


async def run(
    double: Doubling, first: int, *values: int, prepare: Callable[[Sequence[int]], object] = len
) -> dict[int, object]:
    """Submit some values while the call for the first one runs."""
    batches = Batches(double, prepare)
    results: dict[int, object] = {}
    async with anyio.create_task_group() as group:
        group.start_soon(submit, batches, first, results)
        await double.began.wait()
        for value in values:
            group.start_soon(submit, batches, value, results)
        await anyio.wait_all_tasks_blocked()
        double.free.set()
    return results


async def test_values_that_wait_together_become_one_call() -> None:
    """Each waiter gets its own result."""
    double = Doubling()

    assert await run(double, 1, 2, 3, 4) == {1: 2, 2: 4, 3: 6, 4: 8}
    assert double.calls == [[1], [2, 3, 4]]


async def test_those_who_are_woken_together_make_their_next_call_together() -> None:
    """A call for the first of them alone would take as long as one for all."""
    double = Doubling()
    batches = Batches(double)

    async def submit_two(value: int) -> None:
        await batches.submit(value)
        await batches.submit(20 + value)

    async with anyio.create_task_group() as group:
        group.start_soon(submit_two, 1)
        await double.began.wait()
        for value in (2, 3, 4):
            group.start_soon(submit_two, value)
        await anyio.wait_all_tasks_blocked()
        double.free.set()

    assert double.calls == [[1], [2, 3, 4, 21], [22, 23, 24]]


async def test_a_value_that_fails_fails_alone() -> None:
    """Also if it comes first, as trio may let it."""
    double = Doubling()

    assert await run(double, 1, 2, 13, 4) == {1: 2, 2: 4, 13: "no 13", 4: 8}


async def test_a_call_that_cannot_succeed_is_not_made_for_each_value() -> None:
    """A database that is down would be asked a hundred times."""
    double = Doubling()
    double.is_down = True

    results = await run(double, 1, 2, 3, 4)
    assert set(results.values()) == {"down"}
    assert [len(call) for call in double.calls] == [1, 3, 1, 1]


async def test_a_batch_has_a_limit() -> None:
    double = Doubling()

    results = await run(double, 100, *range(101, 101 + MAX_BATCH + 1))
    assert len(results) == MAX_BATCH + 2
    assert [len(call) for call in double.calls] == [1, MAX_BATCH, 1]


async def test_a_waiter_that_is_cancelled_takes_its_value_away() -> None:
    double = Doubling()
    batches = Batches(double)
    results: dict[int, object] = {}
    async with anyio.create_task_group() as group:
        group.start_soon(submit, batches, 1, results)
        await double.began.wait()
        with anyio.move_on_after(0):
            await batches.submit(2)
        double.free.set()

    assert results == {1: 2}
    assert double.calls == [[1]]


async def test_a_cancelled_call_is_finished_for_those_who_wait() -> None:
    double = Doubling()
    batches = Batches(double)
    results: dict[int, object] = {}
    async with anyio.create_task_group() as group:
        scope = anyio.CancelScope()

        async def cancelled() -> None:
            with scope:
                await submit(batches, 1, results)

        group.start_soon(cancelled)
        await double.began.wait()
        group.start_soon(submit, batches, 2, results)
        await anyio.wait_all_tasks_blocked()
        scope.cancel()
        double.free.set()

    assert results[2] == 4
    assert double.calls == [[1], [2]]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_task_that_asyncio_cancels_leaves_the_values_to_the_next_one() -> None:
    """Its thread goes on, and nobody knows its results."""
    double = Doubling()
    batches = Batches(double)
    results: dict[int, object] = {}
    leader = asyncio.create_task(submit(batches, 1, results))
    await double.began.wait()
    follower = asyncio.create_task(submit(batches, 2, results))
    await anyio.lowlevel.checkpoint()
    leader.cancel()
    await asyncio.wait([leader])
    double.free.set()
    await follower

    assert results == {2: 4}


async def test_the_values_of_a_call_are_prepared_together_in_the_event_loop() -> None:
    """To prepare each as it comes takes longer, and so does the thread."""
    double = Doubling()
    prepared: list[tuple[list[int], threading.Thread]] = []

    def prepare(values: Sequence[int]) -> None:
        prepared.append((sorted(values), threading.current_thread()))

    await run(double, 1, 2, 3, prepare=prepare)
    here = threading.current_thread()
    assert prepared == [([1], here), ([2, 3], here)]


async def test_each_event_loop_has_a_line_of_its_own(anyio_backend_name: str) -> None:
    """A lock of one loop is of no use to another."""
    batches: Batches[int, int] = Batches(list)

    def elsewhere() -> int:
        async def main() -> int:
            return await batches.submit(2)

        return anyio.run(main, backend=anyio_backend_name)

    assert await batches.submit(1) == 1
    assert await anyio.to_thread.run_sync(elsewhere) == 2
