"""Items that come again are left out of a walk, and a list of nothing else is an error."""

from __future__ import annotations

from collections.abc import Container

import attrs
import pytest

from rmz_async import Page, Pager, UnexpectedAnswerError
from tests.unit.shelf import Shelf, items_of

pytestmark = pytest.mark.anyio


@attrs.frozen
class Numbered:
    """An item with an id."""

    id: int


async def numbered(number: int) -> Page[Numbered]:
    """Somebody subscribes while the list is walked, and pushes the second item to page 2."""
    ids = {1: (3, 2), 2: (2, 1), 3: (1,)}[number]
    return Page(number=number, items=tuple(map(Numbered, ids)), has_next=number < 3)


async def test_an_id_comes_once_in_a_walk() -> None:
    """A nightly job extends no subscription twice."""
    assert [item.id async for item in Pager(numbered)] == [3, 2, 1]
    assert [[item.id for item in page.items] async for page in Pager(numbered).pages()] == [
        [3, 2],
        [1],
        [],
    ]


async def test_each_walk_meets_each_id() -> None:
    """A walk forgets nothing of another one."""
    pager = Pager(numbered)
    walks = aiter(pager), aiter(pager)

    assert [(await anext(walk)).id for walk in walks] == [3, 3]
    assert [item.id for item in (await pager.first()).items] == [3, 2]


async def test_the_same_page_again_is_an_error() -> None:
    """The same page again is an error: the walk would not end, and count its items twice."""

    async def always_one(_: int) -> Page[str]:
        return Page(number=1, items=("a",), has_next=True)

    walk = aiter(Pager(always_one))

    assert await anext(walk) == "a"
    with pytest.raises(UnexpectedAnswerError, match="page 2 was asked for and page 1") as caught:
        await anext(walk)
    assert caught.value.status == 200


async def test_a_first_page_of_another_number_is_an_error() -> None:
    """A single page is checked too."""

    async def always_one(_: int) -> Page[str]:
        return Page(number=1, items=("a",), has_next=False)

    with pytest.raises(UnexpectedAnswerError, match="page 7 was asked for and page 1 came back"):
        await Pager(always_one, page=7).first()


class Stuck:
    """Always names another page, and from a page on has only the items that it had before.

    Attributes:
        asked: How many pages were fetched.
    """

    def __init__(self, *, new_pages: Container[int]) -> None:
        self.asked = 0
        self._new_pages = new_pages

    async def __call__(self, number: int) -> Page[Numbered]:
        """Fetch one."""
        self.asked += 1
        own = number if number in self._new_pages else 1
        return Page(number=number, items=(Numbered(1), Numbered(own)), has_next=True)


async def collect(pager: Pager[Numbered], met: list[int]) -> None:
    """Keep the ids that a walk gives before it fails."""
    async for item in pager:
        met.append(item.id)  # noqa: PERF401 - a comprehension would lose them with the error


async def test_a_list_that_repeats_itself_is_an_error_at_the_third_page_without_a_new_id() -> None:
    """A server that ignores the page number, and always names a next page."""
    stuck = Stuck(new_pages={1})
    met: list[int] = []
    with pytest.raises(UnexpectedAnswerError, match="the list repeats itself") as caught:
        await collect(Pager(stuck), met)

    assert met == [1]
    assert stuck.asked == 4
    assert (caught.value.status, caught.value.page) == (200, 4)
    assert caught.value.__notes__ == ["this was page 4 of the list: go on with page=4"]


async def test_the_pages_of_a_list_that_repeats_itself_end_with_the_same_error() -> None:
    pages = Pager(Stuck(new_pages={1, 2})).pages()

    assert [len((await anext(pages)).items) for _ in range(4)] == [1, 1, 0, 0]
    with pytest.raises(UnexpectedAnswerError, match="up to page 5 have only items"):
        await anext(pages)


async def test_pages_without_a_new_id_are_counted_in_a_row() -> None:
    """Two such pages now and then are those of a list that grows."""
    stuck = Stuck(new_pages={1, 4, 7})
    met: list[int] = []
    with pytest.raises(UnexpectedAnswerError):
        await collect(Pager(stuck), met)

    assert met == [1, 4, 7]
    assert stuck.asked == 10


async def test_a_walk_goes_on_after_a_repetition_if_it_is_asked_to() -> None:
    """A list may have grown by more than three pages meanwhile."""
    walk = aiter(Pager(Stuck(new_pages={1, 6})))

    assert (await anext(walk)).id == 1
    with pytest.raises(UnexpectedAnswerError):
        await anext(walk)
    assert (await anext(walk)).id == 6


async def test_items_without_an_id_are_never_a_repetition() -> None:
    """Two of them may well be equal."""
    shelf = Shelf(["a"], ["a"], ["a"], ["a"], ["a"])

    assert await items_of(Pager(shelf)) == ["a"] * 5
