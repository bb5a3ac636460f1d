"""Rules of names and of sentences, held against the source of every module."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("pytest_rmz", "rmz_async", "rmz_sync")
VAGUE = {"base", "common", "helpers", "manager", "utils"}
# A sentence names its subject: after one of these words the reader has to look for it.
HIDDEN = re.compile(r"(?:^|[.!?][\"`)]?\s+)((?:What|Who|Where|It|One|Of)\b(?!-).{,60})")


def modules(*folders: str) -> list[Path]:
    """Every module below the folders."""
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def comments(path: Path) -> Iterator[str]:
    """Each comment of a file; lines of comments that follow one another are one."""
    with path.open("rb") as file:
        lines = [
            (token.start[0], token.string.lstrip("#: "))
            for token in tokenize.tokenize(file.readline)
            if token.type == tokenize.COMMENT
        ]
    text = ""
    for (line, words), (following, _) in pairwise([*lines, (-1, "")]):
        text += f" {words}"
        if following != line + 1:
            yield text
            text = ""


def prose(path: Path) -> Iterator[str]:
    """Each docstring, message and comment of a file, in one line."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.value
    yield from comments(path)


@pytest.mark.parametrize("folder", [*PACKAGES, "tests"])
def test_a_sentence_begins_with_its_subject(folder: str) -> None:
    found = {
        f"{path.relative_to(ROOT)}: {sentence}"
        for path in modules(folder)
        for words in prose(path)
        for sentence in HIDDEN.findall(" ".join(words.split()))
    }

    assert found == set()


@pytest.mark.parametrize("name", ["Answer", "Call"])
def test_one_class_has_the_name(name: str) -> None:
    """Two classes of one name make a reader ask which one is meant."""
    definition = re.compile(rf"^class {name}\b", re.MULTILINE)
    found = [path for path in modules(*PACKAGES) if definition.search(path.read_text("utf-8"))]

    assert [path.parent.name for path in found] == ["_calls"]


def test_no_variable_is_called_one() -> None:
    """A name says which kind of object it stands for."""
    found = {
        path.relative_to(ROOT).as_posix()
        for path in modules(*PACKAGES)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if "one" in (getattr(node, "id", None), getattr(node, "arg", None))
    }

    assert found == set()


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [path for path in modules(*PACKAGES) if path.stem.strip("_") in VAGUE] == []


# Private names of other projects are not the seams' concern.
FOREIGN = {"_content", "_exit", "_instances", "_make", "_replace", "_request", "_stream"}
PRIVATE = re.compile(r"^_[^_]|^rmz_\w+\.(.*\.)?_(?!_main)")


def private_parts(path: Path) -> Iterator[str]:
    """Give each private name that a test reaches into or replaces, but for those of its own."""
    tree = ast.parse(path.read_text("utf-8"))
    own = {
        name
        for one in ast.walk(tree)
        if isinstance(one, ast.ClassDef)
        for part in ast.walk(one)
        for name in (getattr(part, key, None) for key in ("attr", "id", "name"))
    }
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Attribute) and not ast.unparse(node.value).startswith("super("):
            names = [node.attr]
        elif isinstance(node, ast.Call) and "setattr" in ast.unparse(node.func):
            names = [str(given.value) for given in node.args if isinstance(given, ast.Constant)]
        yield from (name for name in names if PRIVATE.match(name) and name not in own | FOREIGN)


def test_private_parts_are_reached_through_the_seams() -> None:
    """A private name stands in one place, so that renaming it changes one line of the tests."""
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules("tests")
        if path.name != "seams.py"
        for name in private_parts(path)
    }

    assert found == set()
