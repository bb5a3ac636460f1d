from __future__ import annotations

import asyncio
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import NoReturn

import pytest

from rmz_async.errors import ConfigurationError, ServerError, UnexpectedAnswerError
from rmz_async.pagination import Page
from rmz_async.pagination import Pager as AsyncPager
from rmz_sync.pagination import Pager
from tests.seams import Portal


class Book(AsyncPager[int]):
    """Three pages of two numbers; knows which were fetched."""

    def __init__(self) -> None:
        super().__init__(self._fetch_page)
        self.fetched: list[int] = []

    async def _fetch_page(self, number: int) -> Page[int]:
        self.fetched.append(number)
        return Page(number=number, items=(number * 10, number * 10 + 1), has_next=number < 3)


@pytest.fixture
def book() -> Book:
    """A list to walk."""
    return Book()


@pytest.fixture
def pager(book: Book, portal: Portal) -> Pager[int]:
    """The book for code that cannot await."""
    return Pager(book, portal)


def test_a_walk_gives_every_item(book: Book, pager: Pager[int]) -> None:
    """Walking gives every item in order, and each walk starts from the beginning."""
    assert list(pager) == list(pager) == [10, 11, 20, 21, 30, 31]
    assert book.fetched == [1, 2, 3, 1, 2, 3]


def test_a_walk_gives_the_items_of_the_async_walk(
    book: Book, pager: Pager[int], portal: Portal
) -> None:
    """The items are those of the async walk, although they are taken page by page."""

    async def walk() -> list[int]:
        return [item async for item in book]

    assert list(pager) == portal.run(walk)


def test_a_list_that_repeats_itself_is_an_error(portal: Portal) -> None:
    """A server that ignores the page number would be walked without end."""

    async def same(number: int) -> Page[SimpleNamespace]:
        return Page(number=number, items=(SimpleNamespace(id=501),), has_next=True)

    walk = iter(Pager(AsyncPager(same), portal))

    assert next(walk).id == 501
    with pytest.raises(UnexpectedAnswerError, match="the list repeats itself") as caught:
        next(walk)
    assert caught.value.page == 4


def test_a_walk_gives_every_page(pager: Pager[int]) -> None:
    """Walking the pages gives each with its number."""
    assert [page.number for page in pager.pages()] == [1, 2, 3]


def test_first_fetches_one_page(book: Book, pager: Pager[int]) -> None:
    """Taking the first page asks for no other."""
    assert pager.first().items == (10, 11)
    assert book.fetched == [1]


def test_a_page_is_fetched_when_it_is_needed(book: Book, pager: Pager[int]) -> None:
    """Nothing is fetched before the first item, and no page before it is needed."""
    walk = iter(pager)
    assert book.fetched == []
    assert (next(walk), next(walk)) == (10, 11)
    assert book.fetched == [1]
    assert next(walk) == 20
    assert book.fetched == [1, 2]


def test_a_walk_that_is_left_fetches_no_more(book: Book, pager: Pager[int]) -> None:
    """A loop that is left fetches no more, and nothing of it has to be closed."""
    for item in pager:
        if item == 20:
            break
    assert book.fetched == [1, 2]


def test_an_error_reaches_the_caller_of_a_walk(book: Book, portal: Portal) -> None:
    """An error reaches the loop; the next walk is not affected."""

    class Torn(Book):
        async def _fetch_page(self, number: int) -> NoReturn:
            raise LookupError(number)

    with pytest.raises(LookupError):
        list(Pager(Torn(), portal))
    assert next(iter(Pager(book, portal))) == 10


class Failing(Book):
    """Fails at the second page, twice."""

    failures = 2

    async def _fetch_page(self, number: int) -> Page[int]:
        page = await super()._fetch_page(number)
        if number == 2 and self.failures:
            self.failures -= 1
            raise ServerError("RMZ failed", status=500)
        return page


def test_a_walk_goes_on_after_a_failure(portal: Portal) -> None:
    """The error names the page, and the same walk asks for it again: nothing is missed."""
    book = Failing()
    walk = iter(Pager(book, portal))

    assert (next(walk), next(walk)) == (10, 11)
    for _ in range(2):
        with pytest.raises(ServerError) as caught:
            next(walk)
        assert caught.value.page == 2
        assert caught.value.__notes__ == ["this was page 2 of the list: go on with page=2"]
    assert list(walk) == [20, 21, 30, 31]
    assert book.fetched == [1, 2, 2, 2, 3]


def test_the_pages_go_on_after_a_failure(portal: Portal) -> None:
    """So does a walk over the pages; one that has ended stays so."""
    pages = Pager(Failing(), portal).pages()

    assert next(pages).number == 1
    for _ in range(2):
        with pytest.raises(ServerError):
            next(pages)
    assert [page.number for page in pages] == [2, 3]
    with pytest.raises(StopIteration):
        next(pages)


def test_a_pickled_error_of_a_walk_keeps_its_page(portal: Portal) -> None:
    """An error that a worker process sends back still has the page."""
    with pytest.raises(ServerError) as caught:
        list(Pager(Failing(), portal))

    assert pickle.loads(pickle.dumps(caught.value)).page == 2  # noqa: S301 - our own bytes


def test_two_threads_may_share_a_walk(portal: Portal) -> None:
    """While a page is awaited, the walk gives no other thread the same page."""
    asking, release = threading.Event(), asyncio.Event()

    class Held(Book):
        async def _fetch_page(self, number: int) -> Page[int]:
            if not asking.is_set():
                asking.set()
                await release.wait()
            return await super()._fetch_page(number)

    async def let_go() -> None:
        release.set()

    book = Held()
    walk = iter(Pager(book, portal))
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(next, walk)
        assert asking.wait(10)
        try:
            with pytest.raises(RuntimeError, match="already waits for a page"):
                next(walk)
        finally:
            portal.run(let_go)
        assert taken.result(10) == 10
    assert next(walk) == 11
    assert book.fetched == [1]


def test_a_closed_portal_ends_a_walk(pager: Pager[int], portal: Portal) -> None:
    """Closing the client ends a walk with a clear error at its next page."""
    walk = pager.pages()
    next(walk)
    portal.close()
    with pytest.raises(ConfigurationError, match="closed"):
        next(walk)


def test_a_pager_is_shown_like_the_async_one(book: Book, pager: Pager[int]) -> None:
    """A pager shows the page at which it starts."""
    assert repr(pager) == repr(book)
