"""Lists come in pages: walk the items, walk the pages, or take one page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Generic, TypeVar

import attrs

from rmz_async._frozen import frozen
from rmz_async.errors import RMZError, UnexpectedAnswerError

__all__ = ("Page", "Pager")

T = TypeVar("T")

# Items that are added during a walk may push all of a page, or of two, to the pages behind it.
_MAX_REPEATED_PAGES = 3


@frozen(kw_only=True)
class Page(Generic[T]):
    """A page of a list."""

    number: int
    """1 or more."""

    items: tuple[T, ...]
    """The items in RMZ's order; without those that the walk has already met. May be empty."""

    has_next: bool
    """Whether RMZ says that another page follows. RMZ sends no total."""

    per_page: int | None = None
    """How many items a full page has; None if RMZ does not say it as a number."""


class Pager(Generic[T]):
    """A list that is fetched page by page, as you iterate over it: a *walk*.

    Nothing is sent before the first item or page is asked for. Each walk begins at the first page.
    A walk ends after a page that is empty or names no next page. If items are added or removed
    during a walk, others move to another page. An item that comes a second time is left out, and an
    item that moves to a page which the walk has passed is missed. If three pages in a row have no
    new item, the list repeats itself, and the walk raises `UnexpectedAnswerError`.

    If a page fails, the error's ``page`` is its number. Go on with ``page=`` that number, or ask
    the same iterator for its next item.
    """

    def __init__(self, fetch: Callable[[int], Awaitable[Page[T]]], *, page: int = 1) -> None:
        self._fetch = fetch
        self._start = page

    def __repr__(self) -> str:
        return f"<Pager from page {self._start}>"

    def __aiter__(self) -> AsyncIterator[T]:
        """Walk the items; none comes twice."""
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
            # The walk over a server that ignores the page number would otherwise never end.
            if page.number != number:
                raise UnexpectedAnswerError(
                    f"page {number} was asked for and page {page.number} came back", status=200
                )
        except RMZError as error:
            _name_page(error, number)
            raise
        return page


def _name_page(error: RMZError, number: int) -> None:
    error.page = number
    error.add_note(f"this was page {number} of the list: go on with page={number}")


# Classes and not generators: a generator that is left before its end must be closed, or trio warns.
class _Pages(AsyncIterator[Page[T]]):
    def __init__(self, get: Callable[[int], Awaitable[Page[T]]], number: int) -> None:
        self._get = get
        self._next: int | None = number
        self._seen: set[object] = set()
        self._is_asking = False
        self._repeated = 0

    async def __anext__(self) -> Page[T]:
        if self._next is None:
            raise StopAsyncIteration
        if self._is_asking:
            # A generator raises RuntimeError, too. Both tasks would otherwise get the same page.
            raise RuntimeError(
                "this iterator already waits for a page: use one iterator for each task"
            )
        self._is_asking = True
        try:
            page = await self._get(self._next)
        finally:
            self._is_asking = False
        new = tuple(item for item in page.items if self._is_new(item))
        self._repeated = self._repeated + 1 if page.items and not new else 0
        if self._repeated == _MAX_REPEATED_PAGES:
            # The counter begins again, so that the caller can go on with the same walk.
            self._repeated = 0
            raise _repetition(page.number)
        # An empty page ends the walk: a server that always promises another one never would.
        self._next = page.number + 1 if page.has_next and page.items else None
        return attrs.evolve(page, items=new)

    def _is_new(self, item: T) -> bool:
        # An item that was added meanwhile pushes others to the next page, where they come again.
        key: object = getattr(item, "id", None)
        if key is None:
            return True
        if key in self._seen:
            return False
        self._seen.add(key)
        return True


def _repetition(number: int) -> UnexpectedAnswerError:
    error = UnexpectedAnswerError(
        f"the list repeats itself: the {_MAX_REPEATED_PAGES} pages up to page {number} have only "
        "items that the walk has already met. Check whether the base URL, or a proxy or cache in "
        "between, passes the query parameter page on. If many items were added meanwhile, ask the "
        "same walk for its next item",
        status=200,
    )
    _name_page(error, number)
    return error


class _Items(AsyncIterator[T]):
    def __init__(self, pages: AsyncIterator[Page[T]]) -> None:
        self._pages = pages
        self._items: Iterator[T] = iter(())

    async def __anext__(self) -> T:
        while True:
            for item in self._items:
                return item
            self._items = iter((await anext(self._pages)).items)
