"""The examples of "Snapshots, worlds and scenarios"."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import anyio
import pytest

from rmz_async.sandbox.scenarios.actions import ACTIONS
from rmz_async.sandbox.scenarios.expectations import EXPECTATIONS
from rmz_async.sandbox.scenarios.playing import play
from rmz_async.sandbox.scenarios.scenario import read
from tests.docs.pages import ROOT, Page

PAGE = "docs/scenarios.md"
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
TESTS = re.findall(r"(?m)^(?:async )?def (test_\w+)\(\)", TEXT)


@pytest.mark.parametrize("name", TESTS)
def test_a_test_of_the_page_passes(page: Page, name: str) -> None:
    page.run()
    found = page[name]

    if inspect.iscoroutinefunction(found):
        page.wait(found())
    else:
        found()


def test_the_story_of_the_page_passes(tmp_path: Path) -> None:
    """As a reader would copy it; its number of steps is the one in the console."""
    (story,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    path = tmp_path / "story.toml"
    path.write_text(story, "utf-8")

    played = anyio.run(play, read(path))

    assert played.failed is None
    assert f"{len(played.outcomes)} steps in" in TEXT


def test_the_table_of_steps_has_every_step() -> None:
    rows = re.findall(r"(?m)^\| (`[a-z_`, ]+`) \|", TEXT.partition("## Scenarios")[2])
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert listed == ACTIONS.keys() | EXPECTATIONS.keys()
