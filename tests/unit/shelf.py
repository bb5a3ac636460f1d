"""Pages of a list that are in memory, and a walk over them."""

from __future__ import annotations

from rmz_async import Page, Pager


class Shelf:
    """Pages by number; the last one has no next, unless there is always a next."""

    def __init__(self, *pages: list[str], always_next: bool = False) -> None:
        self.asked: list[int] = []
        self._pages = pages
        self._always_next = always_next

    async def __call__(self, number: int) -> Page[str]:
        """Fetch one."""
        self.asked.append(number)
        items = tuple(self._pages[number - 1])
        has_next = self._always_next or number < len(self._pages)
        return Page(number=number, items=items, has_next=has_next, per_page=2)


async def items_of(pager: Pager[str]) -> list[str]:
    """Walk to the end."""
    return [item async for item in pager]
