from __future__ import annotations

import attrs
import pytest

from rmz_async import Page, Pager, UnexpectedAnswerError

pytestmark = pytest.mark.anyio


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


async def test_the_items_of_all_pages() -> None:
    """Walking a pager gives each item once, in order, with one request a page."""
    shelf = Shelf(["a", "b"], ["c", "d"], ["e"])

    assert await items_of(Pager(shelf)) == ["a", "b", "c", "d", "e"]
    assert shelf.asked == [1, 2, 3]


async def test_the_pages() -> None:
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
    """Who stops in the first page does not pay for the second."""
    shelf = Shelf(["a", "b"], ["c"])
    walk = aiter(Pager(shelf))

    assert [await anext(walk), await anext(walk)] == ["a", "b"]
    assert shelf.asked == [1]


async def test_the_first_page() -> None:
    """One page is one request."""
    shelf = Shelf(["a", "b"], ["c"])

    assert (await Pager(shelf).first()).items == ("a", "b")
    assert shelf.asked == [1]


async def test_another_first_page() -> None:
    """A walk may begin later, and goes on from there."""
    shelf = Shelf(["a"], ["b"], ["c"])
    pager = Pager(shelf, page=2)

    assert (await pager.first()).number == 2
    assert await items_of(pager) == ["b", "c"]
    assert shelf.asked == [2, 2, 3]


async def test_each_walk_starts_anew() -> None:
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


async def test_an_empty_page_does_not_end_the_walk() -> None:
    """A page whose items were all filtered away may have a next one."""
    shelf = Shelf([], ["a"], [])

    assert await items_of(Pager(shelf)) == ["a"]


async def test_nothing() -> None:
    """A list without items is a list."""
    assert await items_of(Pager(Shelf([]))) == []


async def test_a_server_that_ignores_the_page() -> None:
    """The same page again is an error: it would be walked for ever, and its items counted twice."""

    async def always_one(_: int) -> Page[str]:
        return Page(number=1, items=("a",), has_next=True)

    walk = aiter(Pager(always_one))

    assert await anext(walk) == "a"
    with pytest.raises(UnexpectedAnswerError, match="page 2 was asked for and page 1") as caught:
        await anext(walk)
    assert caught.value.status == 200


async def test_another_page_than_the_one_asked_for() -> None:
    """A single page is checked too."""

    async def always_one(_: int) -> Page[str]:
        return Page(number=1, items=("a",), has_next=False)

    with pytest.raises(UnexpectedAnswerError, match="page 7 was asked for and page 1 came back"):
        await Pager(always_one, page=7).first()


async def test_a_pagers_repr() -> None:
    """It says where it begins, and nothing of what it fetches."""
    assert repr(Pager(Shelf(["a"]), page=3)) == "<Pager from page 3>"


async def test_a_page_does_not_change() -> None:
    """A page is what RMZ sent."""
    page = await Pager(Shelf(["a"])).first()

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        page.has_next = True  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue] # the very mistake


async def test_the_size_of_a_page_may_be_unknown() -> None:
    """A page can be made without it."""
    assert Page(number=1, items=(), has_next=False).per_page is None
