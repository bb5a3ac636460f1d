"""Lists come in pages: walk the items, walk the pages, or take one page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Generic, TypeVar

import attrs

from rmz_async.errors import RMZError, UnexpectedAnswerError

__all__ = ("Page", "Pager")

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a list.

    Attributes:
        number: 1 or more.
        items: In the order that RMZ sent them; may be empty.
        has_next: Whether RMZ says that there is another page. It tells no total.
        per_page: How many items a full page has.
    """

    number: int
    items: tuple[T, ...]
    has_next: bool
    per_page: int | None = None


class Pager(Generic[T]):
    """A list that is fetched page by page, as it is walked.

    Nothing is sent before the first item or page is asked for. Each walk starts anew. Where a page
    fails, the error's ``page`` says which: list from there on to take the walk up again, or ask the
    same walk for its next item.
    """

    def __init__(self, fetch: Callable[[int], Awaitable[Page[T]]], *, page: int = 1) -> None:
        self._fetch = fetch
        self._start = page

    def __repr__(self) -> str:
        return f"<Pager from page {self._start}>"

    def __aiter__(self) -> AsyncIterator[T]:
        """Walk the items."""
        return _Items(self.pages())

    def pages(self) -> AsyncIterator[Page[T]]:
        """Walk the pages."""
        return _Pages(self._get, self._start)

    async def first(self) -> Page[T]:
        """Return the page that the walk would start with; one request."""
        return await self._get(self._start)

    async def _get(self, number: int) -> Page[T]:
        try:
            page = await self._fetch(number)
            # A server that ignores the page number would otherwise be walked for ever.
            if page.number != number:
                raise UnexpectedAnswerError(
                    f"page {number} was asked for and page {page.number} came back", status=200
                )
        except RMZError as error:
            error.page = number
            error.add_note(f"this was page {number} of the list: go on with page={number}")
            raise
        return page


# Not generators: one that is left before its end must be closed, or trio warns.
class _Pages(AsyncIterator[Page[T]]):
    def __init__(self, get: Callable[[int], Awaitable[Page[T]]], number: int) -> None:
        self._get = get
        self._next: int | None = number
        self._is_asking = False

    async def __anext__(self) -> Page[T]:
        if self._next is None:
            raise StopAsyncIteration
        if self._is_asking:
            # As a generator would: else both would get the same page.
            raise RuntimeError("this walk waits for a page already: let each task walk by itself")
        self._is_asking = True
        try:
            page = await self._get(self._next)
        finally:
            self._is_asking = False
        self._next = page.number + 1 if page.has_next else None
        return page


class _Items(AsyncIterator[T]):
    def __init__(self, pages: AsyncIterator[Page[T]]) -> None:
        self._pages = pages
        self._items: Iterator[T] = iter(())

    async def __anext__(self) -> T:
        while True:
            for item in self._items:
                return item
            self._items = iter((await anext(self._pages)).items)
