"""Snapshots in files: JSON with a version, written whole and read strictly."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import attrs

from rmz_async.sandbox.snapshots.conversion import StructureError, converter, row_types, structured
from rmz_async.sandbox.snapshots.snapshot import Snapshot
from rmz_async.sandbox.store.table import KeptRows
from rmz_async.sandbox.tokens import looks_live

__all__ = ("FORMAT", "VERSION", "FileError", "decoded", "encoded", "write")

FORMAT = "rmz-sandbox-snapshot"
VERSION = 1
"""Changes whenever an older file can no longer be read as it was meant."""

_TABLES = "tables"
_SHOWN_PROBLEMS = 3


class FileError(Exception):
    """A file cannot be read as a snapshot; the message says which of its fields, and why."""


def write(path: Path, snapshot: Snapshot) -> None:
    """Write *snapshot* to a file that only its owner may read.

    Raises:
        OSError: The file cannot be written; a file that was there is as before.
    """
    # A file that was half written must not take the place of a whole one.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(encoded(snapshot))
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def encoded(snapshot: Snapshot) -> bytes:
    """Return *snapshot* as JSON, in UTF-8."""
    made = converter()
    head: dict[str, object] = {"format": FORMAT, "version": VERSION}
    rest = {
        field.name: made.unstructure(getattr(snapshot, field.name), unstructure_as=field.type)
        for field in attrs.fields(attrs.resolve_types(Snapshot))
        if field.name != _TABLES
    }
    tables = {
        name: {str(key): made.unstructure(row) for key, row in table.rows.items()}
        for name, table in snapshot.tables.items()
    }
    return json.dumps({**head, **rest, _TABLES: tables}, ensure_ascii=False).encode()


def decoded(content: bytes, *, beyond_loopback: bool = False) -> Snapshot:
    """Return the snapshot that `encoded` has written.

    Raises:
        FileError: The content is of another version, is no snapshot, has a value that a sandbox
            refuses, or has the token of a real store.
    """
    content_of = _object(content)
    _check_version(content_of)
    if looks_live(json.dumps(content_of, ensure_ascii=False)):
        raise FileError(
            "the snapshot has a token that may belong to a real store, and was not read: replace "
            "it with a made-up value, such as 1|local"
        )
    snapshot = _structured(content_of)
    for webhook in snapshot.webhooks:
        if webhook.beyond_loopback and not beyond_loopback:
            raise FileError(
                f"webhook {webhook.id} may lead to another machine: pass beyond_loopback=True if "
                "the sandbox may send there"
            )
    return snapshot


def _object(content: bytes) -> dict[str, Any]:
    try:
        value: object = json.loads(content)
    except (ValueError, RecursionError):
        raise FileError("this is no snapshot of a sandbox: the file is not JSON") from None
    found = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    if found.get("format") != FORMAT:
        raise FileError(f'this is no snapshot of a sandbox: its "format" is not "{FORMAT}"')
    return found


def _check_version(content: Mapping[str, Any]) -> None:
    version = content.get("version")
    if version != VERSION:
        raise FileError(
            f"the snapshot has version {version!r} of its format, and this sandbox reads version "
            f"{VERSION}: save it again with the rmz that made it, or install that rmz here"
        )


def _structured(content: Mapping[str, Any]) -> Snapshot:
    fields = {field.name: field.type for field in attrs.fields(attrs.resolve_types(Snapshot))}
    unknown = sorted(content.keys() - fields.keys() - {"format", "version"})
    missing = sorted(fields.keys() - content.keys())
    problems = [f"unknown: {name}" for name in unknown]
    problems += [f"the snapshot has no {name}" for name in missing]
    _refuse(problems)
    values = {
        name: _part(name, content[name], kind, problems)
        for name, kind in fields.items()
        if name != _TABLES
    }
    values[_TABLES] = _tables(content[_TABLES], problems)
    _refuse(problems)
    return Snapshot(**values)


def _refuse(problems: Sequence[str]) -> None:
    more = len(problems) - _SHOWN_PROBLEMS
    if problems:
        shown = "; ".join(problems[:_SHOWN_PROBLEMS])
        raise FileError(shown + (f" (and {more} more)" if more > 0 else ""))


def _tables(value: object, problems: list[str]) -> dict[str, KeptRows[Any, Any]]:
    if not isinstance(value, dict):
        problems.append(f"{_TABLES}: must be an object")
        return {}
    content = cast("dict[str, object]", value)
    types = row_types()
    problems += [f"unknown: {_TABLES}.{name}" for name in sorted(content.keys() - types.keys())]
    tables: dict[str, KeptRows[Any, Any]] = {}
    for name, (key, row) in types.items():
        # A type checker does not know the types of the key and the row.
        kind: Any = dict.__class_getitem__((key, row))
        tables[name] = KeptRows(_part(f"{_TABLES}.{name}", content.get(name, {}), kind, problems))
    return tables


def _part(path: str, value: object, kind: Any, problems: list[str]) -> Any:
    try:
        return structured(value, kind, path)
    except StructureError as error:
        problems += error.problems
        return {}
