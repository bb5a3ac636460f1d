"""The things that come due, the earliest first."""

from __future__ import annotations

import heapq
from datetime import datetime
from typing import Generic, TypeVar

__all__ = ("Agenda",)

K = TypeVar("K")


class Agenda(Generic[K]):
    """Keeps one moment for each key. A key that is moved keeps only its new moment."""

    def __init__(self) -> None:
        # Ties are in the order in which they were put in, so that a run can be repeated.
        self._heap: list[tuple[datetime, int, K]] = []
        self._current: dict[K, tuple[datetime, int]] = {}
        self._count = 0

    def put(self, key: K, due: datetime | None) -> None:
        """Let *key* come due then, or never with None."""
        if due is None:
            self._current.pop(key, None)
            return
        if key in self._current and self._current[key][0] == due:
            return
        self._count += 1
        self._current[key] = (due, self._count)
        heapq.heappush(self._heap, (due, self._count, key))

    def next(self) -> datetime | None:
        """Return when the next key comes due."""
        while self._heap:
            due, number, key = self._heap[0]
            if self._current.get(key) == (due, number):
                return due
            heapq.heappop(self._heap)
        return None

    def copied(self) -> Agenda[K]:
        """Return an agenda of the same moments and keys, in the same order."""
        copy: Agenda[K] = Agenda()
        copy._heap, copy._current, copy._count = [*self._heap], {**self._current}, self._count
        return copy

    def entries(self) -> tuple[tuple[datetime, K], ...]:
        """Return all keys with their moments, the earliest first."""
        current = [entry for entry in self._heap if self._current.get(entry[2]) == entry[:2]]
        return tuple((due, key) for due, _, key in sorted(current, key=lambda entry: entry[:2]))

    def take(self) -> tuple[datetime, K]:
        """Take the next key out, with its moment.

        Raises:
            IndexError: There is none.
        """
        self.next()
        due, _, key = heapq.heappop(self._heap)
        del self._current[key]
        return due, key
