"""Every import of an optional package, found in the source: if the package is missing, help is."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PROVIDERS = packages_distributions()

# A program that runs on trio has it.
ALWAYS_THERE = {"rmz_async", "rmz_sync", "trio", *sys.stdlib_module_names}

# Imports each module without a package, as a new process would: beside what the core needs,
# nothing of this library is imported yet.
WITHOUT = """
import importlib, json, sys
import rmz_async, rmz_sync
core = set(sys.modules)
answers = []
for module, package in json.load(sys.stdin):
    for name in set(sys.modules) - core:
        if name.startswith(("rmz_async.", "rmz_sync.")):
            del sys.modules[name]
    hidden = {n: m for n, m in sys.modules.items() if n == package or n.startswith(package + ".")}
    for name in hidden:
        del sys.modules[name]
    sys.modules[package] = None
    try:
        importlib.import_module(module)
        answers.append("no error")
    except BaseException as error:
        answers.append(type(error).__name__ + ": " + str(error))
    del sys.modules[package]
    sys.modules.update(hidden)
print(json.dumps(answers))
"""


class Import(NamedTuple):
    """A package that a module imports, and that not every installation has."""

    module: str
    package: str
    in_function: bool
    guard: str | None


def project(name: str) -> str:
    """A project's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_of(package: str, requirements: list[str]) -> bool:
    """Whether one of the requirements has a package."""
    required = {project(re.split(r"[><=\[; ]", line)[0]) for line in requirements}
    return any(project(name) in required for name in PROVIDERS.get(package, ()))


def imports(tree: ast.AST, module: str, guard: str | None = None) -> Iterator[Import]:
    """Every import that runs, with the extra by which it is guarded."""
    for node in ast.iter_child_nodes(tree):
        packages = set[str]()
        below = guard
        match node:
            case ast.Import():
                packages = {alias.name.partition(".")[0] for alias in node.names}
            case ast.ImportFrom(module=str(name)):
                packages = {name.partition(".")[0]}
            case ast.With(
                items=[ast.withitem(ast.Call(ast.Name("extra"), [ast.Constant(str(name))]))]
            ):
                below = name
            case ast.If(test=ast.Name("TYPE_CHECKING")):
                continue
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from (one._replace(in_function=True) for one in imports(node, module, guard))
                continue
            case _:
                pass
        for package in packages - ALWAYS_THERE:
            if not is_of(package, PROJECT["dependencies"]):
                yield Import(module, package, False, guard)
        yield from imports(node, module, below)


def module_of(path: Path) -> str:
    """A module's name."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FOUND = sorted(
    {
        one
        for top in ("rmz_async", "rmz_sync")
        for path in (ROOT / top).rglob("*.py")
        for one in imports(ast.parse(path.read_text("utf-8")), module_of(path))
    },
    key=lambda one: (one.package, one.module, one.in_function),
)


@pytest.fixture(scope="module")
def answers() -> dict[Import, str]:
    """The outcome of each import of a module whose package is missing."""
    asked = [one for one in FOUND if not one.in_function]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        input=json.dumps([(one.module, one.package) for one in asked]),
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(asked, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize(
    "one",
    FOUND,
    ids=[f"{one.package}-in-{one.module}{'()' * one.in_function}" for one in FOUND],
)
def test_a_missing_package_is_an_error_with_the_command_that_installs_it(
    one: Import, answers: dict[Import, str]
) -> None:
    """Write ``with extra("name", needed_by=...):`` around the import."""
    extra = one.guard
    if not one.in_function:
        said = re.fullmatch(r'MissingExtraError: (.*)pip install "rmz\[(\w+)\]"(.*)', answers[one])
        assert said, answers[one]
        assert re.search(rf"\b{one.package}\b", said[1] + said[3])
        extra = said[2]

    assert extra is not None, "only a function that has the guard may import it"
    assert is_of(one.package, PROJECT["optional-dependencies"][extra])
