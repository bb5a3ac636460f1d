"""An event loop in which no time passes but while all tasks sleep, and then immediately."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias, TypeVar
from unittest import mock

import anyio
import anyio.lowlevel

from tests.seams import Clock

__all__ = (
    "MIDNIGHT",
    "Loop",
    "clock_of_loop",
    "in_simulated_time",
    "now",
    "pass_immediately",
    "seconds",
)

T = TypeVar("T")

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


class Loop(asyncio.SelectorEventLoop):
    """An event loop with a clock that stands still while anything is to be done.

    Args:
        passing: Called with the loop and the seconds until its next task when nothing is to be
            done. Moves `seconds` on, and returns whether to wait for a socket as well.
    """

    def __init__(self, passing: Passing) -> None:
        self.seconds = 0.0
        super().__init__(_Selector(self, passing))

    def time(self) -> float:
        """Return the seconds since `MIDNIGHT`."""
        return self.seconds


Passing: TypeAlias = Callable[[Loop, float | None], bool]


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: Loop, passing: Passing) -> None:
        super().__init__()
        self._loop = loop
        self._passing = passing

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found and timeout != 0 and self._passing(self._loop, timeout):
            return super().select()
        return found


def pass_immediately(loop: Loop, timeout: float | None) -> bool:
    """Move the clock of a program that is alone to its next task."""
    if timeout is None:
        raise RuntimeError("all tasks wait, and none of them for a time")
    loop.seconds += timeout
    return False


def in_simulated_time(
    main: Callable[[], Coroutine[Any, Any, T]], passing: Passing = pass_immediately
) -> T:
    """Run *main* in simulated time, which begins at `MIDNIGHT`."""
    with _without_threads():
        return anyio.run(main, backend_options={"loop_factory": lambda: Loop(passing)})


def seconds() -> float:
    """Return the seconds since `MIDNIGHT`."""
    return asyncio.get_running_loop().time()


def now() -> datetime:
    """Return the time on the calendar; before the loop runs, when it begins."""
    try:
        return MIDNIGHT + timedelta(seconds=seconds())
    except RuntimeError:
        return MIDNIGHT


def clock_of_loop() -> Clock:
    """Make a clock of clients."""
    return Clock(clock=seconds, today=now, sleep=anyio.sleep)


@contextmanager
def _without_threads() -> Generator[None]:
    async def run_sync(function: Callable[..., T], *args: Any, **_: Any) -> T:
        await anyio.lowlevel.checkpoint()
        return function(*args)

    # A thread lives in real time: the simulated day might be over before it has read a file.
    with mock.patch("anyio.to_thread.run_sync", run_sync):
        yield
