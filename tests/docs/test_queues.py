"""The services of "Celery and taskiq" are those of the examples, which have tests of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Page, examples_of

PAGE = "docs/queues.md"
EXAMPLES = sorted(Path(ROOT, "docs", "examples").glob("webhook_*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_page_shows_the_example(example: Path) -> None:
    shown = [str(block.parsed) for block in examples_of(PAGE, None).examples()]

    assert len(shown) == len(EXAMPLES)
    assert any(block in example.read_text(encoding="utf-8") for block in shown)


# Celery keeps the tasks of all its apps in one place, also those of the page's other test.
@pytest.mark.filterwarnings("ignore:Task name 'example.run_delivery' is already registered")
def test_the_examples_of_the_page_hand_over_to_their_queues(page: Page) -> None:
    page.run("Celery")
    assert "example.run_delivery" in page["queue"].tasks
    page.run()
    assert page["queue"].find_task("example:run_delivery") is page["run_delivery"]
