"""The pages' examples, run one after the other as in a notebook."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import re
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

from sybil import Document, Example, Sybil
from sybil.evaluators.python import pad
from sybil.parsers.myst import CodeBlockParser

from rmz_async.sandbox import Served

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "docs").rglob("*.md")
    if "_build" not in path.parts
)


class Page:
    """A page, and the names and lines of its examples so far.

    Attributes:
        sandbox: The sandbox that the examples talk to.
        names: The names that the examples have defined.
    """

    def __init__(self, path: str, sandbox: Served) -> None:
        self.sandbox = sandbox
        self.names: dict[str, Any] = {"__name__": "example"}
        self._printed = io.StringIO()
        self._runner = asyncio.Runner()
        self._document = examples_of(path, self._evaluate)
        self._left = list(self._document.examples())

    def __getitem__(self, name: str) -> Any:
        return self.names[name]

    @property
    def printed(self) -> list[str]:
        """Return the lines that the examples, and what ran in `wait`, have printed."""
        return self._printed.getvalue().splitlines()

    def run(self, until: str | None = None) -> None:
        """Run the examples that have not run yet, to the end of the section *until*."""
        reached = until is None
        while self._left:
            heading = _heading_above(self._left[0])
            if reached and until is not None and heading != until:
                return
            reached = reached or heading == until
            with contextlib.redirect_stdout(self._printed):
                self._left.pop(0).evaluate()
        assert reached, f"there is no example under {until!r}"

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run *coroutine* in the event loop of the examples, and return its result."""
        with contextlib.redirect_stdout(self._printed):
            return self._runner.run(coroutine)

    def close(self) -> None:
        """Close the event loop."""
        self._runner.close()

    def _evaluate(self, example: Example) -> None:
        code = compile(
            pad(example.parsed, example.line + example.parsed.line_offset),
            example.path,
            "exec",
            flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
            dont_inherit=True,
        )
        waiting = eval(code, self.names)  # noqa: S307 - the pages' own examples
        if inspect.iscoroutine(waiting):
            self.wait(waiting)


def examples_of(path: str, evaluate: Any) -> Document:
    """Return the page at *path*, parsed; *evaluate* runs its Python blocks."""
    return Sybil([CodeBlockParser("python", evaluate)]).parse(ROOT / path)


def without_comments(code: str) -> str:
    """Return an example without its comments, docstrings and names of people."""
    return re.sub(r' {2,}# .*|""".*"""|_name=".*"', "", code)


def prose_of(path: str) -> Iterator[tuple[int, str]]:
    """Give the lines of a page that are outside fenced blocks, with their numbers."""
    fenced = False
    for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, line


def _heading_above(example: Example) -> str:
    above = re.sub(r"(?ms)^```.*?^```$", "", example.document.text[: example.start])
    heading: str = re.findall(r"(?m)^#+ (.+)$", above)[-1]
    return heading
