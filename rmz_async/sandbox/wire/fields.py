"""Check what was sent, and say what is wrong with it in Laravel's words."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import TypeGuard, cast
from urllib.parse import urlsplit

from rmz_async.sandbox.wire.answers import InvalidFieldsError

__all__ = ("Fields",)

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
# PHP's: a greater number is none of its integers.
_MAX_INTEGER = 2**63 - 1
# Few enough digits that the sum of a long order still fits into RMZ's column.
_NUMBER = re.compile(r"-?[0-9]{1,10}(\.[0-9]{1,4})?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}")


class Fields:
    """Reads fields one by one and collects what is wrong with them.

    A field that is absent or wrong reads as 0 or "": `check` raises before anyone can use it. As
    Laravel's middleware does, an empty string counts as absent, and outer blanks are cut.
    """

    def __init__(
        self,
        values: Mapping[str, object],
        *,
        prefix: str = "",
        errors: dict[str, list[str]] | None = None,
    ) -> None:
        self._values = values
        self._prefix = prefix
        self._errors: dict[str, list[str]] = {} if errors is None else errors

    def check(self, error: type[InvalidFieldsError] = InvalidFieldsError) -> None:
        """Raise *error* if anything was wrong so far."""
        if self._errors:
            raise error(self._errors)

    def refuse(self, name: str, reason: str) -> None:
        """Note that *name* is wrong; ``{}`` in *reason* stands for its label."""
        path = f"{self._prefix}{name}"
        self._errors.setdefault(path, []).append(reason.format(path.replace("_", " ")))

    def has(self, name: str) -> bool:
        """Return whether *name* was sent and is neither null nor empty."""
        return self._value(name) is not None

    def sent(self, name: str) -> bool:
        """Return whether *name* was sent, even if it is empty."""
        return name in self._values

    def integer(
        self,
        name: str,
        *,
        required: bool = False,
        least: int | None = None,
        most: int | None = None,
    ) -> int:
        """Return an integer, which may have been sent as a string of digits or as ``7.0``."""
        value = _whole(self._value(name, required=required))
        if value is None:
            return 0
        if not _is_integer(value):
            self.refuse(name, "The {} field must be an integer.")
            return 0
        if least is not None and value < least:
            self.refuse(name, f"The {{}} field must be at least {least}.")
        if most is not None and value > most:
            self.refuse(name, f"The {{}} field must not be greater than {most}.")
        return value

    def text(self, name: str, *, required: bool = False, longest: int = 191) -> str:
        """Return a string of at most *longest* characters."""
        value = self._value(name, required=required)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.refuse(name, "The {} field must be a string.")
            return ""
        if len(value) > longest:
            self.refuse(name, f"The {{}} field must not be greater than {longest} characters.")
        return value

    def email(self, name: str, *, required: bool = False) -> str:
        """Return an email address."""
        value = self.text(name, required=required)
        if value and not _EMAIL.fullmatch(value):
            self.refuse(name, "The {} field must be a valid email address.")
        return value

    def phone(self, name: str) -> str:
        """Return a required phone number, without its dial code."""
        value = self.text(name, required=True)
        if value and not (value.isascii() and value.isdigit() and 5 <= len(value) <= 15):
            self.refuse(name, "The {} field must be between 5 and 15 digits.")
        return value

    def url(self, name: str, *, required: bool = False) -> str:
        """Return an absolute http or https URL."""
        value = self.text(name, required=required, longest=2048)
        if value and not _is_url(value):
            self.refuse(name, "The {} field must be a valid URL.")
        return value

    def domain(self, name: str) -> str:
        """Return a required domain name such as ``myapp.com``."""
        value = self.text(name, required=True)
        if value and not _DOMAIN.fullmatch(value):
            self.refuse(name, "The {} field must be a valid domain name.")
        return value

    def day(self, name: str) -> date | None:
        """Return a day, ``2024-01-01``, or None if there is none."""
        value = self.text(name)
        try:
            return date.fromisoformat(value) if value else None
        except ValueError:
            self.refuse(name, "The {} field must be a valid date.")
            return None

    def scalar(self, name: str) -> str:
        """Return a required string, which may have been sent as an integer."""
        value = self._values.get(name)
        if not isinstance(value, str):
            value = _whole(value)
        return str(value) if _is_integer(value) else self.text(name, required=True)

    def choice(self, name: str, choices: Collection[str], *, required: bool = False) -> str:
        """Return one of *choices*."""
        value = self._value(name, required=required)
        if value is None:
            return ""
        if not isinstance(value, str) or value not in choices:
            self.refuse(name, "The selected {} is invalid.")
            return ""
        return value

    def flag(self, name: str) -> bool:
        """Return whether a query's flag is set: ``1`` or ``true``, ``0`` or ``false``."""
        value = self._value(name)
        if value not in (None, "0", "1", "false", "true"):
            self.refuse(name, "The {} field must be true or false.")
        return value in ("1", "true")

    def boolean(self, name: str) -> bool:
        """Return a flag of a JSON body."""
        value = self._value(name)
        if value is not None and not isinstance(value, bool):
            self.refuse(name, "The {} field must be true or false.")
        return value is True

    def amount(self, name: str, *, required: bool = False) -> Decimal:
        """Return an amount of money, which may have been sent as a string."""
        value = self._value(name, required=required)
        if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
            if value is not None:
                self.refuse(name, "The {} field must be a number.")
            return Decimal(0)
        if not _NUMBER.fullmatch(str(value)):
            self.refuse(name, "The {} field must be a number.")
            return Decimal(0)
        if Decimal(value) < 0:
            self.refuse(name, "The {} field must be at least 0.")
        return Decimal(value)

    def ids(self, name: str) -> tuple[int, ...]:
        """Return a list of ids, which may be empty."""
        inner = self._items(name)
        return tuple(inner.integer(index, required=True, least=1) for index in inner._values)

    def listed(self, name: str) -> list[Fields]:
        """Return the fields of each object in a list, which may be empty or absent."""
        inner = self._items(name)
        return [inner.nested(index) for index in inner._values]

    def nested(self, name: str) -> Fields:
        """Return the fields of a required object; those of an absent one are absent."""
        value = self._value(name, required=True)
        inner: Mapping[str, object] = {}
        if isinstance(value, Mapping):
            inner = cast("Mapping[str, object]", value)
        elif value is not None:
            self.refuse(name, "The {} field must be an array.")
        return self._below(name, inner)

    def entries(self, name: str) -> list[Fields]:
        """Return the fields of each object in a required list that is not empty."""
        value = self._value(name, required=True)
        # To Laravel an empty list is as absent as none.
        if value == []:
            self.refuse(name, "The {} field is required.")
        elif value is not None and not isinstance(value, list):
            self.refuse(name, "The {} field must be an array.")
        return self.listed(name) if isinstance(value, list) else []

    def mapping(self, name: str) -> dict[str, object]:
        """Return an object of any values; an absent one is empty."""
        value = self._value(name)
        # PHP cannot distinguish an empty object from an empty list.
        if value is None or value == []:
            return {}
        if not isinstance(value, Mapping):
            self.refuse(name, "The {} field must be an array.")
            return {}
        return dict(cast("Mapping[str, object]", value))

    def texts(self, name: str, *, most: int, longest: int) -> dict[str, str] | None:
        """Return an object of at most *most* strings, or None if there is none."""
        if not self.has(name):
            return None
        items = self.mapping(name)
        if len(items) > most:
            self.refuse(name, f"The {{}} field must not have more than {most} items.")
        inner = self._below(name, items)
        return {key: inner.text(key, longest=longest) for key in items}

    def _items(self, name: str) -> Fields:
        value = self._value(name)
        if value is not None and not isinstance(value, list):
            self.refuse(name, "The {} field must be an array.")
        items = cast("list[object]", value) if isinstance(value, list) else []
        return self._below(name, {str(index): item for index, item in enumerate(items)})

    def _below(self, name: str, values: Mapping[str, object]) -> Fields:
        return Fields(values, prefix=f"{self._prefix}{name}.", errors=self._errors)

    def _value(self, name: str, *, required: bool = False) -> object:
        value = self._values.get(name)
        if isinstance(value, str):
            value = value.strip()
        if value is None or value == "":
            if required:
                self.refuse(name, "The {} field is required.")
            return None
        return value


def _whole(value: object) -> object:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    # The size first: of a huge exponent int() would write out every digit, and abs() would fail.
    if isinstance(value, Decimal) and -_MAX_INTEGER <= value <= _MAX_INTEGER and value % 1 == 0:
        return int(value)
    return value


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MAX_INTEGER


def _is_url(value: str) -> bool:
    if any(character.isspace() or not character.isprintable() for character in value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:  # unbalanced brackets
        return False
