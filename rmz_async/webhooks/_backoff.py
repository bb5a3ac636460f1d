"""The time between two attempts of a handler, unless the user has another function for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Backoff: TypeAlias = Callable[[int], float]
"""Returns the seconds between an attempt, counted from 1, and the next one."""

# Seconds after the first attempt; each next wait is four times as long.
FIRST_WAIT = 5.0
LONGEST_WAIT = 3600.0


def default_backoff(attempt: int) -> float:
    """Return 5 seconds, then four times as long after each attempt, an hour at most."""
    return min(FIRST_WAIT * 4.0 ** min(attempt - 1, 10), LONGEST_WAIT)
