"""``{proof}`tests/…/test_x.py::test_y` ``: the test behind a sentence of these pages.

A small number stands in the text. It leads to the end of the page, where the test says in its own
words what it claims.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst.states import Inliner
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

ROOT = Path(__file__).resolve().parents[2]


@functools.cache
def _claims(path: Path) -> dict[str, str]:
    functions = (
        node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return {function.name: ast.get_docstring(function) or "" for function in functions}


def claim_of(test: str) -> str:
    """Return what a test claims.

    Args:
        test: As pytest is told it: its file below the project, two colons, and its name.

    Raises:
        LookupError: There is no such test, or it claims nothing.
    """
    file, _, name = test.partition("::")
    path = ROOT / file
    claim = _claims(path).get(name, "") if path.is_file() and name.startswith("test_") else ""
    if not claim:
        raise LookupError(f"there is no test {test}")
    return " ".join(claim.replace("``", "").split())


def _proof(
    role: str,
    raw: str,
    text: str,
    line: int,
    inliner: Inliner,
    options: dict[str, Any] | None = None,
    content: Sequence[str] = (),
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    try:
        claim_of(text)
    except LookupError as error:
        message = inliner.reporter.error(str(error), line=line)
        return [inliner.problematic(raw, raw, message)], [message]
    return [nodes.superscript(classes=["proof"], test=text)], []


class Proofs(SphinxTransform):
    """Numbers a page's proofs, and lists them at its end."""

    default_priority = 600

    def apply(self, **_: Any) -> None:
        """Number them."""
        numbers: dict[str, int] = {}
        for mark in list(self.document.findall(nodes.superscript)):
            if "test" in mark:
                number = numbers.setdefault(mark["test"], len(numbers) + 1)
                mark += nodes.reference("", str(number), internal=True, refid=f"proof-{number}")
        page = self.document.next_node(nodes.section)
        if not numbers or page is None:
            return
        section = nodes.section(ids=["how-this-is-tested"], names=["how this is tested"])
        section += nodes.title("", "How this is tested")
        items = nodes.enumerated_list(enumtype="arabic", prefix="", suffix=".", classes=["proofs"])
        for test, number in numbers.items():
            self.env.note_dependency(str(ROOT / test.partition("::")[0]))
            said = nodes.paragraph("", f"{claim_of(test)} ", nodes.literal("", test))
            items += nodes.list_item("", said, ids=[f"proof-{number}"])
        section += items
        page += section


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx about the role."""
    app.add_role("proof", _proof)
    app.add_transform(Proofs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
