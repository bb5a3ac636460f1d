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
    """A list that is fetched page by page, as you iterate over it: a *walk*.

    Nothing is sent before the first item or page is asked for. Each walk begins at the first page.
    A walk ends after a page that is empty or names no next page. If items are added or removed
    during a walk, others move to another page. An item that comes a second time is left out, and an
    item that moves to a page which the walk has passed is missed. If three pages in a row have no
    new item, the list repeats itself, and the walk raises `UnexpectedAnswerError`.

    If a page fails, the error's ``page`` is its number. Go on with ``page=`` that number, or ask
    the same iterator for its next item. You may leave a walk at any point: nothing has to be
    closed.
    """

    def __init__(self, wrapped: AsyncPager[T], portal: Portal) -> None:
        self._wrapped = wrapped
        self._portal = portal

    def __repr__(self) -> str:
        return repr(self._wrapped)

    def __iter__(self) -> Iterator[T]:
        """Walk the items; none comes twice."""
        return _Items(self.pages())

    def pages(self) -> Iterator[Page[T]]:
        """Walk the pages."""
        return _Pages(self._wrapped.pages(), self._portal)

    def first(self) -> Page[T]:
        """Return the page that the walk would start with; one request."""
        return self._portal.run(self._wrapped.first)


# Classes and not generators: a generator ends with the first page that fails.
class _Pages(Iterator[Page[T]]):
    def __init__(self, walk: AsyncIterator[Page[T]], portal: Portal) -> None:
        self._walk = walk
        self._portal = portal

    def __next__(self) -> Page[T]:
        page = self._portal.run(next_page, self._walk)
        if page is None:
            raise StopIteration
        return page


class _Items(Iterator[T]):
    # By pages, because going to the loop once for each item would cost more than the items do.
    def __init__(self, pages: Iterator[Page[T]]) -> None:
        self._pages = pages
        self._items: Iterator[T] = iter(())

    def __next__(self) -> T:
        while True:
            for item in self._items:
                return item
            self._items = iter(next(self._pages).items)


async def next_page(walk: AsyncIterator[Page[T]]) -> Page[T] | None:
    """Return the next page, or None after the last one."""
    return await anext(walk, None)
