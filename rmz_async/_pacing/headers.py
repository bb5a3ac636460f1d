"""Pure: what the headers of an answer say about its quota.

RMZ does not promise them, and a proxy may write them too: what makes no sense counts as missing.
"""

from __future__ import annotations

from collections.abc import Mapping

from rmz_async._calls.retry import retry_after
from rmz_async._pacing.quota import LONGEST_CLOSURE


def whole_number(value: str | None) -> int | None:
    """Read a number that is not negative; None where there is none."""
    if value is not None and len(value) <= 10 and value.isascii() and value.isdecimal():
        return int(value)
    return None


def closed_for(headers: Mapping[str, str], remaining: int | None, unix_now: float) -> float | None:
    """Return for how many seconds a 429 closes the quota, or None where it does not say so.

    Args:
        headers: The answer's, with names in lower case.
        remaining: How many requests it says are left.
        unix_now: Unix time, for the headers that name a moment.
    """
    # The guard against the same extension twice answers 429 too, with room left in the window: its
    # Retry-After is for that one call.
    if remaining:
        return None
    wait = retry_after(headers.get("retry-after"), unix_now)
    if wait is not None:
        return wait
    reset = whole_number(headers.get("x-ratelimit-reset"))
    # This compares two machines' clocks: it is worth something only where the result is plausible.
    if reset is not None and 0 <= reset - unix_now <= LONGEST_CLOSURE:
        return reset - unix_now
    return None
