"""The differences between two snapshots, as rows that people and programs read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from rmz_async.sandbox.snapshots.snapshot import Snapshot

__all__ = ("HIDDEN", "Change", "changes_between")

HIDDEN = "(not shown)"
"""Stands for a value that is a secret, such as a customer's code for the portal."""

# The keys of these rows open a page for whoever has them.
_SECRET_KEYS = ("portal_sessions",)
_SHOWN_OF_KEY = 4


@attrs.frozen
class Change:
    """A field that differs.

    Attributes:
        object: The name of a table of `Store`, such as ``subscriptions``; or ``clock``,
            ``profile``, ``switches``, ``webhooks``, ``faults``, ``ledger``, ``deliveries``,
            ``messages`` or ``requests``.
        id: The row's key. Rows of a log are counted from 1, and the others that have no key have
            ``""``.
        field: The name of the field, such as ``status`` or ``card.declined``; ``""`` if the row
            itself came or went.
        before: The value in the first snapshot; None if there was no row.
        after: The value in the second snapshot; None if there is no row.
    """

    object: str
    id: int | str
    field: str
    before: Any
    after: Any

    def __str__(self) -> str:
        """Return the change on one line."""
        words = [self.object, str(self.id), self.field]
        name = " ".join(filter(None, words))
        if self.field:
            return f"{name}: {_words(self.before)} → {_words(self.after)}"
        return f"{name}: {'added' if self.before is None else 'removed'}"


def changes_between(first: Snapshot, second: Snapshot) -> tuple[Change, ...]:
    """Return what differs, table by table, and within a table by key."""
    return tuple(_changes(first, second))


def _changes(first: Snapshot, second: Snapshot) -> Iterator[Change]:
    if first.moment != second.moment:
        yield Change("clock", "", "now", first.moment, second.moment)
    for name, table in first.tables.items():
        yield from _of_rows(name, table.rows, second.tables[name].rows)
    yield from _of_row("profile", "", first.profile, second.profile)
    yield from _of_row("switches", "", first.switches, second.switches)
    webhooks = [{webhook.id: webhook for webhook in side.webhooks} for side in (first, second)]
    yield from _of_rows("webhooks", *webhooks)
    yield from _of_log("faults", first.faults.rules, second.faults.rules)
    yield from _of_log("ledger", first.ledger, second.ledger)
    yield from _of_log("deliveries", first.courier.log, second.courier.log)
    yield from _of_log("messages", first.messages, second.messages)
    # The sandbox keeps the latest requests only, so positions cannot be compared, but counts can.
    if first.requests_count != second.requests_count:
        yield Change("requests", "", "count", first.requests_count, second.requests_count)


def _of_log(name: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    yield from _of_rows(name, dict(enumerate(before, 1)), dict(enumerate(after, 1)))


def _of_rows(name: str, before: Mapping[Any, Any], after: Mapping[Any, Any]) -> Iterator[Change]:
    keys = [key for key, row in before.items() if after.get(key) is not row]
    keys += [key for key in after if key not in before]
    for key in sorted(keys):
        old, new = before.get(key), after.get(key)
        shown = f"{key[:_SHOWN_OF_KEY]}…" if name in _SECRET_KEYS else key
        if old is None or new is None:
            yield Change(name, shown, "", old, new)
        else:
            yield from _of_row(name, shown, old, new)


def _of_row(
    name: str, key: int | str, before: Any, after: Any, within: str = ""
) -> Iterable[Change]:
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(before.__class__)
    for field in fields:
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old == new or not field.eq:
            continue
        path = f"{within}{field.name}"
        if old.__class__ is new.__class__ and attrs.has(old.__class__):
            yield from _of_row(name, key, old, new, f"{path}.")
        else:
            shown = (old, new) if field.repr else (HIDDEN, HIDDEN)
            yield Change(name, key, path, *shown)


def _words(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
