"""Navigation and links that Markdown has no words for, made from what a forge shows as well."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

_SECTION = re.compile(r"(?ms)^##? (.+?)\n(.*?)(?=^##? |\Z)")
_LISTED = re.compile(r"(?m)^- \[[^\]]+\]\(([\w/-]+)\.(?:md|rst)\)")


def add_navigation(app: Sphinx, name: str, source: list[str]) -> None:
    """Make the lists of pages in an index its navigation, one part for each heading."""
    if name.rpartition("/")[2] != "index":
        return
    for heading, text in _SECTION.findall(source[0]):
        pages = [page for page in _LISTED.findall(text) if f"{page}.md" != "index.md"]
        if pages:
            options = f":hidden:\n:caption: {heading}\n" if name == "index" else ":hidden:\n"
            source[0] += "\n```{toctree}\n" + options + "\n" + "\n".join(pages) + "\n```\n"


def turn_arabic(
    app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Write the pages below ``ar/`` from right to left."""
    if name.startswith("ar/") and "body" in context:
        context["body"] = f'<div lang="ar" dir="rtl">{context["body"]}</div>'


class LinkNames(SphinxPostTransform):
    """Link each public name that stands as code in a sentence to its description."""

    default_priority = 5  # before references are resolved

    def run(self, **_: Any) -> None:
        """Wrap the names in references."""
        if self.env.docname == "reference":
            return
        described = self.env.domains.python_domain.objects
        calls = {
            f"{resource}.{method}": name
            for name in described
            for resource, method in _CALL.findall(name)
        }
        for code in list(self.document.findall(nodes.literal)):
            written = code.astext().removesuffix("()").removeprefix("rmz.")
            public = f"rmz_async.{written.removeprefix('rmz_async.')}"
            target = calls.get(written, public)
            if target in described and not isinstance(code.parent, _LINKS):
                link = addnodes.pending_xref(
                    "",
                    refdomain="py",
                    reftype="obj",
                    reftarget=target,
                    refdoc=self.env.docname,
                    refexplicit=True,
                )
                code.replace_self(link)
                link += code


_CALL = re.compile(r"^rmz_async\.resources\.(\w+)\.\w+\.(\w+)$")
_LINKS = nodes.reference | addnodes.pending_xref


class LabelCells(SphinxPostTransform):
    """Copy the heading of its column into each cell, for screens on which rows are stacked."""

    default_priority = 900

    def run(self, **_: Any) -> None:
        """Put a heading before each cell; the style sheet hides them on wide screens."""
        for table in self.document.findall(nodes.table):
            head = table.next_node(nodes.thead)
            body = table.next_node(nodes.tbody)
            if head is None or body is None:
                continue
            labels = [entry.astext().rstrip("?؟") for entry in head.findall(nodes.entry)]
            for row in body.findall(nodes.row):
                for label, entry in list(zip(labels, row.children, strict=True))[1:]:
                    text = entry.next_node(nodes.paragraph)
                    if text is not None and not text.astext():
                        entry.remove(text)
                    elif text is not None and label:
                        text.insert(0, nodes.inline("", f"{label}: ", classes=["label"]))


class KeepShortCode(SphinxPostTransform):
    """Mark short code in sentences, which the style sheet keeps on one line in Arabic."""

    default_priority = 900

    def run(self, **_: Any) -> None:
        """Add the class ``short``; longer code would leave a narrow screen."""
        for code in self.document.findall(nodes.literal):
            if len(code.astext()) <= 24:
                code["classes"].append("short")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect what is above."""
    app.connect("source-read", add_navigation)
    app.connect("html-page-context", turn_arabic)
    app.add_post_transform(LinkNames)
    app.add_post_transform(LabelCells)
    app.add_post_transform(KeepShortCode)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
