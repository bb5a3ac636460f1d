"""Lists come in pages: walk the items, walk the pages, or take one page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Generic, TypeVar

from rmz_async.pagination import Page
from rmz_async.pagination import Pager as AsyncPager
from rmz_sync._portal import Portal

__all__ = ("Page", "Pager")

T = TypeVar("T")


class Pager(Generic[T]):
    """A list that is fetched page by page, as it is walked.

    Nothing is sent before the first item or page is asked for. Each walk starts anew. A walk may be
    left at any point: nothing has to be closed.
    """

    def __init__(self, wrapped: AsyncPager[T], portal: Portal) -> None:
        self._wrapped = wrapped
        self._portal = portal

    def __repr__(self) -> str:
        return repr(self._wrapped)

    def __iter__(self) -> Iterator[T]:
        """Walk the items."""
        # By pages, because going to the loop once for each item would cost more than the items do.
        for page in self.pages():
            yield from page.items

    def pages(self) -> Iterator[Page[T]]:
        """Walk the pages."""
        walk = self._wrapped.pages()
        while (page := self._portal.run(next_page(walk))) is not None:
            yield page

    def first(self) -> Page[T]:
        """Return the page that the walk would start with; one request."""
        return self._portal.run(self._wrapped.first())


async def next_page(walk: AsyncIterator[Page[T]]) -> Page[T] | None:
    """Return the next page, or None after the last one."""
    return await anext(walk, None)
