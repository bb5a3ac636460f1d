"""The tests that "Test and watch your code" shows."""

from __future__ import annotations

import inspect
import re

import pytest

from tests.docs.pages import ROOT, Page

PAGE = "docs/testing.md"
TESTS = re.findall(r"(?m)^(?:async )?def (test_\w+)\(\)", (ROOT / PAGE).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", TESTS)
def test_a_test_of_the_page_passes(page: Page, name: str) -> None:
    page.run()

    running = page[name]()
    if inspect.iscoroutine(running):
        page.wait(running)
