"""Fields that have one of a few values, and refuse any other."""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

__all__ = ("chosen",)

E = TypeVar("E", bound=Enum)


def chosen(choices: type[E], value: object, field: str) -> E:
    """Return the member of *choices* that *value* is, or is the value of.

    Raises:
        ValueError: There is none; the message names *field* and the choices.
    """
    try:
        return choices(value)
    except ValueError:
        known = ", ".join(repr(choice.value) for choice in choices)
        raise ValueError(f"{field} must be one of {known}, not {value!r}") from None
