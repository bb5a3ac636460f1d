"""Errors in the middle of a list name the page that failed, so that a walk can go on from there."""

from __future__ import annotations

import copy
import pickle

import pytest

from rmz_async import Page, Pager, ServerError, UnexpectedAnswerError
from tests.unit.shelf import Shelf, items_of

pytestmark = pytest.mark.anyio


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
