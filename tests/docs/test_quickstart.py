"""The first calls: those of the quickstart, of the index, and of code that cannot await."""

from __future__ import annotations

import pytest

import rmz_sync
from tests.docs.pages import Page

PAGE = "docs/quickstart.md"


def test_both_packages_print_the_same(page: Page) -> None:
    page.run()
    half = len(page.printed) // 2

    assert page.printed[:half] == page.printed[half:]
    assert page.printed[0] == "active True"
    assert [int(line) for line in page.printed[1:half]] == sorted(
        map(int, page.printed[1:half]), reverse=True
    )


@pytest.mark.parametrize("page", ["docs/index.md"], indirect=True)
def test_the_first_call_of_the_index_prints_what_it_shows(page: Page) -> None:
    page.run()

    assert page.printed == ["501 active True"]


@pytest.mark.parametrize("page", ["docs/sync.md"], indirect=True)
def test_threads_share_a_client(page: Page) -> None:
    page.run()

    assert page.printed == ["[True, True, False]"]


def test_a_sync_client_works_inside_a_running_loop(page: Page) -> None:
    async def cell() -> str:
        with rmz_sync.Client() as rmz:
            return rmz.subscriptions.get(501).status

    assert page.wait(cell()) == "active"
