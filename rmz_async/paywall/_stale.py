"""The rules for grants that are older than `soft`: whether, and for how long, they are used."""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs

from rmz_async.paywall._doubts import Doubts
from rmz_async.paywall._memory import Memory, Remembered
from rmz_async.paywall._refreshing import Refreshing
from rmz_async.paywall.access import Access, Source
from rmz_async.paywall.lifetimes import Lifetimes

__all__ = ("STALE_LIFETIME", "Stale")

# Seconds for which an old grant is used before the rules are checked again.
STALE_LIFETIME = 5.0

# Seconds for which `oldest` names the age of a grant that was used because no slot was free.
OLDEST_SHOWN = 60.0


class Stale:
    """Returns old grants, and how old they may be at present.

    Args:
        memory: The known payers.
        doubts: The users of whom an event has reported a change.
        refreshing: Asks RMZ again; the users who wait there stretch the lifetimes.
        lifetimes: How old an answer may be.
        now: Returns seconds, steady.
    """

    def __init__(
        self,
        memory: Memory,
        doubts: Doubts,
        refreshing: Refreshing,
        lifetimes: Lifetimes,
        now: Callable[[], float],
    ) -> None:
        self._memory = memory
        self._doubts = doubts
        self._refreshing = refreshing
        self._lifetimes = lifetimes
        self._now = now
        self._oldest = 0.0
        self._oldest_until = -math.inf

    @property
    def stretch(self) -> float:
        """The factor by which the lifetimes are longer than set; 1 or more."""
        return 1.0 + self._refreshing.backlog() / self._lifetimes.soft

    @property
    def soft(self) -> float:
        """The seconds for which a grant is used without a request.

        A grant may outlive the stretch under which it was learnt, and must not outlive ``hard``.
        """
        soft, _ = self._lifetimes.stretched(self.stretch)
        return min(soft, self._lifetimes.hard)

    @property
    def hard(self) -> float:
        """The age up to which a grant is used before RMZ has answered, in seconds."""
        _, hard = self._lifetimes.stretched(self.stretch)
        return hard

    @property
    def oldest(self) -> float:
        """The age that no grant exceeds at present unless RMZ is down, in seconds."""
        hard = self.hard
        return max(hard, self._oldest) if self._now() < self._oldest_until else hard

    def allows(self, user: str, entry: Remembered | None) -> bool:
        """Return whether *entry* may be used without an answer of RMZ."""
        if entry is None or user in self._doubts:
            return False
        return self._now() < min(entry.learnt + self.hard, entry.ends)

    def hand_out(self, user: str, entry: Remembered) -> Access:
        """Return a grant that `allows` allows, and remember it as fresh for some seconds."""
        return self._hand_out_until(user, entry, entry.learnt + self.hard)

    def keep_known(self, user: str, entry: Remembered, *, is_outage: bool) -> Access | None:
        """Return a grant because RMZ cannot be asked; None if the grant is too old for that.

        Args:
            user: The user.
            entry: All that is known of the user.
            is_outage: Whether RMZ is down; else the requests of the minute are used up.
        """
        now, last = self._now(), entry.learnt + self._lifetimes.max_stale
        if now >= min(last, entry.ends):
            return None
        access = self._hand_out_until(user, entry, last)
        self._refreshing.later(user, first=user in self._doubts)
        if not is_outage:
            age = now - entry.learnt + STALE_LIFETIME
            self._oldest = max(self._oldest, age) if now < self._oldest_until else age
            self._oldest_until = now + OLDEST_SHOWN
        return access

    def _hand_out_until(self, user: str, entry: Remembered, last: float) -> Access:
        access = entry.access
        if access.source not in (Source.STALE, Source.SNAPSHOT):
            access = attrs.evolve(access, source=Source.STALE)
        until = min(self._now() + STALE_LIFETIME, last, entry.ends)
        self._memory.keep(user, Remembered(entry.learnt, until - entry.learnt, access))
        return access
