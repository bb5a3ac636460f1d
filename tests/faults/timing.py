"""Time that passes by itself, and in which to sleep costs nothing."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import anyio
import anyio.lowlevel

from tests.seams import Clock

T = TypeVar("T")

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Timing:
    """The machine's seconds, and those that somebody would have slept.

    The client and the sandbox share it, so a minute that the client waits is one for RMZ, too.

    Args:
        runs: Whether the machine's seconds count at all: what is measured without them is the same
            on a slow machine.
    """

    def __init__(self, *, runs: bool = True) -> None:
        self._began = time.monotonic()
        self._runs = runs
        self._skipped = 0.0

    @property
    def slept(self) -> float:
        """The seconds that somebody would have slept."""
        return self._skipped

    def clock(self) -> float:
        """Return seconds, monotonic."""
        return self._skipped + (time.monotonic() - self._began if self._runs else 0.0)

    def today(self) -> datetime:
        """Return the sandbox's time."""
        return BEGAN + timedelta(seconds=self.clock())

    def skip(self, seconds: float) -> None:
        """Let seconds pass immediately."""
        self._skipped += max(0.0, seconds)

    def waiting(self, on_sleep: Callable[[], None] | None = None) -> Clock:
        """Return the clock that a client gets instead of the machine's time.

        Args:
            on_sleep: Called at each sleep: between two attempts, for instance.
        """

        async def sleep(seconds: float) -> None:
            if on_sleep is not None:
                on_sleep()
            self.skip(seconds)
            await anyio.lowlevel.checkpoint()

        return Clock(clock=self.clock, sleep=sleep, draw=lambda: 1.0)


async def waited_for(work: Callable[[], Awaitable[T]]) -> tuple[T, float]:
    """Return what *work* returns, and for how many of the machine's seconds it was waited for.

    Ticks of the event loop are counted, and not the time: a machine that is busy with other things
    delays them like everything else.
    """
    ticks = 0
    results: list[T] = []

    async def tick() -> None:
        nonlocal ticks
        while True:
            await anyio.sleep(_TICK)
            ticks += 1

    async with anyio.create_task_group() as group:
        group.start_soon(tick)
        results.append(await work())
        group.cancel_scope.cancel()
    return results[0], ticks * _TICK


_TICK = 0.02
