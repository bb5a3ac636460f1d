"""Pure: what the headers of an answer say about its quota.

RMZ does not promise these headers, and a proxy may write them too: a value that makes no sense
counts as missing.
"""

from __future__ import annotations

from collections.abc import Mapping

from rmz_async._calls.headers import retry_after
from rmz_async._pacing.quota import MAX_CLOSURE
from rmz_async.options import QuotaReport


def report_of(status: int, headers: Mapping[str, str], unix_now: float) -> QuotaReport:
    """Return RMZ's figures in an answer.

    Args:
        status: The answer's status.
        headers: The answer's headers, with names in lower case; each may be missing or absurd.
        unix_now: Unix time, for the headers that name a moment.
    """
    remaining = whole_number(headers.get("x-ratelimit-remaining"))
    return QuotaReport(
        limit=whole_number(headers.get("x-ratelimit-limit")),
        remaining=remaining,
        closed_for=closed_for(headers, remaining, unix_now) if status == 429 else None,
    )


def whole_number(value: str | None) -> int | None:
    """Read a number that is not negative; None if there is none."""
    if value is not None and len(value) <= 10 and value.isascii() and value.isdecimal():
        return int(value)
    return None


def closed_for(headers: Mapping[str, str], remaining: int | None, unix_now: float) -> float | None:
    """Return for how many seconds a 429 closes the quota, or None if it does not.

    Args:
        headers: The answer's headers, with names in lower case.
        remaining: How many requests are left, as the answer says.
        unix_now: Unix time, for the headers that name a moment.
    """
    # The guard against the same extension twice answers 429 too, with room left in the window. Its
    # Retry-After is for that call only.
    if remaining:
        return None
    wait = retry_after(headers.get("retry-after"), unix_now)
    if wait is not None:
        return wait
    reset = whole_number(headers.get("x-ratelimit-reset"))
    # The clocks of two machines are compared here, so only a plausible result counts.
    if reset is not None and 0 <= reset - unix_now <= MAX_CLOSURE:
        return reset - unix_now
    return None
