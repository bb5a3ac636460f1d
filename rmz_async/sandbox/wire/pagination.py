"""Laravel's simple pagination, which never counts the total."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from rmz_async.sandbox.wire.fields import Fields

__all__ = ("page_number", "page_of")

_PER_PAGE = 15

T = TypeVar("T")


def page_of(
    items: Sequence[T],
    number: int,
    *,
    path: str,
    filters: Mapping[str, str],
    row: Callable[[T], object],
) -> dict[str, object]:
    """Return page *number* of *items*; one that is past the end is empty.

    Args:
        items: All of them, in their order.
        number: 1 or more.
        path: The list's address, without a query.
        filters: The part of the query that the addresses of other pages carry again.
        row: Turns an item into what is sent of it.
    """
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


def page_number(fields: Fields) -> int:
    """Return the page asked for; Laravel answers a senseless one with the first."""
    text = fields.text("page")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1
