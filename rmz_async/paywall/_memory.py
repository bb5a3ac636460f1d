"""The answers that a paywall remembers: of those who pay, and of everybody else."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Self

from rmz_async.paywall.access import Access


class Remembered(float):
    """An answer in memory, which is never changed, because other threads read it.

    An entry is itself the number `learnt`, which saves the 32 bytes of a separate float: there may
    be a million entries. Most of them share one object as their `span`.

    Args:
        learnt: The time when RMZ was asked; in seconds, of a clock that is never set.
        span: The seconds after `learnt` for which the answer is returned without a request.
        access: The answer.
    """

    __slots__ = ("access", "span")

    access: Access
    span: float

    def __new__(cls, learnt: float, span: float, access: Access) -> Self:
        """Make an entry."""
        entry = super().__new__(cls, learnt)
        entry.span = span
        entry.access = access
        return entry

    @property
    def learnt(self) -> float:
        """The time when RMZ was asked; in seconds, of a clock that is never set."""
        return float(self)

    @property
    def ends(self) -> float:
        """The end of the answer, which is true until then; seconds, steady; infinite if unknown."""
        return self.learnt + lasting(self.access)


class Memory:
    """Remembers one answer for each user.

    Several threads may use it: an entry is replaced as a whole, in one step. Payers have a limit
    of their own, so that no number of users without access displaces them.

    Args:
        now: Returns seconds, steady.
        payers: How many users with access are remembered; the one that was learnt first goes first.
        others: The same for all others.
    """

    def __init__(self, now: Callable[[], float], payers: int, others: int) -> None:
        self._now = now
        self._most_payers = payers
        self._most_others = others
        self._payers: dict[str, Remembered] = {}
        self._others: dict[str, Remembered] = {}
        self.handed_out: int = 0

    def __len__(self) -> int:
        """Return how many payers are known."""
        return len(self._payers)

    def fresh(self, user: str) -> Access | None:
        """Return the answer if it may be handed out without a further look."""
        entry = self._payers.get(user)
        if entry is None:
            entry = self._others.get(user)
        if entry is not None and self._now() < entry + entry.span:
            self.handed_out += 1
            return entry.access
        return None

    def payer(self, user: str) -> Remembered | None:
        """Return what is known of a payer, however old."""
        return self._payers.get(user)

    def payers(self) -> Iterator[tuple[str, Remembered]]:
        """Walk all payers, as they are now."""
        return iter(list(self._payers.items()))

    def keep(self, user: str, entry: Remembered) -> None:
        """Replace what is known of a user."""
        if entry.access.granted:
            self._put(self._payers, self._most_payers, user, entry)
            self._others.pop(user, None)
        else:
            self._put(self._others, self._most_others, user, entry)
            self._payers.pop(user, None)

    def expire(self, user: str) -> None:
        """Keep what is known of a payer, but not as fresh; forget a refusal."""
        entry = self._payers.get(user)
        if entry is not None:
            self._payers[user] = Remembered(entry.learnt, -math.inf, entry.access)
        self._others.pop(user, None)

    def forget(self, user: str) -> None:
        """Know nothing of a user any more."""
        self._payers.pop(user, None)
        self._others.pop(user, None)

    def _put(self, entries: dict[str, Remembered], most: int, user: str, entry: Remembered) -> None:
        # The newest last, so that the first one is the one to go.
        entries.pop(user, None)
        entries[user] = entry
        while len(entries) > most:
            entries.pop(next(iter(entries)), None)


def lasting(access: Access) -> float:
    """Return the seconds from the moment at which RMZ was asked to the end of the answer."""
    if access.until is None:
        return math.inf
    return (access.until - access.checked_at).total_seconds()
