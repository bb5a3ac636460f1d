"""What all models share: keyword-only, frozen, nothing lost, and back to plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, cast

import attrs

from rmz_async._decoding.strict_json import JSON
from rmz_async.models._wire_names import WIRE_NAMES


# types.MappingProxyType would serve, could it be pickled and copied.
class JSONObject(Mapping[str, Any]):
    """A read-only JSON object."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Any] | None = None) -> None:
        self._items = {} if items is None else dict(items)

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        # The values may be lists; equal objects have equal keys, which is all that a hash promises.
        return hash(frozenset(self._items))

    def __repr__(self) -> str:
        return repr(self._items)


EMPTY = JSONObject()


# attrs would write and compile the methods below anew for each model, whenever it is imported.
@attrs.frozen(kw_only=True, eq=False, repr=False)
class Model:
    """One object of the API.

    Attributes:
        extra: Keys that RMZ sent and this version does not know, as they came; read-only.
    """

    extra: Mapping[str, Any] = attrs.field(default=EMPTY, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that ``json.dumps`` takes, under the names that RMZ uses.

        Money becomes a string, so that it stays exact, and times become ISO 8601. Unknown keys are
        kept. :func:`rmz_async.from_dict` reverses it.
        """
        names = WIRE_NAMES.get(type(self).__name__, {})
        plain = {
            names.get(field.name, field.name): _plain_field(getattr(self, field.name))
            for field in attrs.fields(type(self))
            if field.name != "extra"
        }
        return plain | {key: _plain_json(value) for key, value in self.extra.items()}

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return _values(self) == _values(other)

    def __hash__(self) -> int:
        fields = attrs.fields(type(self))
        return hash(tuple(getattr(self, field.name) for field in fields if field.hash is not False))

    def __repr__(self) -> str:
        shown = (field.name for field in attrs.fields(type(self)) if field.repr)
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{type(self).__qualname__}({fields})"


def _values(model: Model) -> tuple[object, ...]:
    return tuple(getattr(model, field.name) for field in attrs.fields(type(model)))


def _plain_field(value: object) -> JSON:
    if isinstance(value, tuple):
        return [_plain(item) for item in cast("tuple[object, ...]", value)]
    return _plain(value)


def _plain(value: object) -> JSON:
    match value:
        case Model():
            return value.to_dict()
        case Enum():
            return cast("JSON", value.value)
        case Decimal():
            return str(value)
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case JSONObject():
            return {key: _plain_json(item) for key, item in value.items()}
        case _:
            return _plain_json(cast("JSON", value))


def _plain_json(value: JSON) -> JSON:
    if isinstance(value, Decimal):
        # A number stays a number as long as a float writes the very digits that RMZ wrote.
        number = float(value)
        return number if Decimal(repr(number)) == value else str(value)
    if isinstance(value, dict):
        return {key: _plain_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain_json(item) for item in value]
    return value
