"""Customers: those in RMZ's answers, and those that a caller describes."""

from datetime import datetime
from typing import Self

import attrs

from rmz_async._frozen import frozen
from rmz_async.models._model import Model, model
from rmz_async.models._phone_text import parse_phone

__all__ = ("Customer", "NewCustomer", "PhoneNumber")


@model(kw_only=True)
class Customer(Model):
    """A customer of the store, as RMZ describes them."""

    id: int | None = None
    """Positive integer, unique in the store."""

    name: str | None = attrs.field(default=None, repr=False)
    """First and last name in one; in webhooks only."""

    first_name: str | None = attrs.field(default=None, repr=False)
    """Not in webhooks about subscriptions."""

    last_name: str | None = attrs.field(default=None, repr=False)
    """Not in webhooks about subscriptions."""

    email: str | None = attrs.field(default=None, repr=False)
    """The customer's address."""

    country_code: str | None = None
    """Dial code without a plus, for example ``966``."""

    phone: str | None = attrs.field(default=None, repr=False)
    """The number without the dial code."""

    is_banned: bool | None = None
    """Whether the store has banned the customer; in webhooks about orders only."""

    ban_reason: str | None = None
    """The reason for the ban; in webhooks about orders only."""

    store_id: int | None = None
    """In webhooks about orders only."""

    created_at: datetime | None = None
    """UTC; in webhooks about orders only."""

    updated_at: datetime | None = None
    """UTC; in webhooks about orders only."""

    deleted_at: datetime | None = None
    """UTC; in webhooks about orders only."""


@frozen(kw_only=True)
class NewCustomer:
    """A customer as the caller describes them; RMZ finds or creates the one with this number."""

    country_code: str | int
    """Dial code of 1 to 5 digits, such as ``966``, ``"+966"`` or ``"00966"``. Stores sell to 966
    Saudi Arabia, 973 Bahrain, 971 UAE, 974 Qatar, 968 Oman and 965 Kuwait.
    """

    phone: str = attrs.field(repr=False)
    """5 to 15 digits, written as in `PhoneNumber`."""

    first_name: str = attrs.field(repr=False)
    """Not empty."""

    last_name: str = attrs.field(repr=False)
    """Not empty."""

    email: str = attrs.field(repr=False)
    """An e-mail address."""


@frozen(kw_only=True)
class PhoneNumber:
    """A phone number that identifies a customer.

    Arabic-Indic and Persian digits, blanks, hyphens, brackets, a repeated dial code (``+966…`` or
    ``00966…``) and the leading zero of Saudi and Emirati numbers are understood, and RMZ gets the
    digits that it stores: ``٠٥١ ٢٣٤ ٥٦٧٨`` with 966 is sent as ``512345678``.
    """

    country_code: str | int
    """Dial code of 1 to 5 digits, such as ``966``, ``"+966"`` or ``"00966"``."""

    phone: str = attrs.field(repr=False)
    """5 to 15 digits."""

    @classmethod
    def parse(cls, text: str, *, region: str | None = None) -> Self:
        """Read a phone number of any country, as a person types it.

        This needs the extra ``phone``: ``pip install "rmz[phone]"``.

        Args:
            text: The number, such as ``+966 51 234 5678``, as a person typed it.
            region: The two letters of the country, such as ``SA``, whose numbers may be written
                without a dial code; None if the dial code must be there.

        Returns:
            The number, split into its dial code and the digits after it.

        Raises:
            InvalidRequestError: The string is not a phone number that can exist.
            MissingExtraError: The extra is not installed.
        """
        country_code, phone = parse_phone(text, region)
        return cls(country_code=country_code, phone=phone)
