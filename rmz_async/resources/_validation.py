"""Pure: the rules of the API for a caller's values, checked before anything is sent.

All faults of a call are collected, as RMZ does, and raised together. Fields have the names that RMZ
gives them in its own refusals, so that both sides can be shown in the same form.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import SupportsIndex, cast
from urllib.parse import urlsplit

from rmz_async._calls.refusals import quoted
from rmz_async._decoding import strict_json as _json
from rmz_async._http.base_url import URLObject
from rmz_async.errors import InvalidRequestError
from rmz_async.models.customers import NewCustomer, PhoneNumber
from rmz_async.operations import Operation
from rmz_async.resources._phones import PhoneError, dial_code_of, phone_digits_of

MAX_ID = 2**63 - 1
MAX_TEXT = 191
MAX_METADATA_KEYS = 20
MAX_METADATA_VALUE = 500

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class Validation:
    """Collects the faults of one call."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation.name
        self._errors: dict[str, list[str]] = {}

    def require(self, field: str, holds: bool, rule: str) -> bool:
        """Record that *field* breaks *rule*, unless it holds."""
        if not holds:
            self._errors.setdefault(field, []).append(rule)
        return holds

    def finish(self) -> None:
        """Raise all faults together.

        Raises:
            InvalidRequestError: There were faults.
        """
        if self._errors:
            faults = "; ".join(
                # A key of the caller's own may have a line break, which could forge a log's line.
                f"{quoted(field)} {', '.join(rules)}"
                for field, rules in self._errors.items()
            )
            raise InvalidRequestError(
                f"{self._operation} was not sent: {faults}",
                errors={field: tuple(rules) for field, rules in self._errors.items()},
            )

    def identifier(self, field: str, value: object) -> int:
        """Return an id as a plain integer; a string could change the address of the call."""
        number = plain_integer(value)
        self.require(
            field, number is not None and 0 < number <= MAX_ID, "must be a positive integer"
        )
        return number or 0

    def integer(self, field: str, value: object, least: int, most: int) -> int:
        """Return a number within a range as a plain integer."""
        number = plain_integer(value)
        self.require(
            field,
            number is not None and least <= number <= most,
            f"must be an integer from {least} to {most}",
        )
        return number or 0

    def count(self, field: str, value: object, most: int | None = None) -> int:
        """Return a number of pieces as a plain integer; *most* is 1 if there cannot be two."""
        number = plain_integer(value) or 0
        holds = 0 < number <= MAX_ID
        if self.require(field, holds, "must be an integer of 1 or more") and most is not None:
            self.require(field, number <= most, f"must be {most} for a subscription")
        return number

    def choice(self, field: str, value: object, choices: Sequence[str]) -> str:
        """Check one of a few words, and return it as a plain string."""
        named = f"{', '.join(choices[:-1])} or {choices[-1]}"
        holds = isinstance(value, str) and value in choices
        self.require(field, holds, f"must be {named}")
        # The ``str()`` of a member of (str, Enum) is another word.
        return next((word for word in choices if word == value), "")

    def day(self, field: str, value: object) -> date | None:
        """Check a day, and return it; a moment is a different day in other time zones."""
        holds = isinstance(value, date) and not isinstance(value, datetime)
        if value is not None and self.require(field, holds, "must be a date without a time"):
            return cast("date", value)
        return None

    def text(self, field: str, value: object, most: int = MAX_TEXT) -> bool:
        """Check a string that must not be empty."""
        holds = (
            isinstance(value, str)
            and 0 < len(value) <= most
            and value.strip() != ""
            and _is_unicode(value)
        )
        return self.require(field, holds, f"must be a string of 1 to {most} characters")

    def email(self, field: str, value: object) -> None:
        """Check an e-mail address, loosely: RMZ decides."""
        if self.text(field, value):
            self.require(
                field,
                # An address that is copied may bring an invisible mark, and nobody has such a one.
                isinstance(value, str) and value.isprintable() and _is_email(value),
                "must be an e-mail address",
            )

    def url(self, field: str, value: object) -> object:
        """Check an address that a browser is redirected to, and return it as a string."""
        address = str(value) if isinstance(value, URLObject) else value
        self.require(field, _is_web_address(address), "must be an absolute http or https URL")
        return address

    def metadata(self, field: str, value: object) -> None:
        """Check the strings that a caller attaches to a subscription."""
        if not self.require(field, isinstance(value, Mapping), "must be a mapping"):
            return
        attached = cast("Mapping[object, object]", value)
        self.require(
            field,
            len(attached) <= MAX_METADATA_KEYS,
            f"must have at most {MAX_METADATA_KEYS} keys",
        )
        for key, item in attached.items():
            if not isinstance(key, str) or not _is_unicode(key):
                self.require(field, False, "must have strings as keys")
                continue
            self.require(
                f"{field}.{key}",
                _is_short(item),
                f"must be a string of at most {MAX_METADATA_VALUE} characters",
            )

    def options(self, field: str, value: object) -> Mapping[str, object] | None:
        """Check a customer's choices, and return a copy that cannot change meanwhile."""
        if value is None:
            return None
        try:
            copy = _copied(value)
            _json.dump(copy)
        except (TypeError, ValueError, RecursionError):
            copy = None
        if self.require(field, isinstance(copy, dict), "must be a mapping that JSON can express"):
            return cast("Mapping[str, object]", copy)
        return None

    def customer(self, field: str, value: object, described_as: type) -> dict[str, object]:
        """Check who a session is for.

        Args:
            field: The customer's path in the body.
            value: An id, or an object of the class *described_as*.
            described_as: ``NewCustomer`` or ``PhoneNumber``.

        Returns:
            The customer as RMZ wants them.
        """
        if isinstance(value, NewCustomer) and described_as is NewCustomer:
            self.text(f"{field}.firstName", value.first_name)
            self.text(f"{field}.lastName", value.last_name)
            self.email(f"{field}.email", value.email)
            return self.phone_number(f"{field}.", value.country_code, value.phone) | {
                "firstName": value.first_name,
                "lastName": value.last_name,
                "email": value.email,
            }
        if isinstance(value, PhoneNumber) and described_as is PhoneNumber:
            return self.phone_number(f"{field}.", value.country_code, value.phone)
        number = plain_integer(value) or 0
        self.require(
            field,
            0 < number <= MAX_ID,
            f"must be a positive integer or a {described_as.__name__}",
        )
        return {"id": number}

    def phone_number(self, prefix: str, country_code: object, phone: object) -> dict[str, object]:
        """Check a phone number, and return its two parts as RMZ stores them."""
        code = self.dial_code(f"{prefix}country_code", country_code)
        return {"country_code": code, "phone": self.phone(f"{prefix}phone", phone, code)}

    def dial_code(self, field: str, value: object) -> str | None:
        """Check a dial code, and return its digits."""
        number = plain_integer(value)
        try:
            return dial_code_of(value if number is None else number)
        except PhoneError as fault:
            self.require(field, False, str(fault))
            return None

    def phone(self, field: str, value: object, dial_code: str | None) -> str | None:
        """Check a phone number, and return the digits after its dial code."""
        try:
            return phone_digits_of(value, dial_code)
        except PhoneError as fault:
            self.require(field, False, str(fault))
            return None


def checked_id(operation: Operation, value: object) -> int:
    """Return the id in a call's address, as `Validation.identifier` does, if that is all it needs.

    Raises:
        InvalidRequestError: The id is not a positive integer.
    """
    number = plain_integer(value)
    if number is None or not 0 < number <= MAX_ID:
        check = Validation(operation)
        check.identifier("id", value)
        check.finish()
    return cast("int", number)


def _is_unicode(value: str) -> bool:
    # Half of a surrogate pair is a string in Python, and cannot be sent.
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _copied(value: object) -> object:
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {_as_key(key): _copied(item) for key, item in items}
    if isinstance(value, (list, tuple)):
        return [_copied(item) for item in cast("Sequence[object]", value)]
    return value


def _as_key(key: object) -> str:
    # `json` turns some other keys into strings, and could turn two keys into the same string.
    if isinstance(key, str):
        return key
    raise TypeError


def _is_short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_METADATA_VALUE and _is_unicode(value)


def _is_email(value: str) -> bool:
    return _EMAIL.fullmatch(value) is not None


def _is_web_address(value: object) -> bool:
    if not isinstance(value, str) or not value.isprintable() or " " in value:
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def plain_integer(value: object) -> int | None:
    """Return an integer of any kind, such as numpy's or an enum's member, as a plain one."""
    # A bool is an int, and never meant as one.
    if isinstance(value, bool):
        return None
    try:
        return operator.index(cast("SupportsIndex", value))
    except TypeError:
        return None
