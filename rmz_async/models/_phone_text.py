"""Phone numbers as a person types them, and the only importer of phonenumbers."""

from __future__ import annotations

import unicodedata
from typing import cast

from rmz_async._extras import extra
from rmz_async.errors import InvalidRequestError

# Characters of a refused text that a message shows: more would not be a phone number.
_MAX_SHOWN = 20


def parse_phone(text: str, region: str | None) -> tuple[str, str]:
    """Return the dial code and the digits after it.

    Args:
        text: The number as a person typed it.
        region: The country of numbers without a dial code, or None.

    Raises:
        InvalidRequestError: The string is not a phone number that can exist.
        MissingExtraError: phonenumbers is not installed.
    """
    with extra("phone", needed_by="PhoneNumber.parse"):
        import phonenumbers
    if not isinstance(cast("object", text), str):
        raise _fault("", "it is no string")
    # A number that is copied brings invisible marks of direction with it.
    written = "".join(letter for letter in text if unicodedata.category(letter) != "Cf").strip()
    # Without a region, only a plus begins a dial code for phonenumbers, and 00 does not.
    if written[:2] in ("00", "٠٠", "۰۰"):
        written = f"+{written[2:]}"
    try:
        found = phonenumbers.parse(written, region and region.upper())
    except phonenumbers.NumberParseException as error:
        raise _fault(text, str(error)) from None
    if not phonenumbers.is_possible_number(found):
        raise _fault(text, "the number of digits fits no number of that country")
    return str(found.country_code), phonenumbers.national_significant_number(found)


def _fault(text: str, reason: str) -> InvalidRequestError:
    digits = "".join(character for character in text if character.isdecimal())
    found = f"{len(digits)} digits ({digits[:_MAX_SHOWN]})" if digits else "no digits"
    rule = f"must be a phone number, and has {found}: {reason}"
    return InvalidRequestError(f"phone {rule}", errors={"phone": (rule,)})
