"""The meaning of one value: the home of every quirk of the wire.

A value that PHP or MySQL writes in another form is read if that form can mean one thing only.
Anything else is refused. No message shows a value, because an answer may hold personal data.

Each function takes the type as well, because cattrs calls a hook with both, and reads null as None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar

from rmz_async.models import Duration
from rmz_async.models._json_object import EMPTY, JSON, JSONObject

# ASCII only: int() and Decimal() would read Arabic digits, which stand in labels only.
_INTEGER = re.compile(r"(-?[0-9]{1,19})(\.0+)?")
_MAX_DIGITS = 19
# An exponent is allowed, because Decimal and PHP write tiny and huge numbers with an exponent.
_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?(E[+-]?[0-9]{1,18})?", re.IGNORECASE)
# A plain "1,299" is refused: in some languages the comma begins the fraction.
_GROUPED_AMOUNT = re.compile(r"-?[0-9]{1,3}((,[0-9]{3})+\.[0-9]{1,2}|(,[0-9]{3}){2,})")
_DATE_LENGTH = len("2024-01-01")
# MySQL's zero dates, and PHP's way of writing them.
_NO_TIME = ("0000-00-00", "-0001-11-30")

# RMZ writes the duration of a product's plan in days.
_DURATION_IN_DAYS: Mapping[str, Enum] = {
    "30": Duration.MONTHLY,
    "90": Duration.QUARTERLY,
    "180": Duration.SEMI_ANNUAL,
    "365": Duration.ANNUALLY,
    "730": Duration.BIENNIAL,
    "1825": Duration.QUINQUENNIAL,
    "3650": Duration.DECENNIAL,
}

# Bound now: a test that freezes the clock puts another class in the name's place.
_from_iso = datetime.fromisoformat


T = TypeVar("T")


class WrongValueError(ValueError):
    """A value is refused; the message does not show it."""


def decisive(read: Callable[[Any], T | None], kind: str) -> Callable[[Any, object], T]:
    """Return the hook of a field that must have a value of this kind."""

    def hook(value: Any, _: object) -> T:
        found = read(value)
        if found is None:
            raise WrongValueError(f"expected {kind}")
        return found

    return hook


def integer(value: Any, _: object = None) -> int | None:
    """Read an integer, also from a string or from a number such as ``12.0``."""
    if value.__class__ is int or value is None:
        return value
    if isinstance(value, str) and (written := _INTEGER.fullmatch(value)):
        return int(written[1])
    # The number of digits first: an exponent could ask for millions of them.
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < _MAX_DIGITS:
        whole = int(value)
        if whole == value:
            return whole
    raise WrongValueError("expected an integer")


def size(value: Any, _: object = None) -> int | None:
    """Read an integer of a page's frame that no decision depends on; None if it is none."""
    try:
        return integer(value)
    except WrongValueError:
        return None


def boolean(value: Any, _: object = None) -> bool | None:
    """Read true or false, also as 1 or 0."""
    if value.__class__ is bool or value is None:
        return value
    if value in (0, 1, "0", "1"):
        return value in (1, "1")
    raise WrongValueError("expected true or false")


def string(value: Any, _: object = None) -> str | None:
    """Read a string, also if PHP has made an integer of it."""
    if value.__class__ is str or value is None:
        return value
    if value.__class__ is int:
        return str(value)
    raise WrongValueError("expected a string")


def address(value: Any, _: object = None) -> str:
    """Read a string that an answer must have; each of these is the address of a page."""
    if value.__class__ is str and value:
        return str(value)
    raise WrongValueError("expected a string")


def money(value: Any, _: object = None) -> Decimal | None:
    """Read an amount, exact."""
    if value is None or (value.__class__ is Decimal and value.is_finite()):
        return value
    if value.__class__ is int:
        return Decimal(value)
    if isinstance(value, str):
        if _AMOUNT.fullmatch(value):
            return Decimal(value)
        if _GROUPED_AMOUNT.fullmatch(value):
            return Decimal(value.replace(",", ""))
    raise WrongValueError("expected an amount")


def time(value: Any, _: object = None) -> datetime | None:
    """Read a time, in UTC; a date is its first moment, and an empty or zero date is none."""
    if value is None:
        return None
    try:
        # A date with a time is read faster than a date that gets its offset later.
        moment = _from_iso(f"{value}T00:00:00Z" if len(value) == _DATE_LENGTH else value)
        if moment.tzinfo is UTC:
            return moment
        # RMZ writes times without an offset in UTC.
        is_naive = moment.tzinfo is None
        return moment.replace(tzinfo=UTC) if is_naive else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        if value == "" or (isinstance(value, str) and value.startswith(_NO_TIME)):
            return None
        raise WrongValueError("expected a time") from None


def json_object(value: JSON, _: object = None) -> JSONObject | None:
    """Read an object of any keys."""
    if value is None:
        return None
    if isinstance(value, dict):
        return JSONObject(value) if value else EMPTY
    if isinstance(value, list):
        # PHP writes an object as a list if its keys are 0, 1, 2 and so on, or if it is empty.
        return JSONObject({str(index): item for index, item in enumerate(value)})
    raise WrongValueError("expected an object")


def anything(value: Any, _: object = None) -> Any:
    """Keep a value of which no shape is documented."""
    return value


def nothing(_: Any, __: object = None) -> None:
    """Ignore a value that no field needs."""


def next_page(value: JSON, _: object = None) -> bool:
    """Read whether a page follows: its address is a string, or null or empty if none follows.

    The address itself is not used, because it may point anywhere.
    """
    if value is None or isinstance(value, str):
        return bool(value and value.strip())
    raise WrongValueError("expected an address or null")


def listed(value: JSON) -> list[Any]:
    """Read a list of anything."""
    if isinstance(value, dict):
        # PHP writes a list with a gap in its keys as an object.
        return list(value.values())
    if not isinstance(value, list):
        raise WrongValueError("expected a list")
    return value


def open_enum(enum: type[Enum], *, is_decisive: bool) -> Callable[[Any, object], Any]:
    """Return the hook that reads a member, or a value that RMZ has added since.

    Args:
        enum: Its members' values are all strings or all integers.
        is_decisive: Whether access depends on the value, so that nothing but a string will do for
            a string, and null is refused.
    """
    members: Mapping[Any, Enum] = {member.value: member for member in enum}
    in_days: Mapping[str, Enum] = _DURATION_IN_DAYS if enum is Duration else {}
    read = integer if all(isinstance(value, int) for value in members) else string

    def structure(value: Any, _: object) -> Any:
        if value.__class__ is not str or read is integer:
            if is_decisive:
                raise WrongValueError("expected a string")
            if value is None:
                return None
            value = read(value)
        return members.get(value) or in_days.get(value, value)

    return structure


# Defined here, and not beside the converter, which the first answer imports: by then, a test that
# freezes the clock would have replaced ``datetime``.
READERS: Mapping[Any, Callable[[Any, Any], Any]] = {
    bool: boolean,
    datetime: time,
    Decimal: money,
    int: integer,
    Mapping[str, Any]: json_object,
    str: string,
}
"""The hook of each kind of value that may be missing."""
