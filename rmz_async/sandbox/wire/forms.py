"""How single values look on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

__all__ = (
    "arabic_digits",
    "assoc",
    "date",
    "instant",
    "money_text",
    "optional_instant",
    "price_label",
    "row_time",
)

_ARABIC_INDIC = str.maketrans("0123456789.,", "٠١٢٣٤٥٦٧٨٩٫٬")


def instant(moment: datetime) -> str:
    """Write a moment as most answers do, ``2024-01-01T00:00:00.000000Z``."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000000Z"


def optional_instant(moment: datetime | None) -> str | None:
    """Write a moment that may be missing."""
    return None if moment is None else instant(moment)


def row_time(moment: datetime) -> str:
    """Write a moment as lists do, ``2024-01-01 00:00:00``."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def date(moment: datetime) -> str:
    """Write only the day, ``2024-01-01``."""
    return f"{moment:%Y-%m-%d}"


def price_label(amount: Decimal) -> str:
    """Write a price for a reader of Arabic, ``١٩٩٫٩٩ ر.س``."""
    return arabic_digits(f"{amount:,.2f}") + " ر.س"


def arabic_digits(text: str) -> str:
    """Write digits and separators as a reader of Arabic expects them."""
    return text.translate(_ARABIC_INDIC)


def money_text(amount: Decimal) -> str:
    """Write an amount as webhooks do, ``149.00``."""
    return f"{amount:.2f}"


def assoc(values: Mapping[str, object] | None) -> Mapping[str, object] | list[object] | None:
    """Write an object as PHP does: with no keys, or with the keys 0, 1, 2 …, it is a list."""
    if values is not None and list(values) == [str(number) for number in range(len(values))]:
        return list(values.values())
    return values
