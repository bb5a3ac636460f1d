"""All pages: their examples run, and a forge shows all that is in them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from markdown_it import MarkdownIt

import rmz_async.sandbox
from tests.docs.pages import PAGES, ROOT, Page, prose_of
from tests.test_words import HIDDEN

WRITTEN = [*PAGES, "README.md"]


@pytest.mark.parametrize("page", PAGES, indirect=True)
def test_the_examples_of_a_page_run_one_after_the_other(page: Page) -> None:
    """A reader can copy a page from its first example to its last."""
    page.run()


@pytest.mark.parametrize("path", WRITTEN)
def test_a_page_has_no_code_that_a_reader_cannot_see(path: str) -> None:
    """Comments of MyST and of HTML are invisible; only the marks of tables are allowed."""
    hidden = [
        f"{path}:{number}"
        for number, line in prose_of(path)
        if line.startswith("%")
        or ("<!--" in line and not re.fullmatch(r"<!-- (begin|end) [a-z-]+ -->", line))
    ]

    assert hidden == []


@pytest.mark.parametrize("path", WRITTEN)
def test_a_page_is_plain_markdown(path: str) -> None:
    """A forge shows roles, directives and labels as they are written."""
    text = (ROOT / path).read_text(encoding="utf-8")
    roles = [line for _, line in prose_of(path) if re.search(r"(?:^|[\s(])\{[\w:-]+\}`", line)]
    labels = [line for _, line in prose_of(path) if re.fullmatch(r"\([\w-]+\)=", line)]

    assert re.findall(r"(?m)^[`:]{3,}\s*\{.*", text) == []
    assert roles + labels == []


@pytest.mark.parametrize("path", [path for path in WRITTEN if "/ar/" not in path])
def test_a_sentence_of_a_page_begins_with_its_subject(path: str) -> None:
    """Headings and cells of tables, too."""
    tokens = MarkdownIt("commonmark").enable("table").parse((ROOT / path).read_text("utf-8"))
    texts = [" ".join(token.content.split()) for token in tokens if token.type == "inline"]

    assert texts
    assert [found for text in texts for found in HIDDEN.findall(text)] == []


@pytest.mark.parametrize("path", WRITTEN)
def test_a_link_leads_to_a_file_that_exists(path: str) -> None:
    """Links between pages work on a forge: they name files, not addresses of built pages."""
    targets = re.findall(r"\]\(([^)#\s]+)", "\n".join(line for _, line in prose_of(path)))
    local = [target for target in targets if "://" not in target]

    assert [one for one in local if not (ROOT / path).parent.joinpath(one).is_file()] == []


def test_each_page_is_listed_in_an_index() -> None:
    """The lists of the indexes are the navigation: a page that is in none cannot be found."""
    listed = {
        (index.parent / target).resolve()
        for index in (ROOT / "docs").rglob("index.md")
        for target in re.findall(r"\]\(([\w/.-]+)\)", index.read_text(encoding="utf-8"))
    }
    pages = {(ROOT / page).resolve() for page in PAGES}

    assert pages - listed == {ROOT / "docs/index.md"}


@pytest.mark.parametrize("package", [rmz_async, rmz_async.sandbox])
def test_the_reference_describes_each_public_name(package: ModuleType) -> None:
    """``docs/reference.rst`` is written by hand, one line for a name."""
    described = (ROOT / "docs/reference.rst").read_text(encoding="utf-8").split()
    modules = {"__version__", "paywall", "webhooks"}

    assert [
        name
        for name in package.__all__
        if f"{package.__name__}.{name}" not in described and name not in modules
    ] == []


def test_the_tables_say_what_the_code_says() -> None:
    """If this fails, run ``python docs/tables.py``."""
    script = Path(ROOT, "docs", "tables.py")

    checked = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr
