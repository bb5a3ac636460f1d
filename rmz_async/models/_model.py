"""The class that all models share: frozen, nothing lost, and back to plain data."""

import functools
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, cast

import attrs

from rmz_async._frozen import frozen as model
from rmz_async.models._json_object import EMPTY, JSON, JSONObject

__all__ = ("OWN_FIELDS", "WIRE_NAMES", "Model", "model", "wire_names")

WIRE_NAMES: Mapping[str, Mapping[str, str]] = {
    "Customer": {"first_name": "firstName", "last_name": "lastName"},
    "NewCustomer": {"first_name": "firstName", "last_name": "lastName"},
    "ProductVariant": {"duration_text": "durationText"},
}
"""The names that RMZ writes in another way than Python does, by model and field."""

# The fields of each model that are none of RMZ's keys.
OWN_FIELDS = ("extra", "unreadable")


@functools.cache
def wire_names(cls: Any) -> Mapping[str, str]:
    """Return the key that RMZ writes for each field of a model."""
    differing = WIRE_NAMES.get(cls.__name__, {})
    names = (field.name for field in attrs.fields(cls) if field.name not in OWN_FIELDS)
    return {name: differing.get(name, name) for name in names}


@functools.cache
def _fields_as_sent(cls: Any) -> frozenset[str]:
    """Return the fields of a model of which no shape is documented: a number there is no money."""
    return frozenset(field.name for field in attrs.fields(cls) if field.type is Any)


# A module of models does without ``from __future__ import annotations``, so that the type of each
# field is known now, and not looked up when the first answer is decoded.
@model(kw_only=True)
class Model:
    """An object of the API."""

    extra: Mapping[str, Any] = attrs.field(default=EMPTY, repr=False)
    """The keys that RMZ sent and that this version does not know, as they came; read-only."""

    unreadable: Mapping[str, Any] = attrs.field(default=EMPTY, repr=False)
    """The values that could not be read, by field, as they came; read-only.

    Such a field is None. ``id``, ``status`` and the few others that decisions depend on are never
    here: an answer in which one of them cannot be read raises an error.
    """

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that ``json.dumps`` takes, under the names that RMZ uses.

        Money becomes a string, so that it stays exact, and times become ISO 8601. Unknown keys and
        unreadable values are kept as they came. :func:`rmz_async.from_dict` reverses it.
        """
        as_sent = _fields_as_sent(cast("Any", type(self)))
        plain: dict[str, Any] = {}
        for name, key in wire_names(cast("Any", type(self))).items():
            value = getattr(self, name)
            # A copy that the caller has evolved may have a value there.
            if value is None and name in self.unreadable:
                plain[key] = _plain_json(self.unreadable[name])
            else:
                plain[key] = (_plain_json if name in as_sent else _plain_field)(value)
        return plain | {key: _plain_json(value) for key, value in self.extra.items()}


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
