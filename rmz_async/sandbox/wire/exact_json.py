"""JSON in which a price stays what was written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import cast

__all__ = ("dumps", "loads")

_LARGEST_EXPONENT = 308


def dumps(value: object) -> bytes:
    """Write *value*; a `Decimal` becomes a number with the digits that it has.

    The standard encoder can write a `Decimal` only as a string or through a float. Like PHP's,
    the result is ASCII.
    """
    return _written(value).encode("ascii")


def loads(body: bytes) -> object:
    """Read *body*, strictly as UTF-8.

    Raises:
        ValueError: The body is not JSON, or holds a string that UTF-8 cannot carry or a number that
            PHP's floats cannot.
    """
    try:
        value = json.loads(body.decode("utf-8"), parse_float=_number, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    # An unpaired surrogate passes json.loads, and PHP refuses it.
    json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
    return cast("object", value)


def _written(value: object) -> str:
    match value:
        case Decimal():
            return format(value, "f")
        case Mapping():
            members = cast("Mapping[str, object]", value).items()
            return "{" + ",".join(f"{json.dumps(k)}:{_written(v)}" for k, v in members) + "}"
        case Sequence() if not isinstance(value, str):
            return "[" + ",".join(map(_written, cast("Sequence[object]", value))) + "]"
        case _:
            return json.dumps(value)


def _number(text: str) -> Decimal:
    value = Decimal(text)
    exponent = value.adjusted()
    if abs(exponent) <= _LARGEST_EXPONENT:
        return value
    # Python would write a number with a large exponent with all its zeros.
    if value and exponent > 0:
        raise ValueError("a number out of range")
    return Decimal(0)


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")
