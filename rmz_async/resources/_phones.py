"""Pure: phone numbers as people write them, turned into what RMZ stores.

RMZ takes any 5 to 15 digits as a number of its own: with ``0512345678`` in place of ``512345678`` a
second customer is made, and a portal session shows another person's subscriptions.
"""

from __future__ import annotations

import unicodedata

MAX_DIAL_CODE = 5
MIN_DIGITS = 5
MAX_DIGITS = 15

# Digits after the dial code, in the countries that stores sell to. Elsewhere a number may begin
# with the digits of its own dial code, so only a plus or 00 marks a repeated one.
_NATIONAL_DIGITS = {
    "965": (8,),
    "966": (9,),
    "968": (8,),
    "971": (8, 9),
    "973": (8,),
    "974": (8,),
}

# Countries in which a number is dialled with a zero in front at home, and never has one otherwise.
_TRUNK_ZERO = ("966", "971")

# Characters of a refused number that a message shows: more would not be a phone number.
_MAX_SHOWN = 20


class PhoneError(ValueError):
    """A number that cannot be understood; the message is the rule that it breaks."""


def dial_code_of(value: object) -> str:
    """Return a dial code as ASCII digits, without a plus or 00.

    Raises:
        PhoneError: The value is not a dial code.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        value = str(value)
    if not isinstance(value, str):
        raise PhoneError(f"must be a string or an integer of 1 to {MAX_DIAL_CODE} digits")
    _, digits = _digits_of(value)
    if digits.startswith("0"):
        raise PhoneError(f"must not begin with a zero, and is {digits[:_MAX_SHOWN]}")
    if not 1 <= len(digits) <= MAX_DIAL_CODE:
        raise PhoneError(_count_fault(1, MAX_DIAL_CODE, digits))
    return digits


def phone_digits_of(value: object, dial_code: str | None) -> str:
    """Return a phone number as the ASCII digits that follow the dial code.

    Args:
        value: The number, in any digits, with blanks, hyphens, dots, slashes and brackets.
        dial_code: Its dial code, as `dial_code_of` returns it; None if it is unknown.

    Raises:
        PhoneError: The value is not a phone number, or has another dial code.
    """
    if not isinstance(value, str):
        raise PhoneError(f"must be a string of {MIN_DIGITS} to {MAX_DIGITS} digits")
    international, digits = _digits_of(value)
    if international:
        digits = _without_dial_code(digits, dial_code)
    if dial_code is not None:
        digits = _national(digits, dial_code)
    if not MIN_DIGITS <= len(digits) <= MAX_DIGITS:
        raise PhoneError(_count_fault(MIN_DIGITS, MAX_DIGITS, digits))
    return digits


def _digits_of(value: str) -> tuple[bool, str]:
    """Return whether *value* begins with a plus or 00, and the digits after that."""
    written = "".join(character for character in value if not _is_separator(character))
    international = written.startswith("+")
    digits = "".join(map(_as_ascii, written[1:] if international else written))
    if not international and digits.startswith("00"):
        return True, digits[2:]
    return international, digits


def _is_separator(character: str) -> bool:
    # Contacts that are copied from a phone bring invisible marks of direction (Cf) with them.
    return (
        character.isspace()
        or character in "-.()/\u2212"
        or unicodedata.category(character) in ("Cf", "Pd")
    )


def _as_ascii(character: str) -> str:
    if not character.isdecimal():
        raise PhoneError(f"must have digits only, and has {character!a}")
    return str(unicodedata.decimal(character))


def _without_dial_code(digits: str, dial_code: str | None) -> str:
    if dial_code is None:
        raise PhoneError("must not begin with + or 00, unless a country code is given as well")
    if not digits.startswith(dial_code):
        found = digits[: len(dial_code)]
        raise PhoneError(f"must have the dial code {dial_code} after + or 00, and has {found}")
    return digits.removeprefix(dial_code)


def _national(digits: str, dial_code: str) -> str:
    """Remove dial codes that are repeated without a plus, and the zero for calls at home."""
    lengths = _NATIONAL_DIGITS.get(dial_code, ())
    rest = digits = _without_trunk_zero(digits, dial_code)
    # The first rest that fits is the number: the digits of a dial code can begin a number too.
    while (bare := rest.lstrip("0")).startswith(dial_code):
        rest = _without_trunk_zero(bare.removeprefix(dial_code), dial_code)
        if len(rest) in lengths:
            return rest
    return digits


def _without_trunk_zero(digits: str, dial_code: str) -> str:
    return digits.removeprefix("0") if dial_code in _TRUNK_ZERO else digits


def _count_fault(least: int, most: int, digits: str) -> str:
    found = f"{len(digits)} ({digits[:_MAX_SHOWN]})" if digits else "none"
    return f"must have {least} to {most} digits, and has {found}"
