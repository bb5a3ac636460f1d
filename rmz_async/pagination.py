"""Lists come in pages: walk the items, walk the pages, or take one page."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Generic, TypeVar

import attrs

from rmz_async.errors import UnexpectedAnswerError

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

    Nothing is sent before the first item or page is asked for. Each walk starts anew.
    """

    def __init__(self, fetch: Callable[[int], Awaitable[Page[T]]], *, page: int = 1) -> None:
        self._fetch = fetch
        self._start = page

    def __repr__(self) -> str:
        return f"<Pager from page {self._start}>"

    async def __aiter__(self) -> AsyncGenerator[T, None]:
        """Walk the items."""
        # Who closes this walk closes the one within it too.
        async with aclosing(self.pages()) as pages:
            async for page in pages:
                for item in page.items:
                    yield item

    async def pages(self) -> AsyncGenerator[Page[T], None]:
        """Walk the pages."""
        number = self._start
        while True:
            page = await self._get(number)
            yield page
            if not page.has_next:
                return
            number += 1

    async def first(self) -> Page[T]:
        """Return the page that the walk would start with; one request."""
        return await self._get(self._start)

    async def _get(self, number: int) -> Page[T]:
        page = await self._fetch(number)
        # A server that ignores the page number would otherwise be walked for ever.
        if page.number != number:
            raise UnexpectedAnswerError(
                f"page {number} was asked for and page {page.number} came back", status=200
            )
        return page
