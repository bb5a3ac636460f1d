"""The functions of "How long can it block?" and "Will it retry?"."""

from __future__ import annotations

import pytest

import rmz_async
from tests.docs.pages import Page

PAGE = "docs/failing/how-long.md"


def test_a_bulk_job_leaves_room_for_others(page: Page) -> None:
    page.run()

    async def work() -> None:
        async with rmz_async.Client() as rmz:
            for _ in range(37):
                await rmz.store.get()
            page.names["rmz"] = rmz
            assert await page["count_orders"](rmz) == len(page.sandbox.state.orders)
            await rmz.store.get()

    page.wait(work())


def test_the_61st_call_of_a_minute_fails_immediately_and_lookups_go_on(page: Page) -> None:
    async def work() -> None:
        async with rmz_async.Client(timeout=5) as rmz:
            for _ in range(60):
                await rmz.store.get()
            await rmz.subscriptions.lookup(email="noura@example.com")
            with pytest.raises(rmz_async.PacingError) as caught:
                await rmz.store.get()
            assert caught.value.retry_after > 5

    page.wait(work())


@pytest.mark.parametrize("page", ["docs/failing/will-it-retry.md"], indirect=True)
def test_copies_with_other_options_work(page: Page) -> None:
    page.run()

    async def work() -> None:
        async with rmz_async.Client() as rmz:
            await page["tuned"](rmz)

    page.wait(work())
