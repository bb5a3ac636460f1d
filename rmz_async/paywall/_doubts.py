"""Users of whom an event has reported a change since RMZ was asked about them."""

from __future__ import annotations

from datetime import datetime

__all__ = ("Doubts",)

# So many users at the same time; the one that was added first is dropped first.
MOST = 100_000


class Doubts:
    """Knows which answers are older than an event about their user."""

    def __init__(self) -> None:
        self._told: dict[str, datetime] = {}

    def __contains__(self, user: str) -> bool:
        """Return whether an event has reported a change, and RMZ has not been asked since."""
        return user in self._told

    def add(self, user: str, at: datetime) -> None:
        """Doubt all answers about a user for which RMZ was asked before *at*."""
        self._told.pop(user, None)
        self._told[user] = at
        while len(self._told) > MOST:
            self._told.pop(next(iter(self._told)), None)

    def told(self, user: str) -> datetime | None:
        """Return when an event has reported a change since RMZ was asked; None if none has."""
        return self._told.get(user)

    def settle(self, user: str, checked_at: datetime) -> bool:
        """Return whether an answer is not doubted; then there is no doubt about the user left."""
        if self.concern(user, checked_at):
            return False
        self._told.pop(user, None)
        return True

    def concern(self, user: str, checked_at: datetime) -> bool:
        """Return whether an answer for which RMZ was asked at *checked_at* is doubted."""
        told = self._told.get(user)
        return told is not None and checked_at < told
