"""Every job of the project: ``nox -l`` lists them, and each sets up what it needs."""

from __future__ import annotations

import shutil
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

import nox

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_external_run = True
# A machine need not have every Python; on a server of CI nox would take the lack for a failure.
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["lint", "typing", "tests", "generate", "docs", "build"]

PYPROJECT = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
PREFIX = "Programming Language :: Python :: 3."
SUPPORTED = [
    line.removeprefix("Programming Language :: Python :: ")
    for line in PYPROJECT["project"]["classifiers"]
    if line.startswith(PREFIX)
]
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
# So that a machine whose only Python is newer than the list still runs the tests.
PYTHONS = SUPPORTED if RUNNING in SUPPORTED else [*SUPPORTED, RUNNING]
PACKAGES = ["rmz_async", "rmz_sync"]
CHECKED = [*PACKAGES, "tests", "docs", "noxfile.py"]


def group(name: str) -> tuple[str, ...]:
    """Return what the dependency group *name* asks for."""
    return nox.project.dependency_groups(PYPROJECT, name)


@nox.session
def demo(session: nox.Session) -> None:
    """Watch a customer subscribe, end to end, offline."""
    session.install(".[sandbox]")
    # Elsewhere, so that what is shown is the installed package.
    session.chdir(tempfile.gettempdir())
    session.run("python", "-m", "rmz_async.demo")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests on each Python that is there, and demand full branch coverage of one run."""
    session.install("-e", ".[sandbox]", *group("tests"))
    if session.posargs:
        session.run("pytest", *session.posargs)
    elif session.python == RUNNING:
        session.run("coverage", "erase")
        session.run("coverage", "run", "-m", "pytest", "--numprocesses=auto")
        session.run("coverage", "combine", "--quiet")
        session.run("coverage", "report")
    else:
        session.run("pytest", "--numprocesses=auto")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, spelling and metadata."""
    session.install(*group("lint"))
    session.run("ruff", "check", *CHECKED)
    session.run("ruff", "format", "--check", *CHECKED)
    session.run("codespell", *CHECKED, "README.md")
    session.run("validate-pyproject", "pyproject.toml")


@nox.session(python=PYTHONS)
def typing(session: nox.Session) -> None:
    """Check all types with mypy and pyright, and that the public interface has them all."""
    session.install(".[sandbox]", *group("typing"))
    session.run("mypy", *PACKAGES, "tests", "noxfile.py", "--python-version", str(session.python))
    session.run("pyright", "--pythonversion", str(session.python))
    # Elsewhere, so that it is the installed package that is looked at, as users have it.
    session.chdir(session.create_tmp())
    for package in PACKAGES:
        session.run("pyright", "--verifytypes", package, "--ignoreexternal")


@nox.session
def generate(session: nox.Session) -> None:
    """Write rmz_sync/resources anew; ``-- --check`` compares only."""
    session.install(*group("lint"))
    session.run("python", "rmz_sync/_generate.py", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Run every example, and build the pages with warnings as errors."""
    session.install("-e", ".[sandbox]", *group("docs"))
    session.run("pytest", "docs", "README.md")
    session.run(
        "sphinx-build", "-n", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html"
    )


@nox.session
def build(session: nox.Session) -> None:
    """Build the distribution and look into it."""
    session.install("build")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", "dist")
    (wheel,) = Path("dist").glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    if not {"rmz_async/py.typed", "rmz_sync/py.typed"} <= names:
        session.error("the wheel has no py.typed")
    if "rmz_sync/_generate.py" in names:
        session.error("the wheel has the generator, which works on a checkout only")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure what the client costs beside bare httpx; prints a table and fails nothing."""
    session.install(".[sandbox]")
    session.run("python", "-P", "tests/bench/run.py", *session.posargs)
