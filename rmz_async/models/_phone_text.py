"""Phone numbers as a person types them, and the only importer of phonenumbers."""

from __future__ import annotations

from rmz_async.errors import InvalidRequestError, MissingExtraError


def parse_phone(text: str, region: str | None) -> tuple[str, str]:
    """Return the dial code and the digits after it.

    Args:
        text: The number as a person typed it.
        region: The country of numbers without a dial code, or None.

    Raises:
        InvalidRequestError: The string is not a phone number that can exist.
        MissingExtraError: phonenumbers is not installed.
    """
    try:
        import phonenumbers
    except ImportError:
        raise MissingExtraError(
            'PhoneNumber.parse needs an extra: pip install "rmz[phone]"'
        ) from None
    try:
        # Without a region, only a plus begins a dial code for phonenumbers, and 00 does not.
        stripped = text.strip()
        found = phonenumbers.parse(
            f"+{stripped[2:]}" if stripped[:2] in ("00", "٠٠", "۰۰") else stripped, region
        )
    except phonenumbers.NumberParseException as error:
        raise _fault(text, str(error)) from None
    if not phonenumbers.is_possible_number(found):
        raise _fault(text, "the number of digits fits no number of that country")
    return str(found.country_code), phonenumbers.national_significant_number(found)


def _fault(text: str, reason: str) -> InvalidRequestError:
    digits = sum(character.isdecimal() for character in text)
    rule = f"must be a phone number, and has {digits} digits: {reason}"
    return InvalidRequestError(f"phone {rule}", errors={"phone": (rule,)})
