"""Changes to a store that a person wrote down: checked by name and by value."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any, cast

import attrs

from rmz_async.sandbox.snapshots.conversion import row_types, structured
from rmz_async.sandbox.store.state import Store

__all__ = ("apply", "mapping", "unknown")

_SINGLE = ("profile", "switches")


def apply(given: Mapping[str, Any], store: Store) -> None:
    """Change rows of *store*, or add some.

    Args:
        given: By the name of a table, then by the row's key, then by the field, as
            ``{"subscriptions": {501: {"status": "past_due"}}}``. A row that is not there yet needs
            every field that has no default. ``profile`` and ``switches`` have no key.
        store: The store to change.

    Raises:
        ValueError: A name is unknown, or a value breaks a rule. The message names the field and
            the rule.
    """
    types = row_types()
    for name, rows in given.items():
        path = f"state.{name}"
        if name in _SINGLE:
            _set(getattr(store, name), mapping(rows, path), path)
        elif name not in types:
            raise ValueError(f"{path}: {unknown(name, (*types, *_SINGLE))}")
        else:
            for key, fields in mapping(rows, path).items():
                _apply_row(name, key, fields, store)


def unknown(name: str, known: Collection[str]) -> str:
    """Return the words that say that there is no *name*, and what may have been meant."""
    close = difflib.get_close_matches(name, known, 1)
    meant = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(known))}"
    return f"there is no {name}; {meant}"


def _apply_row(name: str, key: object, fields: Any, store: Store) -> None:
    key_type, row_type = row_types()[name]
    path = f"state.{name}.{key}"
    row_key: Any = structured(key, key_type, path)
    table = store.tables()[name]
    changes = mapping(fields, path)
    if row_key in table:
        _set(table[row_key], changes, path)
        return
    names = {field.name for field in attrs.fields(row_type)}
    for field in changes:
        _check(field, names, path)
    own_key = {field: row_key for field in ("id", "key", "token") if field in names}
    # The last of several is the table's: a session's ``id`` is not its key.
    if own_key:
        changes = {list(own_key)[-1]: row_key, **changes}
    table[row_key] = structured(changes, row_type, path)


def _set(target: Any, changes: Mapping[str, Any], path: str) -> None:
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(attrs.resolve_types(target.__class__))
    types = {field.name: field.type for field in fields}
    for name, value in changes.items():
        _check(name, types, path)
        wanted = structured(value, types[name], f"{path}.{name}")
        try:
            setattr(target, name, wanted)
        except ValueError as problem:
            raise ValueError(f"{path}.{name}: {problem.args[0]}") from None


def _check(name: str, known: Collection[str], path: str) -> None:
    if name not in known:
        raise ValueError(f"{path}.{name}: {unknown(name, known)}")


def mapping(value: object, path: str) -> Mapping[str, Any]:
    """Return *value*, which stands at *path*, if it is a table.

    Raises:
        ValueError: The value is something else.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"{path}: must be a table of names and values, not {value!r}")
    return cast("Mapping[str, Any]", value)
