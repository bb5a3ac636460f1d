"""Users of whom an event has reported a change since RMZ was asked about them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from rmz_async.paywall.sharing import Fact

__all__ = ("Doubts",)

# The most users at the same time; the user who was added first is dropped first.
MOST = 100_000

# The same for those whose last event an answer has settled. RMZ answers far fewer in the time that
# the slowest answer takes.
MOST_SETTLED = 1_000


class Doubts:
    """Knows which answers are older than an event about their user."""

    def __init__(self) -> None:
        self._reported: dict[str, datetime] = {}
        self._settled: dict[str, datetime] = {}

    def __contains__(self, user: str) -> bool:
        """Return whether an event has reported a change, and RMZ has not been asked since."""
        return user in self._reported

    def add(self, user: str, at: datetime) -> None:
        """Doubt all answers about a user for which RMZ was asked before *at*."""
        _put(self._reported, MOST, user, at)

    def reported_at(self, user: str) -> datetime | None:
        """Return when an event has reported a change since RMZ was asked; None if none has."""
        return self._reported.get(user)

    def settle(self, user: str, checked_at: datetime) -> bool:
        """Return whether an answer is not doubted; then there is no doubt about the user left."""
        if self.concern(user, checked_at):
            return False
        reported = self._reported.pop(user, None)
        if reported is not None:
            _put(self._settled, MOST_SETTLED, user, reported)
        return True

    def concern(self, user: str, checked_at: datetime) -> bool:
        """Return whether an answer for which RMZ was asked at *checked_at* is doubted."""
        reported = self._reported.get(user)
        return reported is not None and checked_at < reported

    def settled_at(self, user: str) -> datetime | None:
        """Return when the event was reported that an answer has settled last; None if none was."""
        return self._settled.get(user)

    def overtook(self, user: str, checked_at: datetime, before: datetime | None) -> bool:
        """Return whether an event and the answer to it have overtaken an older answer.

        Args:
            user: The user.
            checked_at: When RMZ was asked for the older answer.
            before: The result of `settled_at` at that time. A clock that was put back since an
                earlier event thus makes no answer count as overtaken.
        """
        settled = self._settled.get(user)
        return settled is not None and settled is not before and checked_at < settled

    async def outlasting(
        self, user: str, learn: Callable[[], Awaitable[tuple[Fact, bool]]]
    ) -> tuple[Fact, bool]:
        """Return what *learn* returns, and call it again if its fact was overtaken meanwhile."""
        while True:
            before = self.settled_at(user)
            fact, is_answer = await learn()
            if not self.overtook(user, fact.checked_at, before):
                return fact, is_answer


def _put(kept: dict[str, datetime], most: int, user: str, at: datetime) -> None:
    kept.pop(user, None)
    kept[user] = at
    while len(kept) > most:
        kept.pop(next(iter(kept)), None)
