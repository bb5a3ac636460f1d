"""Laravel's simple pagination, which never counts the total."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import urlencode

from rmz_async.sandbox.wire.fields import Fields

__all__ = ("page_of",)

_PER_PAGE = 15

T = TypeVar("T")


def page_of(
    items: Sequence[T],
    row: Callable[[T], object],
    fields: Fields,
    path: str,
    filters: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, object]:
    """Return the page of *items* that was asked for; one that is past the end is empty.

    Args:
        items: All of them, in their order.
        row: Turns an item into what is sent of it.
        fields: The query.
        path: The list's address, without a query.
        filters: The part of the query that the addresses of other pages carry again.
    """
    number = _number(fields)
    start = (number - 1) * _PER_PAGE
    shown = items[start : start + _PER_PAGE]

    def address(page: int) -> str:
        return f"{path}?{urlencode({**filters, 'page': page})}"

    return {
        "current_page": number,
        "data": [row(item) for item in shown],
        "first_page_url": address(1),
        "from": start + 1 if shown else None,
        "next_page_url": address(number + 1) if start + _PER_PAGE < len(items) else None,
        "path": path,
        "per_page": _PER_PAGE,
        "prev_page_url": address(number - 1) if number > 1 else None,
        "to": start + len(shown) if shown else None,
    }


def _number(fields: Fields) -> int:
    """Return the page asked for; Laravel answers a senseless one with the first."""
    text = fields.text("page")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1
