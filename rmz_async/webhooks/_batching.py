"""Calls that wait for the same resource together become one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from typing import Generic, TypeVar, cast

import anyio
import attrs

from rmz_async._per_loop import PerLoop

T = TypeVar("T")
R = TypeVar("R")

# The most items of one call, so that a commit stays short.
MAX_BATCH = 500


@attrs.define(eq=False, repr=False)
class Item(Generic[T, R]):
    """A value that waits, and later what came of it."""

    value: T
    is_over: bool = False
    outcome: R | Exception | None = None


@attrs.define(eq=False, repr=False)
class _Line(Generic[T, R]):
    """The items that wait in one event loop."""

    # The keys are the items, in order.
    waiting: dict[Item[T, R], None] = attrs.field(factory=dict["Item[T, R]", None])
    is_running: bool = False
    # Set when the call that runs has ended; None if nobody waits for that.
    ended: anyio.Event | None = None
    # Whether several were woken together by the last call.
    is_crowded: bool = False
    limiter: anyio.CapacityLimiter = attrs.field(factory=lambda: anyio.CapacityLimiter(1))


class Batches(Generic[T, R]):
    """Calls a blocking function in a worker thread, with all items that wait at that time.

    The function must do no harm if it gets an item a second time.

    Args:
        function: Returns the result of each item.
        prepare: Is called with the same items before, in the event loop; raises nothing.
    """

    def __init__(
        self,
        function: Callable[[Sequence[T]], Sequence[R]],
        prepare: Callable[[Sequence[T]], object] = len,
    ) -> None:
        self._function = function
        self._prepare = prepare
        self._lines: PerLoop[_Line[T, R]] = PerLoop(_Line)

    async def submit(self, value: T) -> R:
        """Return the result for *value*, or raise the error of its call."""
        line = self._lines.for_running_loop()
        item: Item[T, R] = Item(value)
        line.waiting[item] = None
        try:
            while not item.is_over:
                # All tasks that wait are woken together, and the first whose item was not in the
                # call makes the next call. Waking them one by one takes longer than storing items.
                if line.is_running:
                    line.ended = line.ended or anyio.Event()
                    await line.ended.wait()
                else:
                    await self._run_batch(line)
        finally:
            line.waiting.pop(item, None)
        if isinstance(item.outcome, Exception):
            raise item.outcome
        return cast("R", item.outcome)

    async def _run_batch(self, line: _Line[T, R]) -> None:
        line.is_running = True
        try:
            if line.is_crowded:
                # The tasks that were woken together with this one have new items in a moment.
                await anyio.lowlevel.checkpoint()
            batch = list(islice(line.waiting, MAX_BATCH))
            values = [item.value for item in batch]
            self._prepare(values)
            call = partial(outcomes_of, self._function, values)
            # If this is cancelled before the thread begins, the next one makes the call.
            outcomes = await anyio.to_thread.run_sync(call, limiter=line.limiter)
        finally:
            ended, line.ended, line.is_running = line.ended, None, False
            line.is_crowded = ended is not None
            if ended is not None:
                ended.set()
        # Removed after the call, so that a task that asyncio cancels leaves the items to the next.
        for item, outcome in zip(batch, outcomes, strict=True):
            line.waiting.pop(item, None)
            item.outcome, item.is_over = outcome, True


def outcomes_of(
    function: Callable[[Sequence[T]], Sequence[R]], values: Sequence[T]
) -> Sequence[R | Exception]:
    """Call *function*; if it fails, call it for each value, as one may have failed the others.

    If the first two fail, the function is likely to fail for every value.
    """
    try:
        return function(values)
    except Exception as error:  # noqa: BLE001 - it is for those who wait
        outcomes: list[R | Exception] = []
        for value in values if len(values) > 1 else ():
            try:
                outcomes += function([value])
            except Exception as single:  # noqa: BLE001 - it is for the one who waits
                outcomes.append(single)
            if len(outcomes) == 2 and all(isinstance(each, Exception) for each in outcomes):
                break
        return [*outcomes, *[error] * (len(values) - len(outcomes))]
