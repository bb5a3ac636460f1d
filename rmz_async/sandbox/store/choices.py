"""Fields that have one of a few values, and refuse any other."""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

__all__ = ("chosen", "refusal_of")

E = TypeVar("E", bound=Enum)


def chosen(choices: type[E], value: object, field: str) -> E:
    """Return the member of *choices* that *value* is, or is the value of.

    Raises:
        ValueError: There is none; the message names *field* and the choices.
    """
    try:
        return choices(value)
    except ValueError:
        raise ValueError(f"{field} {refusal_of(value, choices)}") from None


def refusal_of(value: object, choices: type[Enum]) -> str:
    """Return the words that say that *value* is none of *choices*."""
    known = ", ".join(repr(choice.value) for choice in choices)
    return f"must be one of {known}, not {value!r}"
