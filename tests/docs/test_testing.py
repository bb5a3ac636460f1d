"""The tests that "Test and watch your code" shows."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

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


def test_the_tests_with_fixtures_pass(tmp_path: Path) -> None:
    """In a pytest of their own, as a reader runs them."""
    section = (ROOT / PAGE).read_text("utf-8").partition("### Fixtures for pytest")[2]
    section = section.partition("## With a mock of httpx")[0]
    code = "\n\n".join(re.findall(r"(?s)```python\n(.*?)```", section))
    (tmp_path / "test_page.py").write_text(code, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "pytest_rmz", "-p", "no:cacheprovider"]

    done = subprocess.run(
        [*command, "-c", str(tmp_path / "pytest.ini"), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    passed = re.findall(r" (\d+) passed", done.stdout)
    # Each of the async tests runs on asyncio and on trio.
    assert passed == ["15"], done.stdout
