"""Forms as browsers send them, digits as people type them, and cards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl

import attrs
from starlette.requests import Request

from rmz_async.sandbox.hosted.words import DECLINED, EXPIRED_CARD
from rmz_async.sandbox.store.cards import TEST_CARDS, CardBehaviour, TestCard

__all__ = ("CardForm", "ascii_digits", "form_of", "read_card", "why_declined")

_ASCII = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_NOT_DIGITS = re.compile(r"[^0-9]")
_BY_NUMBER = {card.number: card for card in TEST_CARDS}


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form, empty ones too; the last value counts if a name repeats."""
    body = (await request.body()).decode("utf-8", "replace")
    return dict(parse_qsl(body, keep_blank_values=True))


def ascii_digits(typed: str) -> str:
    """Return the digits of *typed*, Arabic-Indic and Persian digits as ASCII, and nothing else."""
    return _NOT_DIGITS.sub("", typed.translate(_ASCII))


@attrs.frozen
class CardForm:
    """The fields as they were typed, and their errors.

    Attributes:
        card: The test card; None if a field is wrong.
        wrong: The names of the wrong fields.
    """

    card: TestCard | None
    wrong: tuple[str, ...] = ()


def read_card(form: Mapping[str, str], now: datetime) -> CardForm:
    """Read a card's number, expiry (MM/YY) and security code.

    A form without a card's number stands for the first test card, so that a program pays with an
    empty form.

    Args:
        form: The fields as they were sent.
        now: UTC; a card's expiry lies in this month or later.
    """
    if "card_number" not in form:
        return CardForm(TEST_CARDS[0])
    number, expiry, code = (
        ascii_digits(form.get(name, "")) for name in ("card_number", "card_expiry", "card_code")
    )
    card = _BY_NUMBER.get(number)
    checks = {
        "card_number": card is not None,
        "card_expiry": _is_valid_expiry(expiry, now),
        "card_code": len(code) in (3, 4),
    }
    wrong = tuple(name for name, right in checks.items() if not right)
    return CardForm(None if wrong else card, wrong)


def why_declined(card: TestCard) -> str:
    """Return why a card that was entered has not paid."""
    return EXPIRED_CARD if card.behaviour is CardBehaviour.EXPIRED else DECLINED


def _is_valid_expiry(digits: str, now: datetime) -> bool:
    if len(digits) != 4:
        return False
    month, year = int(digits[:2]), 2000 + int(digits[2:])
    return 1 <= month <= 12 and (year, month) >= (now.year, now.month)
