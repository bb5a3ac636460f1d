"""Pure: one quota as RMZ counts it, when the next request may go, and what RMZ itself says of it.

RMZ counts in fixed windows of 60 seconds. The first request opens a window when it arrives, which
cannot be seen from here. So this side is stricter: never more than the limit in *any* 61 seconds,
by the times at which requests were sent. If the slowest and the fastest way to RMZ differ by a
second or less, RMZ never counts more than its limit from this client. If they differ by more, a 429
is possible, and is obeyed.

Nothing here waits, sends or reads a clock.
"""

from __future__ import annotations

import math
import sys
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Mapping

from rmz_async._calls.headers import retry_after
from rmz_async.options import QuotaReport

WINDOW = 60.0

# Seconds by which the ways to RMZ may differ. The margin also covers RMZ's whole seconds: a
# Retry-After is up to one second short.
MARGIN = 1.0
SPAN = WINDOW + MARGIN

# Seconds for which one answer can close a quota. A window is a minute long, and one wrong header
# must not stop a shop for a year.
MAX_CLOSURE = 300.0


class Quota:
    """The requests of the last minute, and RMZ's own figures about them.

    All times are seconds, monotonic.
    """

    __slots__ = (
        "_closed_until",
        "_first_reported",
        "_last_reported",
        "_left",
        "_left_until",
        "_limit",
        "_sent",
    )

    def __init__(self) -> None:
        self._sent: deque[float] = deque()
        self._limit = sys.maxsize
        self._closed_until = -math.inf
        self._first_reported: float
        self._last_reported: float
        self._left: float
        self._left_until: float
        self._forget_window()

    def copy(self) -> Quota:
        """Return a quota that is equal, and changes on its own."""
        other = Quota.__new__(Quota)
        other._sent = self._sent.copy()
        other._limit = self._limit
        other._closed_until = self._closed_until
        other._first_reported, other._last_reported = self._first_reported, self._last_reported
        other._left, other._left_until = self._left, self._left_until
        return other

    def room(self, per_minute: int, now: float) -> int:
        """Return how many more requests the limit leaves now."""
        self._expire(now)
        return max(0, min(self._limit, per_minute) - len(self._sent))

    def wait(self, per_minute: int, now: float, ahead: int = 0) -> float:
        """Return the seconds until the next request may go, after *ahead* others.

        Args:
            per_minute: The limit, unless RMZ named a lower one.
            now: The time.
            ahead: How many go first, each as soon as it may.
        """
        self._expire(now)
        limit = min(self._limit, per_minute)
        # A request that comes a whole limit later goes a whole span later.
        spans, ahead = divmod(ahead, limit)
        wait = max(0.0, self._closed_until - now)
        oldest = len(self._sent) + ahead - limit
        if oldest >= 0:
            wait = max(wait, self._sent[oldest] + SPAN - now)
        if ahead >= self._left:
            wait = max(wait, self._left_until - now)
        return wait + spans * SPAN

    def reserve(self, per_minute: int, now: float, ahead: int, weight: int) -> float:
        """Count a request that may go now, and return the seconds until it may go.

        Args:
            per_minute: The limit, unless RMZ named a lower one.
            now: The time.
            ahead: How many go first. If there are any, the request is not counted yet.
            weight: How many times each of them counts, if the limit allows that.
        """
        weight = min(weight, self._limit, per_minute)
        wait = self.wait(per_minute, now, (ahead + 1) * weight - 1)
        if wait <= 0 and not ahead:
            self.record(*[now] * weight)
        return wait

    def record(self, *sent: float) -> None:
        """Count requests that were sent at these times."""
        for at in sent:
            # If two threads ask, the one that read the clock first may come second.
            insort(self._sent, at)
            self._left -= 1

    def forget(self, at: float, times: int = 1) -> None:
        """Take back a request that counted so many *times* at *at*, because it was not sent."""
        for _ in range(times):
            # A linear search would be slow if the limit is high.
            place = bisect_left(self._sent, at)
            if place < len(self._sent) and self._sent[place] == at:
                del self._sent[place]
                # RMZ's later figure may not have counted the request in the first place.
                self._left = min(self._left + 1, self._last_reported)

    def learn(self, per_minute: int, now: float, report: QuotaReport) -> bool:
        """Take over RMZ's figures from an answer.

        Args:
            per_minute: The limit, unless RMZ named a lower one.
            now: When the answer came.
            report: RMZ's figures.

        Returns:
            Whether a wait may have changed.
        """
        before = (min(self._limit, per_minute), self._left, self._closed_until)
        if report.limit is not None and report.limit >= 1:
            self._limit = report.limit
        if report.closed_for is not None:
            closure = min(report.closed_for, MAX_CLOSURE) + MARGIN
            self._closed_until = max(self._closed_until, now + closure)
            # The closure ends with RMZ's window, and so do the figures about that window.
            self._forget_window()
        elif report.remaining is not None:
            self._learn_remaining(report.remaining, per_minute, now)
        return before != (min(self._limit, per_minute), self._left, self._closed_until)

    def is_idle(self, now: float) -> bool:
        """Return whether nothing is known that could make a request wait."""
        is_over = not self._sent or self._sent[-1] + SPAN <= now
        return is_over and now >= max(self._closed_until, self._left_until)

    def _learn_remaining(self, remaining: int, per_minute: int, now: float) -> None:
        if remaining <= self._first_reported and now < self._left_until:
            # Requests of this client that RMZ had not counted yet may still be under way.
            self._last_reported = min(self._last_reported, remaining)
            self._left = min(self._left, remaining)
            return
        # Within one window the figure only falls, so a higher one belongs to a new window. If RMZ
        # counted no more requests than this client sent, no other client uses the token, and the
        # recorded times are more exact than the figure.
        self._forget_window()
        self._expire(now)
        if remaining < min(self._limit, per_minute) - len(self._sent):
            self._first_reported = self._last_reported = self._left = remaining
            self._left_until = now + SPAN

    def _forget_window(self) -> None:
        # The first and the latest `remaining` that RMZ reported for its window, how much of it is
        # left, and the latest moment at which the window can end.
        self._first_reported = -1
        self._last_reported = math.inf
        self._left = math.inf
        self._left_until = -math.inf

    def _expire(self, now: float) -> None:
        while self._sent and self._sent[0] + SPAN <= now:
            self._sent.popleft()


def report_of(status: int, headers: Mapping[str, str], unix_now: float) -> QuotaReport:
    """Return RMZ's figures in an answer.

    RMZ does not promise these headers, and a proxy may write them too: a value that makes no sense
    counts as missing.

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
