"""An Arabic page says all that its English page says, part by part."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import TypeVar

import attrs
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.docs.pages import PAGES, ROOT, without_comments

# These give a shorter introduction in Arabic, and lead to the English page for the rest.
SHORTER = {"index", "paywall", "quickstart", "sandbox"}
ARABIC = {path.removeprefix("docs/ar/")[:-3] for path in PAGES if path.startswith("docs/ar/")}
WHOLE = sorted(ARABIC - SHORTER)
Part = TypeVar("Part")
MARKDOWN = MarkdownIt("commonmark").enable("table")

pytestmark = pytest.mark.parametrize("name", WHOLE)


@attrs.define
class Section:
    """A heading, and what stands below it, to the next heading."""

    title: str = ""
    shape: list[str] = attrs.Factory(list[str])
    code: list[str] = attrs.Factory(list[str])
    prose: list[str] = attrs.Factory(list[str])
    facts: set[str] = attrs.Factory(set[str])
    links: list[str] = attrs.Factory(list[str])

    def add(self, token: Token) -> None:
        """Take one more piece of the page's Markdown."""
        if token.type == "fence":
            self.code.append(without_comments(token.content))
        elif token.type == "inline":
            self.prose.append(token.content)
            for piece in token.children or []:
                self.facts.update(re.findall(r"\d+(?:[.,]\d+)*", piece.content))
                if piece.type == "code_inline":
                    self.facts.add(piece.content)
                elif piece.type == "link_open":
                    self.links.append(str(piece.attrs["href"]))
        if token.nesting >= 0:
            # The marks of a table that is written by a script are HTML.
            mark = token.content if token.type == "html_block" else token.info
            self.shape.append(f"{token.type} {token.tag} {mark}".strip())


def sections_of(path: str) -> list[Section]:
    """Return the sections of a page; each begins with its heading."""
    sections: list[Section] = []
    for token in MARKDOWN.parse((ROOT / path).read_text(encoding="utf-8")):
        if token.type == "heading_open":
            sections.append(Section())
        sections[-1].add(token)
        sections[-1].title = sections[-1].prose[0] if sections[-1].prose else ""
    return sections


def both(name: str, part: Callable[[Section], Part]) -> Iterator[tuple[str, Part, Part]]:
    """Give each English heading, and a part of its section in English and in Arabic."""
    english, arabic = sections_of(f"docs/{name}.md"), sections_of(f"docs/ar/{name}.md")
    for one, other in zip_longest(english, arabic, fillvalue=Section()):
        yield one.title, part(one), part(other)


def test_an_arabic_page_has_each_part_of_the_english_one(name: str) -> None:
    """Headings, paragraphs, lists, tables and code come in the same order."""
    for title, english, arabic in both(name, lambda section: section.shape):
        assert arabic == english, f"translate {title!r} of docs/{name}.md"


def test_an_arabic_page_has_the_code_of_the_english_one(name: str) -> None:
    for title, english, arabic in both(name, lambda section: section.code):
        assert arabic == english, title


def test_an_arabic_section_has_each_name_and_number_of_the_english_one(name: str) -> None:
    """A limit or an option that changes in one language changes in the other."""
    for title, english, arabic in both(name, lambda section: section.facts):
        assert english - arabic == set(), title


def test_an_arabic_section_leads_where_the_english_one_does(name: str) -> None:
    """To the Arabic page where there is one; a shorter one may lack the part that is meant."""
    for title, english, arabic in both(name, lambda section: section.links):
        assert sorted(map(page_of, arabic)) == sorted(map(page_of, english)), title
        allowed = {f"../{link}" for link in english if "#" in link or page_of(link) not in ARABIC}
        allowed -= {link for link in allowed if page_of(link) in WHOLE}
        assert {link for link in arabic if link.startswith("../")} <= allowed, title


def page_of(link: str) -> str:
    """Return the name of the page that a link of either language leads to."""
    return link.partition("#")[0].removeprefix("../").removesuffix(".md")


def test_a_cell_is_translated_alike_wherever_a_table_repeats_it(name: str) -> None:
    """So no row says "applied" in one language and "not applied" in the other."""
    for title, english, arabic in both(name, lambda section: section.prose):
        assert len(set(zip(english, arabic, strict=True))) == len(set(english)), title
        assert len(set(arabic)) == len(set(english)), title
