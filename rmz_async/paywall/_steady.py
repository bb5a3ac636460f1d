"""A clock that never goes back, and goes on while the machine is suspended."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

from rmz_async._calls.clock import Clock


def steady_clock(clock: Clock) -> Callable[[], float]:
    """Return a function that returns seconds.

    The monotonic clock of Linux stands still while a machine is suspended, and a period that was
    paid for does not.
    """
    boot_time = getattr(time, "CLOCK_BOOTTIME", None)
    if clock.clock is not time.monotonic or boot_time is None:
        return clock.clock
    return functools.partial(time.clock_gettime, boot_time)
