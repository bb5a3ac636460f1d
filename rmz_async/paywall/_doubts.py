"""Users of whom an event has reported a change since RMZ was asked about them."""

from __future__ import annotations

from datetime import datetime

__all__ = ("Doubts",)

# The most users at the same time; the user who was added first is dropped first.
MOST = 100_000


class Doubts:
    """Knows which answers are older than an event about their user."""

    def __init__(self) -> None:
        self._reported: dict[str, datetime] = {}

    def __contains__(self, user: str) -> bool:
        """Return whether an event has reported a change, and RMZ has not been asked since."""
        return user in self._reported

    def add(self, user: str, at: datetime) -> None:
        """Doubt all answers about a user for which RMZ was asked before *at*."""
        self._reported.pop(user, None)
        self._reported[user] = at
        while len(self._reported) > MOST:
            self._reported.pop(next(iter(self._reported)), None)

    def reported_at(self, user: str) -> datetime | None:
        """Return when an event has reported a change since RMZ was asked; None if none has."""
        return self._reported.get(user)

    def settle(self, user: str, checked_at: datetime) -> bool:
        """Return whether an answer is not doubted; then there is no doubt about the user left."""
        if self.concern(user, checked_at):
            return False
        self._reported.pop(user, None)
        return True

    def concern(self, user: str, checked_at: datetime) -> bool:
        """Return whether an answer for which RMZ was asked at *checked_at* is doubted."""
        reported = self._reported.get(user)
        return reported is not None and checked_at < reported
