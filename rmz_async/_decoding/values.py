"""What one value means: the home of every quirk of the wire.

What PHP and MySQL make of a value is accepted where it can mean one thing only; anything else is
refused. No message shows a value: an answer may hold personal data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from rmz_async.models._json_object import EMPTY, JSON, JSONObject

# ASCII only: int() and Decimal() would read Arabic digits, which stand in labels alone.
_INTEGER = re.compile(r"-?[0-9]{1,19}")
# Whatever Decimal writes can be read again: PHP writes tiny and huge numbers with an exponent.
_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?(E[+-]?[0-9]{1,18})?", re.IGNORECASE)
_DATE_LENGTH = len("2024-01-01")


class WrongValueError(ValueError):
    """A value is refused; the text does not show it."""


def integer(value: Any) -> int:
    """Read an integer, also where MySQL has made a text of it."""
    if type(value) is int:
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    raise WrongValueError("expected an integer")


def boolean(value: Any) -> bool:
    """Read true or false, also as 1 or 0."""
    if type(value) is bool:
        return value
    if value in (0, 1, "0", "1"):
        return value in (1, "1")
    raise WrongValueError("expected true or false")


def text(value: Any) -> str:
    """Read a text, also where PHP has made an integer of it."""
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    raise WrongValueError("expected a text")


def money(value: Any) -> Decimal:
    """Read an amount, exact."""
    if type(value) is Decimal and value.is_finite():
        return value
    if type(value) is int or (isinstance(value, str) and _AMOUNT.fullmatch(value)):
        return Decimal(value)
    raise WrongValueError("expected an amount")


def time(value: Any) -> datetime:
    """Read a time, in UTC."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise WrongValueError("expected a time") from None
    if moment.tzinfo is UTC:
        return moment
    # What has no offset is UTC.
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def date_or_time(value: Any) -> date:
    """Read a day, or a time in UTC."""
    if isinstance(value, str) and len(value) == _DATE_LENGTH:
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise WrongValueError("expected a date") from None
    return time(value)


def json_object(value: JSON) -> JSONObject:
    """Read an object of any keys."""
    if isinstance(value, dict):
        return JSONObject(value)
    # PHP writes an empty associative array as a list.
    if value == []:
        return EMPTY
    raise WrongValueError("expected an object")


def nothing(_: Any) -> None:
    """Read what nobody looks at."""


def open_enum(members: Mapping[Any, Enum]) -> Callable[[Any], Any]:
    """Return what reads a member, or a value that RMZ has grown since."""
    if all(isinstance(member, int) for member in members):
        return lambda value: members.get(number := integer(value), number)

    def structure(value: Any) -> Any:
        # An unhashable value cannot be looked up, and is not a text either.
        if type(value) is not str:
            raise WrongValueError("expected a text")
        return members.get(value, value)

    return structure


def listed(value: JSON) -> list[Any]:
    """Read a list of anything."""
    if isinstance(value, dict):
        # PHP writes a list with a gap in its keys as an object.
        return list(value.values())
    if not isinstance(value, list):
        raise WrongValueError("expected a list")
    return value
