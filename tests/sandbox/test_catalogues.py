from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from rmz_async.sandbox.hosted.languages import CATALOGUES

PAGES = CATALOGUES.parent
DASHBOARD = PAGES.with_name("dashboard")


def messages() -> set[str]:
    """Every string that the pages show, as the modules and templates have it."""
    found: set[str] = set()
    for path in [*PAGES.rglob("*.py"), *DASHBOARD.rglob("*.py")]:
        keywords = {"_": None, "text": None, "plural": (1, 2)}
        for row in extract_from_file("python", path, keywords):
            found.add(row[1] if isinstance(row[1], str) else row[1][0])
    for path in [*PAGES.rglob("*.html"), *DASHBOARD.rglob("*.html")]:
        found |= set(re.findall(r'_\("([^"]+)"', path.read_text("utf-8")))
    return found


def catalogues() -> list[Path]:
    """The catalogue of each language."""
    return sorted(CATALOGUES.glob("*/LC_MESSAGES/*.po"))


@pytest.mark.parametrize("path", catalogues(), ids=lambda path: path.parents[1].name)
def test_a_catalogue_translates_every_string_of_the_pages(path: Path) -> None:
    """No string is left out, none is left over, and none is marked as a guess."""
    with path.open("rb") as file:
        catalogue = read_po(file)
    translated = {row.id if isinstance(row.id, str) else row.id[0] for row in catalogue if row.id}

    assert translated == messages()
    for row in catalogue:
        assert not row.fuzzy or not row.id
        assert all(row.string if isinstance(row.string, tuple) else [row.string]), row.id
        assert not list(row.check(catalogue)), row.id
