"""A copy of the store that lags, as the database that answers reads may."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import attrs

from rmz_async.sandbox.store.state import Store

__all__ = ("Before", "Replica")


@attrs.frozen
class Before:
    """A row as it was before a change; None if there was no row."""

    at: datetime
    table: str
    key: int | str
    row: object


class Replica:
    """Shows the store as it was ``switches.replica_lag`` seconds ago."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._journal: deque[Before] = deque()
        # The latest answer to a read, true until the store or the lag changes it.
        self._view: Store | None = None
        for name, table in store.tables().items():
            table.listen(partial(self._note, name))

    def store(self) -> Store:
        """Return the store to read from: the real one, unless it has changed within the lag."""
        if not self._store.switches.replica_lag:
            self._journal.clear()
            return self._store
        seen_at = self._now() - timedelta(seconds=self._store.switches.replica_lag)
        while self._journal and self._journal[0].at <= seen_at:
            self._journal.popleft()
            self._view = None
        if not self._journal:
            return self._store
        # Reads are many between two changes, and a view has indexes of its own to make.
        if self._view is None:
            self._view = self._behind()
        return self._view

    def keep(self) -> tuple[Before, ...]:
        """Return the changes that reads may not show yet."""
        return tuple(self._journal)

    def put_back(self, journal: Iterable[Before]) -> None:
        """Have the changes of a store that was put back before."""
        self._journal = deque(journal)
        self._view = None

    def _behind(self) -> Store:
        """Return the store without the changes of the journal."""
        changed: dict[str, dict[int | str, Any]] = {}
        # If a row changed several times, the first change within the lag counts.
        for before in reversed(self._journal):
            changed.setdefault(before.table, {})[before.key] = before.row
        tables: dict[str, Any] = {
            name: table.overlay(changed.get(name, {}))
            for name, table in self._store.tables().items()
        }
        return attrs.evolve(self._store, **tables)

    def _note(self, name: str, key: int | str) -> None:
        self._view = None
        if self._store.switches.replica_lag:
            row = self._store.tables()[name].get(key)
            self._journal.append(Before(self._now(), name, key, copy.copy(row)))
