"""The files for a forge."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_each_action_is_pinned_by_a_commit_with_its_version_beside(workflow: Path) -> None:
    uses = re.findall(r"(?m)^\s*-? ?uses: (.+)$", workflow.read_text(encoding="utf-8"))

    assert uses
    assert [line for line in uses if not PINNED.fullmatch(line)] == []


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
