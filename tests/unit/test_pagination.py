"""Walks over a list's pages meet each item once, and fetch a page when its items are needed."""

from __future__ import annotations

import anyio
import attrs
import pytest

from rmz_async import Page, Pager
from tests.unit.shelf import Shelf, items_of

pytestmark = pytest.mark.anyio


async def test_a_walk_gives_each_item_once() -> None:
    """Walking a pager gives each item once, in order, with one request a page."""
    shelf = Shelf(["a", "b"], ["c", "d"], ["e"])

    assert await items_of(Pager(shelf)) == ["a", "b", "c", "d", "e"]
    assert shelf.asked == [1, 2, 3]


async def test_walking_the_pages_gives_each_as_it_came() -> None:
    """Walking the pages gives each page as it came."""
    shelf = Shelf(["a", "b"], ["c"])

    assert [page async for page in Pager(shelf).pages()] == [
        Page(number=1, items=("a", "b"), has_next=True, per_page=2),
        Page(number=2, items=("c",), has_next=False, per_page=2),
    ]


async def test_nothing_is_fetched_before_it_is_asked_for() -> None:
    """A pager that is not walked costs no request."""
    shelf = Shelf(["a"])
    pager = Pager(shelf)
    pager.pages()
    aiter(pager)

    assert shelf.asked == []


async def test_a_page_is_fetched_when_its_items_are_needed() -> None:
    """A caller that stops in the first page does not pay for the second."""
    shelf = Shelf(["a", "b"], ["c"])
    walk = aiter(Pager(shelf))

    assert [await anext(walk), await anext(walk)] == ["a", "b"]
    assert shelf.asked == [1]


async def test_the_first_page_is_one_request() -> None:
    """A single page is a single request."""
    shelf = Shelf(["a", "b"], ["c"])

    assert (await Pager(shelf).first()).items == ("a", "b")
    assert shelf.asked == [1]


async def test_a_walk_may_begin_at_a_later_page() -> None:
    """A walk may begin later, and goes on from there."""
    shelf = Shelf(["a"], ["b"], ["c"])
    pager = Pager(shelf, page=2)

    assert (await pager.first()).number == 2
    assert await items_of(pager) == ["b", "c"]
    assert shelf.asked == [2, 2, 3]


async def test_each_walk_starts_from_the_beginning() -> None:
    """A pager can be walked twice."""
    shelf = Shelf(["a"], ["b"])
    pager = Pager(shelf)

    assert await items_of(pager) == await items_of(pager) == ["a", "b"]
    assert shelf.asked == [1, 2, 1, 2]


async def test_no_next_page_ends_the_walk() -> None:
    """RMZ's word counts, and not how full the page is."""
    shelf = Shelf(["a", "b"])

    assert await items_of(Pager(shelf)) == ["a", "b"]
    assert shelf.asked == [1]


async def test_an_empty_page_ends_the_walk() -> None:
    """A server that always promises another page would be walked without end."""
    shelf = Shelf(["a"], [], ["b"], always_next=True)

    assert await items_of(Pager(shelf)) == ["a"]
    assert shelf.asked == [1, 2]


async def test_a_list_may_be_empty() -> None:
    """A list without items is a list."""
    assert await items_of(Pager(Shelf([]))) == []


class Held(Shelf):
    """Keeps the first caller waiting."""

    def __init__(self, *pages: list[str]) -> None:
        super().__init__(*pages)
        self.asking = anyio.Event()
        self.release = anyio.Event()

    async def __call__(self, number: int) -> Page[str]:
        """Fetch one, the first after the release."""
        page = await super().__call__(number)
        if not self.asking.is_set():
            self.asking.set()
            await self.release.wait()
        return page


async def test_two_tasks_never_get_the_same_page() -> None:
    """While a page is awaited, no other task gets the same page: its orders would be sent twice."""
    shelf = Held(["a", "b"], ["c"])
    walk = aiter(Pager(shelf))
    seen: list[str] = []

    async def take() -> None:
        seen.append(await anext(walk))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(take)
        await shelf.asking.wait()
        with pytest.raises(RuntimeError, match="already waits for a page"):
            await anext(walk)
        shelf.release.set()

    assert seen == ["a"]
    assert [item async for item in walk] == ["b", "c"]
    assert shelf.asked == [1, 2]


async def test_two_walks_have_a_place_each() -> None:
    """Each has its own place."""
    shelf = Shelf(["a"], ["b"])
    pager = Pager(shelf)
    one, other = aiter(pager), aiter(pager)

    assert [await anext(one), await anext(other), await anext(one), await anext(other)] == [
        "a",
        "a",
        "b",
        "b",
    ]


async def test_a_cancelled_walk_asks_for_the_page_again() -> None:
    """A page that was awaited too long is asked for again by the same walk."""
    shelf = Held(["a"])
    walk = aiter(Pager(shelf))

    async def take() -> None:
        await anext(walk)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(take)
        await shelf.asking.wait()
        tasks.cancel_scope.cancel()

    assert await anext(walk) == "a"
    assert shelf.asked == [1, 1]


async def test_a_pagers_repr_shows_its_first_page() -> None:
    """The repr says at which page the pager begins, and nothing of the pages that it fetches."""
    assert repr(Pager(Shelf(["a"]), page=3)) == "<Pager from page 3>"


async def test_a_page_does_not_change() -> None:
    """A page is what RMZ sent."""
    page = await Pager(Shelf(["a"])).first()

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        page.has_next = True  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue] # the very mistake


async def test_the_size_of_a_page_may_be_unknown() -> None:
    """A page can be made without it."""
    assert Page(number=1, items=(), has_next=False).per_page is None
