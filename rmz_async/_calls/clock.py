"""Time and chance, in the one form in which they reach a client."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import anyio


def _today() -> datetime:
    # Looked up at each call: an import inside a frozen clock binds a class that works only there.
    return datetime.now(UTC)


async def _sleep(seconds: float) -> None:
    # `anyio.sleep` is looked up at each wait, because the first look imports half of anyio.
    await anyio.sleep(seconds)


class Clock:
    """The functions of time and chance, for tests and the sandbox to replace.

    Attributes:
        clock: Returns seconds, monotonic.
        today: Returns the time on the calendar; UTC.
        sleep: Waits so many seconds.
        draw: Returns a random number from 0 to 1, for the jitter.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], datetime] = _today,
        sleep: Callable[[float], Awaitable[object]] = _sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.clock: Final = clock
        self.today: Final = today
        self.sleep: Final = sleep
        self.draw: Final = draw
