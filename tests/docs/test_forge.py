"""The files for a forge."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.docs.pages import PAGES, ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
MARKDOWN = MarkdownIt("commonmark").enable("table")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_each_action_is_pinned_by_a_commit_with_its_version_beside(workflow: Path) -> None:
    uses = re.findall(r"(?m)^\s*-? ?uses: (.+)$", workflow.read_text(encoding="utf-8"))

    assert uses
    assert [line for line in uses if not PINNED.fullmatch(line)] == []


def test_the_hooks_before_a_commit_would_change_no_file() -> None:
    """Each file that they look at ends in one line break, and no line ends in a blank."""
    configuration = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    (excluded,) = re.findall(r"(?m)^exclude: (.+)$", configuration)
    folders = (".github", "docs", "pytest_rmz", "rmz_async", "rmz_sync", "tests")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.*") if path.is_file()]
    written = [path for path in files if not {"__pycache__", "_build"} & set(path.parts)]
    looked_at = [path for path in written if not re.search(excluded, path.as_posix())]

    assert set(written) - set(looked_at)
    assert [
        path
        for path in looked_at
        if re.search(rb"[ \t\r]\n|\n\n\Z|[^\n]\Z", path.read_bytes())
        and not path.name.endswith((".pyc", ".mo"))
    ] == []


def test_the_source_distribution_has_each_file_that_the_tests_read() -> None:
    """A packager runs the tests of what was published."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")]
    read = {name for text in sources for name in re.findall(r'ROOT / "([.\w-]+)', text)}
    sdist = PYPROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]

    assert read - {"LICENSE", "README.md", "pyproject.toml"} <= set(sdist)


def test_the_workflow_tests_each_python_that_the_package_names() -> None:
    named = [
        line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", line)
    ]
    (matrix,) = re.findall(r"python: \[(.+)\]", (ROOT / ".github/workflows/ci.yml").read_text())

    assert re.findall(r'"([^"]+)"', matrix) == named


def test_the_forge_and_the_script_have_the_same_gates() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    workflow = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    gates = re.findall(r"(?m)^          - ([a-z-]+)", workflow)
    looped = re.findall(r"for name in ([a-z -]+); do\n +gate ", script)
    named = re.findall(r"(?m)^ *gate [a-z-]+ nox -s ([a-z-]+)", script)

    assert gates
    assert sorted(gates) == sorted([*" ".join(looped).split(), *named])


def test_the_contributors_page_names_each_session() -> None:
    sessions = [
        given or function
        for given, function in re.findall(
            r'(?m)^@nox\.session(?:.*name="([\w-]+)")?.*\ndef (\w+)\(',
            (ROOT / "noxfile.py").read_text(encoding="utf-8"),
        )
    ]
    page = (ROOT / "docs/contributing.md").read_text(encoding="utf-8")

    assert sessions
    assert [name for name in sessions if f"| `{name}` |" not in page] == []


def anchors(page: Path) -> set[str]:
    """Return the anchors that a forge gives to the headings of a page."""
    tokens = MARKDOWN.parse(page.read_text(encoding="utf-8"))
    texts = [
        "".join(part.content for part in tokens[place + 1].children or ())
        for place, token in enumerate(tokens)
        if token.type == "heading_open"
    ]
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in texts}


@pytest.mark.parametrize("path", ["README.md", ".github/SECURITY.md", *PAGES])
def test_each_link_leads_to_a_file_and_to_a_heading_of_it(path: str) -> None:
    page = ROOT / path
    links = [
        str(part.attrs["href"])
        for token in MARKDOWN.parse(page.read_text(encoding="utf-8"))
        for part in token.children or ()
        if part.type == "link_open" and "://" not in str(part.attrs["href"])
    ]

    def is_dead(link: str) -> bool:
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        return not target.exists() or (bool(anchor) and anchor not in anchors(target))

    assert [link for link in links if is_dead(link)] == []
