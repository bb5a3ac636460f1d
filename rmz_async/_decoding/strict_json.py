"""Strict JSON: bytes in, plain data out, numbers exact."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

from rmz_async.models._json_object import JSON


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    merged = dict(pairs)
    if len(merged) != len(pairs):
        raise ValueError("a key occurs twice in one object")
    return merged


# The blanks that JSON allows around a value; a plain str.strip() removes more.
_SPACE = " \t\n\r"

# The most values of a body, because in memory a value takes up to a hundred times its bytes. Commas
# and brackets are counted, inside strings too, because that takes no time.
MAX_VALUES = 150_000

# A shorter body, in bytes, has no room for so many.
_COUNTED_FROM = 64 * 1024

# RMZ nests fewer than 20. A value that is nested some hundreds deep could be read, but neither
# printed nor pickled.
MAX_DEPTH = 128

# Decoders are kept, because json.loads() with options builds a new one, and its scanner, on every
# call.
_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)
_UNIQUE = json.JSONDecoder(
    parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_refuse_duplicates
)


def parse(body: bytes, *, unique_keys: bool = False) -> JSON:
    """Return the value that *body* holds.

    Numbers with a fraction become ``Decimal``: money never passes through a binary float. A number
    that Python cannot hold is the string that was written.

    Args:
        body: UTF-8 and nothing else; a byte order mark is refused.
        unique_keys: Refuse an object that names a key twice.

    Raises:
        ValueError: The body is not JSON, is nested too deeply, or is too large to be held. The
            message shows nothing of the body.
    """
    if len(body) > _COUNTED_FROM and sum(map(body.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise ValueError("too many values")
    try:
        text = body.decode().strip(_SPACE)
        value, end = _read(text, unique_keys=unique_keys)
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except json.JSONDecodeError as error:
        # The error object holds the whole document; its message holds nothing of it.
        raise ValueError(f"not JSON: {error}") from None
    if end != len(text):
        raise ValueError("not JSON: more follows the end of the value")
    # A body with so few brackets is not nested too deeply. `replace` finds them five times faster
    # than `count`, which looks at each byte by itself.
    most = MAX_DEPTH + 1
    without = body.replace(b"[", b"", most).replace(b"{", b"", most)
    if len(body) - len(without) > MAX_DEPTH:
        _check_depth(value)
    return value


def _read(text: str, *, unique_keys: bool) -> tuple[JSON, int]:
    try:
        return (_UNIQUE if unique_keys else _DECODER).raw_decode(text)
    except json.JSONDecodeError:
        raise
    except (ArithmeticError, ValueError):
        # A number that nobody decides by must not cost all else that the body says.
        tolerant = json.JSONDecoder(
            parse_float=_number,
            parse_int=_number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_refuse_duplicates if unique_keys else None,
        )
        return tolerant.raw_decode(text)


def _number(written: str) -> int | Decimal | str:
    try:
        return int(written) if written.lstrip("-").isdigit() else Decimal(written)
    except (ArithmeticError, ValueError):
        return written


def _check_depth(value: JSON) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _containers(outer)]
        if not level:
            return
    raise ValueError("nested too deeply")


def _containers(value: JSON) -> list[JSON]:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, (dict, list))]


def dump(value: object) -> bytes:
    """Return *value* as compact UTF-8 JSON."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
