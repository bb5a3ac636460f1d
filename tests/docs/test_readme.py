"""The README: each example is copied by itself, as a reader does."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rmz_async.sandbox import Served
from tests.docs.pages import ROOT, examples_of

EXAMPLES = [example.parsed for example in examples_of("README.md", None).examples()]


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_that_is_copied_alone_prints_what_it_shows(sandbox: Served, number: int) -> None:
    example = str(EXAMPLES[number])
    shown = [line[2:] for line in example.splitlines() if line.startswith("# ")]

    ran = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, check=False
    )

    assert ran.stderr == ""
    assert shown
    assert ran.stdout.splitlines() == shown


def test_the_first_example_needs_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RMZ_API_TOKEN", "RMZ_BASE_URL"):
        monkeypatch.delenv(name, raising=False)

    ran = subprocess.run(
        [sys.executable, "-c", str(EXAMPLES[0])], capture_output=True, text=True, check=False
    )

    assert ran.stdout == "501 active True\n"


def test_the_reader_sees_the_library_before_the_commands_of_developers() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert text.index("pip install 'rmz") < text.index("```python") < text.index("nox -s tests")
