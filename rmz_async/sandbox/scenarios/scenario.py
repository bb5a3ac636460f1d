"""A scenario as it stands in a file: read and checked before anything is played."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, cast

import attrs

from rmz_async.sandbox.scenarios.actions import ACTIONS
from rmz_async.sandbox.scenarios.expectations import EXPECTATIONS
from rmz_async.sandbox.scenarios.stage import REFERENCE, Stage
from rmz_async.sandbox.seed.given import apply, mapping, unknown
from rmz_async.sandbox.seed.store import seeded_store
from rmz_async.sandbox.snapshots.conversion import structured
from rmz_async.sandbox.tokens import looks_live

__all__ = ("Scenario", "ScenarioError", "Step", "read")

_STEPS = {**ACTIONS, **EXPECTATIONS}
_TITLE = "title"
_SAVED_NAME = re.compile(REFERENCE.pattern.removeprefix(r"\$"))


class ScenarioError(Exception):
    """A file is no scenario; the message names the step, the field and the rule."""


class _Playable(Protocol):
    async def play(self, stage: Stage) -> None:
        """Do the step."""
        ...


@attrs.frozen
class Step:
    """A step of a scenario.

    Attributes:
        number: 1 for the first.
        kind: The word for what it does, such as ``subscribe``.
        title: For people; the kind if the file has no title.
        deed: Does it.
    """

    number: int
    kind: str
    title: str
    deed: _Playable


@attrs.frozen(kw_only=True)
class Scenario:
    """A story.

    Attributes:
        path: The file, as it was named.
        start: The time at which it begins.
        seed: Makes it the same in each run.
        throttle: Whether the rate limits are kept.
        state: Changes to the seeded store.
    """

    path: str
    name: str
    steps: tuple[Step, ...]
    start: datetime
    seed: int | str
    throttle: bool
    state: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class _File:
    name: str
    step: tuple[dict[str, object], ...]
    start: datetime = datetime(2026, 1, 1, 9, tzinfo=UTC)
    seed: int | str = 1
    throttle: bool = True
    state: dict[str, object] = attrs.field(factory=dict[str, object])


def read(path: Path) -> Scenario:
    """Return the scenario of a file.

    Raises:
        ScenarioError: The file is no scenario.
        OSError: The file cannot be read.
    """
    try:
        text = path.read_text("utf-8")
        content = tomllib.loads(text)
    except ValueError as problem:
        raise ScenarioError(f"{path}: not TOML: {problem}") from None
    if looks_live(text):
        raise ScenarioError(f"{path}: the file has a token that may belong to a real store")
    file = _table_as(_File, content, str(path))
    if not file.step:
        raise ScenarioError(f"{path}: step: there must be at least one [[step]]")
    try:
        apply(file.state, seeded_store(file.start))
    except ValueError as problem:
        raise ScenarioError(f"{path}: {problem}") from None
    steps = tuple(_step(number, row, str(path)) for number, row in enumerate(file.step, 1))
    _check_references(file.step, str(path))
    return Scenario(
        path=str(path),
        name=file.name,
        steps=steps,
        start=file.start,
        seed=file.seed,
        throttle=file.throttle,
        state=file.state,
    )


def _step(number: int, row: Mapping[str, object], path: str) -> Step:
    kinds = [key for key in row if key != _TITLE]
    place = f"{path}: step {number}"
    if len(kinds) != 1:
        found = ", ".join(kinds) or "nothing"
        raise ScenarioError(f"{place}: a step does one thing, and this one has {found}")
    (kind,) = kinds
    if kind not in _STEPS:
        raise ScenarioError(f"{place}: {unknown(kind, _STEPS)}")
    title = row.get(_TITLE, kind)
    if not isinstance(title, str):
        raise ScenarioError(f"{place}: title: must be a string, not {title!r}")
    deed = _table_as(_STEPS[kind], row[kind], f"{place} ({kind})")
    return Step(number, kind, title, deed)


def _table_as(kind: type[Any], value: object, place: str) -> Any:
    try:
        return structured(mapping(value, ""), kind, "")
    except ValueError as problem:
        # The place of a field begins with a dot, and that of the table is empty.
        raise ScenarioError(f"{place}: {str(problem).removeprefix(': ').lstrip('.')}") from None


def _check_references(rows: tuple[dict[str, object], ...], path: str) -> None:
    """See that each ``$name`` was saved by a step before."""
    saved: set[str] = set()
    for number, row in enumerate(rows, 1):
        for kind, fields in row.items():
            place = f"{path}: step {number} ({kind})"
            for name in _references(fields):
                if name not in saved:
                    raise ScenarioError(f"{place}: nothing was saved as ${name} by a step before")
            for name in _names(fields):
                if _SAVED_NAME.fullmatch(name) is None:
                    raise ScenarioError(
                        f"{place}: save: a name is small letters, digits and '_', not {name!r}"
                    )
                saved.add(name)


def _references(value: object) -> Iterator[str]:
    match value:
        case str():
            yield from REFERENCE.findall(value)
        case dict():
            for key, row in cast("dict[str, object]", value).items():
                yield from REFERENCE.findall(key)
                yield from _references(row)
        case list():
            for row in cast("list[object]", value):
                yield from _references(row)
        case _:
            return


def _names(fields: object) -> list[str]:
    save = cast("dict[str, object]", fields).get("save") if isinstance(fields, dict) else None
    if isinstance(save, dict):
        return [*cast("dict[str, object]", save)]
    return [save] if isinstance(save, str) else []
