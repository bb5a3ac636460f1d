"""Pure: one quota as RMZ counts it, and when the next request may go.

RMZ counts in fixed windows of a minute, and the first request opens one when it arrives. When that
is cannot be seen from here, so this side is stricter: never more than the limit in *any* 61
seconds, by the times at which requests were sent. What arrives within one minute was sent within a
minute and the difference between the slowest and the fastest way: where that is a second or less,
RMZ never sees more than its limit from us. Where it is more, a 429 is possible, and is obeyed.

Nothing here waits, sends or reads a clock.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque

WINDOW = 60.0

# How much the ways to RMZ may differ. It also makes up for RMZ's whole seconds: a Retry-After is up
# to one second short.
MARGIN = 1.0
SPAN = WINDOW + MARGIN

# A window is a minute long. Who asks for more is believed, but one wrong header must not stop a
# shop for a year.
LONGEST_CLOSURE = 300.0


class Quota:
    """What was sent in the last minute, and what RMZ said about it.

    All times are seconds, monotonic.
    """

    __slots__ = (
        "_closed_until",
        "_latest",
        "_left",
        "_left_until",
        "_limit",
        "_said",
        "_sent",
    )

    def __init__(self) -> None:
        self._sent: deque[float] = deque()
        self._limit: int | None = None
        self._closed_until = -math.inf
        self._forget()

    def _forget(self) -> None:
        # What RMZ said was left of its window, at first and of late; what is left of that now; and
        # when that window is over at the latest.
        self._said = -1
        self._latest = math.inf
        self._left = math.inf
        self._left_until = -math.inf

    def wait(self, per_minute: int, now: float, ahead: int = 0) -> float:
        """Return the seconds until the next request may go, after *ahead* others.

        Args:
            per_minute: The limit, unless RMZ named a lower one.
            now: The time.
            ahead: How many go first, each as soon as it may.
        """
        sent = self._current(now)
        limit = self._limit_of(per_minute)
        # Who comes a whole limit later goes a whole span later.
        spans, ahead = divmod(ahead, limit)
        wait = max(0.0, self._closed_until - now)
        oldest = len(sent) + ahead - limit
        if oldest >= 0:
            wait = max(wait, sent[oldest] + SPAN - now)
        if ahead >= self._left:
            wait = max(wait, self._left_until - now)
        return wait + spans * SPAN

    def take(self, now: float) -> None:
        """Note that a request is sent."""
        # Of two threads, the one that read the clock first may come second.
        insort(self._sent, now)
        self._left -= 1

    def give_back(self, at: float) -> None:
        """Forget a request that was noted at *at* and was not sent after all."""
        # They are in order: a look at each would take its time where the limit is high.
        place = bisect_left(self._sent, at)
        if place < len(self._sent) and self._sent[place] == at:
            del self._sent[place]
            # An answer since then may not have counted it in the first place.
            self._left = min(self._left + 1, self._latest)

    def learn(
        self,
        per_minute: int,
        now: float,
        *,
        limit: int | None,
        remaining: int | None,
        closed_for: float | None,
    ) -> bool:
        """Take in what an answer says.

        Args:
            per_minute: The limit, unless RMZ named a lower one.
            now: When the answer came.
            limit: The limit that it names.
            remaining: How many requests it says are left in RMZ's window.
            closed_for: For how many seconds RMZ refuses everything.

        Returns:
            Whether a wait may have changed.
        """
        before = (self._limit_of(per_minute), self._left, self._closed_until)
        if limit is not None and limit >= 1:
            self._limit = limit
        if closed_for is not None:
            closure = min(closed_for, LONGEST_CLOSURE) + MARGIN
            self._closed_until = max(self._closed_until, now + closure)
            # It ends with the window, and so do they.
            self._forget()
        elif remaining is not None:
            self._believe(remaining, per_minute, now)
        return before != (self._limit_of(per_minute), self._left, self._closed_until)

    def _limit_of(self, per_minute: int) -> int:
        return per_minute if self._limit is None else min(self._limit, per_minute)

    def _believe(self, remaining: int, per_minute: int, now: float) -> None:
        if remaining <= self._said and now < self._left_until:
            # Of our own, some may be on the way that RMZ had not counted yet.
            self._latest = min(self._latest, remaining)
            self._left = min(self._left, remaining)
            return
        # Within one window the number only falls, so this is a new one. If RMZ counted no more
        # than is known here, nobody else uses the token, and our own times say more than a number.
        self._forget()
        if remaining < self._limit_of(per_minute) - len(self._current(now)):
            self._said = self._latest = self._left = remaining
            self._left_until = now + SPAN

    def is_idle(self, now: float) -> bool:
        """Say whether nothing is known that could make anyone wait."""
        return not self._current(now) and now >= max(self._closed_until, self._left_until)

    def _current(self, now: float) -> deque[float]:
        sent = self._sent
        while sent and sent[0] + SPAN <= now:
            sent.popleft()
        return sent
