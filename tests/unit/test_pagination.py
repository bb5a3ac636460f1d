from __future__ import annotations

import copy
import pickle
from collections.abc import Container

import anyio
import attrs
import pytest

from rmz_async import Page, Pager, ServerError, UnexpectedAnswerError

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


async def test_a_list_may_be_empty() -> None:
    """A list without items is a list."""
    assert await items_of(Pager(Shelf([]))) == []


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


class Torn(Shelf):
    """Fails at the pages named, as many times as named."""

    def __init__(self, *pages: list[str], failing: dict[int, int]) -> None:
        super().__init__(*pages)
        self.failing = failing

    async def __call__(self, number: int) -> Page[str]:
        """Fetch one, or fail."""
        page = await super().__call__(number)
        if self.failing.get(number, 0):
            self.failing[number] -= 1
            raise ServerError("RMZ failed", status=500, operation="orders.list")
        return page


async def test_a_page_that_fails_is_named() -> None:
    """The error has the page's number, and says how to go on."""
    walk = aiter(Pager(Torn(["a"], ["b"], failing={2: 1})))

    assert await anext(walk) == "a"
    with pytest.raises(ServerError) as caught:
        await anext(walk)
    assert caught.value.page == 2
    assert caught.value.__notes__ == ["this was page 2 of the list: go on with page=2"]
    assert str(caught.value) == "RMZ failed"


async def test_a_walk_goes_on_after_a_failure() -> None:
    """The same walk asks for that page again: no item is missed, and none comes twice."""
    shelf = Torn(["a"], ["b", "c"], ["d"], failing={1: 1, 2: 2, 3: 1})
    walk = aiter(Pager(shelf))
    seen: list[str] = []
    failures: list[int | None] = []
    while True:
        try:
            seen.append(await anext(walk))
        except ServerError as error:
            failures.append(error.page)
        except StopAsyncIteration:
            break

    assert seen == ["a", "b", "c", "d"]
    assert failures == [1, 2, 2, 3]
    assert shelf.asked == [1, 1, 2, 2, 2, 3, 3]


async def test_the_pages_go_on_after_a_failure() -> None:
    """So does a walk over the pages."""
    pages = Pager(Torn(["a"], ["b"], failing={2: 1})).pages()

    assert (await anext(pages)).number == 1
    with pytest.raises(ServerError):
        await anext(pages)
    assert (await anext(pages)).number == 2
    with pytest.raises(StopAsyncIteration):
        await anext(pages)
    with pytest.raises(StopAsyncIteration):
        await anext(pages)


async def test_a_new_walk_takes_up_where_the_old_one_failed() -> None:
    """As the note says: the rest of the list begins at the error's page."""
    shelf = Torn(["a"], ["b"], ["c"], failing={2: 1})
    with pytest.raises(ServerError) as caught:
        await items_of(Pager(shelf))

    assert caught.value.page is not None
    assert await items_of(Pager(shelf, page=caught.value.page)) == ["b", "c"]


async def test_the_first_page_is_named_too() -> None:
    """The error of a single page names that page."""
    with pytest.raises(ServerError) as caught:
        await Pager(Torn(["a"], ["b"], failing={2: 1}), page=2).first()

    assert caught.value.page == 2


async def test_another_page_is_named_by_what_was_asked_for() -> None:
    """If the server ignores the number, the wanted page is the one to go on with."""

    async def always_one(_: int) -> Page[str]:
        return Page(number=1, items=("a",), has_next=True)

    with pytest.raises(UnexpectedAnswerError) as caught:
        await Pager(always_one, page=7).first()

    assert caught.value.page == 7
    assert caught.value.__notes__ == ["this was page 7 of the list: go on with page=7"]


async def test_the_page_travels() -> None:
    """A task queue that keeps the error keeps the page and the note."""
    with pytest.raises(ServerError) as caught:
        await Pager(Torn(["a"], failing={1: 1})).first()

    for twin in (pickle.loads(pickle.dumps(caught.value)), copy.copy(caught.value)):  # noqa: S301 - our own bytes
        assert twin.page == 1
        assert twin.__notes__ == caught.value.__notes__


async def test_foreign_errors_pass_without_a_note() -> None:
    """A cancellation or a fault of the program has no page."""

    async def fail(_: int) -> Page[str]:
        raise LookupError

    with pytest.raises(LookupError) as caught:
        await Pager(fail).first()
    assert not hasattr(caught.value, "page")
    assert not hasattr(caught.value, "__notes__")


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
        with pytest.raises(RuntimeError, match="waits for a page already"):
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
