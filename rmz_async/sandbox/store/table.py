"""Tables of rows that say before they change, so that indexes and replicas can follow."""

from __future__ import annotations

import copy
import weakref
from bisect import insort
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any, Generic, TypeVar

import attrs

__all__ = ("WATCHED", "Index", "KeptRows", "Row", "Table")

K = TypeVar("K", int, str)
V = TypeVar("V")


class Row:
    """A row that may stand in a table. A copy of a row stands in none."""

    # No fields of attrs: a copy, a comparison and a repr leave them out.
    __slots__ = ("_key", "_table")

    def join(self, table: Table[Any, Any], key: int | str) -> None:
        """Note the table and key of the row."""
        self._table = table
        self._key = key

    def announce(self) -> None:
        """Say that the row is about to change, if it stands in a table."""
        table: Table[Any, Any] | None = getattr(self, "_table", None)
        if table is not None and table.get(self._key) is self:
            table.announce(self._key)


def _announce(row: Any, _: attrs.Attribute[Any], value: Any) -> Any:
    row.announce()
    return value


# Every class of rows passes this to attrs as ``on_setattr``.
WATCHED: Any = [attrs.setters.convert, _announce]


class KeptRows(Generic[K, V]):
    """The rows of a table as they were at one moment; they must not be changed."""

    def __init__(self, rows: dict[K, V]) -> None:
        self.rows: dict[K, V] = rows


class Table(MutableMapping[K, V]):
    """Rows by their key. A listener is called with a key before its row changes.

    To keep all rows costs one copy of their map: the rows are shared, and a row that is about to
    change is copied for those who keep it.
    """

    def __init__(self, rows: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        self._rows: dict[K, V] = {}
        self._listeners: list[Callable[[K], object]] = []
        self._ordered: list[K] | None = None
        self._keepers: list[weakref.ref[KeptRows[K, V]]] = []
        # The keys whose rows a keeper may have, too.
        self._shared: set[K] = set()
        self.update(rows)

    def copied(self) -> Table[K, V]:
        """Return a table of the same rows, which do not belong to it: changes have no listener."""
        table: Table[K, V] = Table()
        table._rows = self._rows.copy()
        return table

    def overlay(self, rows: Mapping[K, V | None]) -> Table[K, V]:
        """Return a copy that has *rows* in place of its own; None stands for no row."""
        table = self.copied()
        for key, row in rows.items():
            if row is None:
                table._rows.pop(key, None)
            else:
                table._rows[key] = row
        return table

    def listen(self, listener: Callable[[K], object]) -> None:
        """Call *listener* with the key of each row that is about to come, change or go."""
        self._listeners.append(listener)

    def keep(self) -> KeptRows[K, V]:
        """Return the rows as they are now; later changes do not reach them."""
        kept = KeptRows(self._rows.copy())
        self._share_with(kept)
        return kept

    def put_back(self, kept: KeptRows[K, V]) -> None:
        """Have the rows of *kept* again, and no others."""
        before = self._rows
        gone = [key for key in before if key not in kept.rows]
        differing = [key for key, row in kept.rows.items() if before.get(key) is not row]
        for key in gone + differing:
            self.announce(key)
        self._rows = kept.rows.copy()
        self._ordered = None
        for key in differing:
            row = self._rows[key]
            if isinstance(row, Row):
                row.join(self, key)
        self._share_with(kept)

    def announce(self, key: K) -> None:
        """Say that the row of *key* is about to change."""
        if key in self._shared:
            self._shared.discard(key)
            self._spare(key)
        for listener in self._listeners:
            listener(key)

    def _share_with(self, keeper: KeptRows[K, V]) -> None:
        self._keepers = [
            reference for reference in self._keepers if reference() not in (None, keeper)
        ]
        self._keepers.append(weakref.ref(keeper))
        self._shared = set(self._rows)

    def _spare(self, key: K) -> None:
        """Give those who keep the row of *key* a copy of it, which will not change."""
        row = self._rows.get(key)
        spared: V | None = None
        for reference in self._keepers:
            keeper = reference()
            if keeper is not None and row is not None and keeper.rows.get(key) is row:
                spared = copy.copy(row) if spared is None else spared
                keeper.rows[key] = spared

    def ordered(self) -> list[K]:
        """Return the keys, the smallest first; the list must not be changed."""
        if self._ordered is None:
            self._ordered = sorted(self._rows)
        return self._ordered

    def next_id(self: Table[int, V], *, first: int) -> int:
        """Return the number above all keys, or *first* in an empty table."""
        keys = self.ordered()
        return keys[-1] + 1 if keys else first

    def __getitem__(self, key: K) -> V:
        return self._rows[key]

    def __setitem__(self, key: K, row: V) -> None:
        self.announce(key)
        if self._ordered is not None and key not in self._rows:
            insort(self._ordered, key)
        self._rows[key] = row
        if isinstance(row, Row):
            row.join(self, key)

    def __delitem__(self, key: K) -> None:
        self.announce(key)
        del self._rows[key]
        self._ordered = None

    def __iter__(self) -> Iterator[K]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy has rows of its own, and nobody listens to it: a listener belongs to a sandbox.
        return type(self), (self._rows,)

    def __repr__(self) -> str:
        return f"Table({self._rows!r})"


class Index(Generic[K, V]):
    """Finds the keys of a table's rows by a value of theirs.

    Args:
        value_of: Returns the value to find a row by; a row with None is not found.
    """

    def __init__(self, table: Table[K, V], value_of: Callable[[V], Hashable | None]) -> None:
        self._rows: Table[K, V] = table
        self._value_of = value_of
        self._keys: dict[Hashable, set[K]] = {}
        self._values: dict[K, Hashable] = {}
        # A row announces a change before it happens, so that it is looked at when somebody asks.
        self._stale: set[K] = set(table)
        table.listen(self._stale.add)

    def find(self, value: Hashable) -> set[K]:
        """Return the keys of all rows with *value*."""
        while self._stale:
            self._refresh(self._stale.pop())
        return set(self._keys.get(value, ()))

    def _refresh(self, key: K) -> None:
        if key in self._values:
            old = self._values.pop(key)
            self._keys[old].discard(key)
            if not self._keys[old]:
                del self._keys[old]
        row = self._rows.get(key)
        value = None if row is None else self._value_of(row)
        if value is not None:
            self._values[key] = value
            self._keys.setdefault(value, set()).add(key)
