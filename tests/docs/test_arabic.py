"""The Arabic pages: the examples are those of the English ones."""

from __future__ import annotations

import re
import unicodedata

import pytest
from markdown_it import MarkdownIt

import rmz_async
from tests.docs.networks import pay
from tests.docs.pages import PAGES, ROOT, Page, examples_of, without_comments

PAGE = "docs/ar/quickstart.md"
ARABIC = [path for path in PAGES if path.startswith("docs/ar/")]
ENGLISH = [path for path in PAGES if path not in ARABIC]


def code_of(path: str) -> list[str]:
    """Return the examples of a page without what is in its reader's language."""
    examples = examples_of(path, None).examples()
    return [without_comments(str(example.parsed)) for example in examples]


def test_the_examples_are_those_of_the_english_pages() -> None:
    english = [block for path in ENGLISH for block in code_of(path)]
    arabic = [block for path in ARABIC for block in code_of(path)]

    assert len(arabic) == 20
    assert [block for block in arabic if block not in english] == []


@pytest.mark.parametrize("path", ARABIC)
def test_an_arabic_paragraph_begins_with_an_arabic_word(path: str) -> None:
    """Else a forge, which goes by the first letter, shows the paragraph from left to right."""
    parsed = MarkdownIt("commonmark").parse((ROOT / path).read_text(encoding="utf-8"))
    texts = ["".join(part.content for part in token.children or ()) for token in parsed]
    prose = [
        text for text in texts if re.search("[\u0621-\u064a]", text) and not text.startswith("|")
    ]

    def direction(text: str) -> str:
        found = map(unicodedata.bidirectional, text)
        return next(letter for letter in found if letter in {"L", "AL"})

    assert prose
    assert [text for text in prose if direction(text) == "L"] == []


@pytest.mark.parametrize("name", ["tutorial", "sandbox"])
def test_the_commands_are_those_of_the_english_page(name: str) -> None:
    """An option or an exit code that changes must change in both languages."""

    def commands(path: str) -> list[str]:
        return re.findall(r"(?m)^\$ (.+)$", (ROOT / path).read_text(encoding="utf-8"))

    english = commands(f"docs/{name}.md") + commands("docs/tutorial.md")
    shorter = {command.partition(" --limit")[0] for command in english}
    arabic = commands(f"docs/ar/{name}.md")

    assert arabic
    assert [one for one in arabic if one not in english and one not in shorter] == []


@pytest.mark.parametrize("page", ["docs/ar/index.md"], indirect=True)
def test_the_first_call_prints_what_the_page_shows(page: Page) -> None:
    page.run()

    assert page.printed == ["501 active True"]


@pytest.mark.parametrize("page", ["docs/ar/paywall.md"], indirect=True)
def test_the_paywall_answers_what_the_page_shows(page: Page) -> None:
    page.run()

    assert page.printed == ["True active api", "True", "True", "False"]


def test_a_customer_with_an_arabic_name_has_access_after_paying(page: Page) -> None:
    page.run()

    async def buy() -> None:
        async with rmz_async.Client() as rmz:
            assert not await page["has_access"](rmz, "usr_new")
            pay(await page["start_checkout"](rmz, "usr_new"))
            assert await page["has_access"](rmz, "usr_new")

    page.wait(buy())
