"""Every job of the project: ``nox -l`` lists them, and each sets up what it needs."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_external_run = True
# A machine need not have every Python; on a server of CI nox would take the lack for a failure.
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"
nox.options.sessions = ["lint", "typing", "tests", "generate", "docs", "build", "contract"]

# The first process that imports a module compiles it for all others, which many tests start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

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
PACKAGES = ["pytest_rmz", "rmz_async", "rmz_sync"]
CHECKED = [*PACKAGES, "tests", "docs", "noxfile.py"]
# These tests do not depend on the Python, so they run on one.
ONCE = [
    *(f"tests/{name}" for name in ("contract", "faults", "load", "mutation", "security")),
    "tests/sandbox/test_catalogues.py",
    "tests/shared/test_proof.py",
    "tests/test_layers.py",
    "tests/test_words.py",
]
# The same for code that is measured, and so they run where coverage is.
MEASURED_ONCE = ["tests/sync/test_generated.py"]
# Rules that use no library but attrs, so that no version of another can matter to them.
PURE = [
    "tests/property/test_policy.py",
    *(
        f"tests/unit/test_{name}.py"
        for name in ("retry_after", "retry_steps", "retry_waits", "settling")
    ),
]
# As many examples as find a difference between Pythons or libraries; a run of the usual number is
# where coverage is measured.
FEW = {"RMZ_EXAMPLES": "20"}
# Between the oldest and the newest Python, which find whatever depends on the Python. The client's
# tests alone run there.
BETWEEN = "3.12"
CLIENT = [f"tests/{name}" for name in ("sync", "unit", "wire")]
# The pages' own session has their packages.
PAGES = "tests/docs"
# These start processes of their own, which would all be measured, and mostly wait for them.
FORKS = [str(path) for path in sorted(Path("tests/sync").glob("test_process_*.py"))]
PROCESSES = [*FORKS, "tests/queues", "tests/webhooks/test_reconciling_killed.py"]
# A session of its own, as these need Chromium.
BROWSER = "tests/browser"
TOGETHER = ["-n", "4", "--dist", "worksteal"]
CONTRACT = Path("docs/openapi.yaml")
# A wheel that grows beyond it carries something that is not ours.
MOST_BYTES = 800_000
REDOCLY = "@redocly/cli@2.77.0"


def group(name: str) -> tuple[str, ...]:
    """Return what the dependency group *name* asks for."""
    return nox.project.dependency_groups(PYPROJECT, name)


@nox.session
def demo(session: nox.Session) -> None:
    """Watch a customer subscribe, end to end, offline."""
    session.install(".[sandbox]")
    # Elsewhere, so that what is shown is the installed package.
    session.chdir(tempfile.gettempdir())
    session.run("python", "-m", "rmz_async.sandbox.demo")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests on each Python that is there, and demand full branch coverage of one run."""
    session.install("-e", ".[sandbox]", *group("tests"))
    if session.posargs:
        session.run("pytest", *session.posargs)
        return
    without = [f"--ignore={path}" for path in (*ONCE, BROWSER, PAGES, *PROCESSES)]
    if session.python == RUNNING:
        session.run("coverage", "erase")
        session.run("coverage", "run", "-m", "pytest", *TOGETHER, *without)
        session.run("coverage", "combine", "--quiet")
        session.run("coverage", "report")
        session.run("pytest", *TOGETHER, *ONCE, *PROCESSES)
        return
    without += [f"--ignore={path}" for path in MEASURED_ONCE]
    chosen = CLIENT if session.python == BETWEEN else []
    one_way = FEW | {"RMZ_ONE_WAY": str(session.python)}
    session.run("pytest", *TOGETHER, *chosen, *without, env=one_way)
    if session.python != BETWEEN:
        # Threads, signals and exits differ between Pythons; the other processes need no second run.
        session.run("pytest", *TOGETHER, *FORKS)


@nox.session(python=SUPPORTED[0])
def lowest(session: nox.Session) -> None:
    """Run the tests on the oldest Python and the oldest versions that the project declares."""
    if session.venv_backend != "uv":
        session.skip("the oldest versions were not tested: only uv can choose them")
    session.install("--resolution=lowest-direct", "-e", ".[aiohttp,sandbox]", *group("tests"))
    # Without PROCESSES: tests/queues alone waits 15 seconds for its workers. Run by hand here, as
    # `nox -s lowest` has set up its environment, it tries the oldest queues.
    left_out = (*ONCE, *MEASURED_ONCE, *PURE, BROWSER, PAGES, *PROCESSES)
    without = [f"--ignore={path}" for path in left_out]
    session.run("pytest", *TOGETHER, *without, env=FEW | {"RMZ_ONE_WAY": "lowest"})


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, spelling and metadata."""
    session.install(*group("lint"))
    session.run("ruff", "check", *CHECKED)
    session.run("ruff", "format", "--check", *CHECKED)
    session.run("codespell", *CHECKED, "README.md")
    session.run("validate-pyproject", "pyproject.toml")


@nox.session(python=[python for python in PYTHONS if python != BETWEEN])
def typing(session: nox.Session) -> None:
    """Check all types with mypy and pyright, and that the public interface has them all."""
    session.install(".[sandbox]", *group("typing"))
    version = f"--python-version={session.python}", f"--pythonversion={session.python}"
    if session.python == SUPPORTED[0]:
        session.run("mypy", *PACKAGES, "tests", "noxfile.py", version[0])
        session.run("pyright", version[1])
    else:
        # A newer Python can change what users rely on, which tests/typing holds.
        session.run("mypy", *PACKAGES, "tests/typing", version[0])
        session.run("pyright", *PACKAGES, "tests/typing", version[1])
    # Elsewhere, so that it is the installed package that is looked at, as users have it.
    session.chdir(session.create_tmp())
    for package in PACKAGES:
        session.run("pyright", "--verifytypes", package, "--ignoreexternal")


@nox.session
def generate(session: nox.Session) -> None:
    """Write rmz_sync/resources again; ``-- --check`` compares only."""
    session.install(*group("lint"))
    session.run("python", "rmz_sync/_generate.py", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Run every example, and build the pages with warnings as errors."""
    session.install("-e", ".[sandbox]", *group("docs"))
    session.run("pytest", *TOGETHER, "tests/docs")
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
    if not {f"{package}/py.typed" for package in PACKAGES} <= names:
        session.error("the wheel has no py.typed")
    served = {"openapi.yaml", "serving/reference_page/reference.html"}
    if not {f"rmz_async/sandbox/{name}" for name in served} <= names:
        session.error("the wheel has not all that the sandbox serves")
    if "rmz_sync/_generate.py" in names:
        session.error("the wheel has the generator, which works on a checkout only")
    size = wheel.stat().st_size
    if size > MOST_BYTES:
        session.error(f"the wheel has {size:,} bytes, and {MOST_BYTES:,} are the most")


@nox.session(venv_backend="none")
def contract(session: nox.Session) -> None:
    """Check the OpenAPI document with Redocly, if Node.js is there to run it."""
    if shutil.which("npx") is None:
        session.skip(f"{CONTRACT} was not checked: Redocly needs Node.js, and there is no npx")
    document = CONTRACT.resolve()
    # Elsewhere, so that no lock file and no node_modules come into the checkout.
    session.chdir(session.create_tmp())
    session.run(
        "npx",
        "--yes",
        REDOCLY,
        "lint",
        # The recommended rules, with warnings as errors.
        "--extends=recommended-strict",
        str(document),
        env={"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
        external=True,
    )


@nox.session
def schemathesis(session: nox.Session) -> None:
    """Check the OpenAPI document against the sandbox, with good data and bad."""
    session.install("-e", ".[sandbox]", *group("judges"))
    script = Path("tests/contract/run_schemathesis.py").resolve()
    # Elsewhere, for it leaves its settings and findings behind.
    session.chdir(session.create_tmp())
    session.run("python", "-P", str(script), *session.posargs)


@nox.session
def prism(session: nox.Session) -> None:
    """Let the client talk to a server that Prism makes of the OpenAPI document."""
    if shutil.which("npx") is None:
        session.skip(
            "the client was not checked with Prism: that needs Node.js, and there is no npx"
        )
    session.install("-e", ".[sandbox]")
    script = Path("tests/contract/run_prism.py").resolve()
    # Elsewhere, so that no lock file and no node_modules come into the checkout.
    session.chdir(session.create_tmp())
    session.run("python", "-P", str(script))


@nox.session
def browser(session: nox.Session) -> None:
    """Buy, decline and cancel in Chromium, in both languages; RMZ_PICTURES keeps screenshots."""
    if not _has_chromium(session):
        session.skip(
            "the pages were not checked: Chromium is missing, and apt-get cannot install it"
        )
    session.install("-e", ".[sandbox]", *group("browser"))
    session.run("pytest", *TOGETHER, BROWSER, *session.posargs)


def _has_chromium(session: nox.Session) -> bool:
    if os.environ.get("CHROMIUM") or shutil.which("chromium"):
        return True
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    anyway = range(256)  # without the packages the session is skipped
    session.run("apt-get", "update", "-qq", external=True, env=quiet, success_codes=anyway)
    wanted = ("chromium", "fonts-noto-core")
    session.run(
        "apt-get", "install", "-qq", "-y", *wanted, external=True, env=quiet, success_codes=anyway
    )
    return shutil.which("chromium") is not None


@nox.session
def clients(session: nox.Session) -> None:
    """Make clients of the OpenAPI document for Python and TypeScript, and play every call."""
    if shutil.which("npx") is None:
        session.skip("no clients were made: that needs Node.js, and there is no npx")
    session.install("-e", ".[sandbox]", *group("judges"))
    script = Path("tests/contract/run_clients.py").resolve()
    # Elsewhere, because it writes packages and node_modules.
    session.chdir(session.create_tmp())
    session.run("python", "-P", str(script))


@nox.session
def faults(session: nox.Session) -> None:
    """Break the connection to RMZ in every way, and compare each report with what was done."""
    session.install("-e", ".[aiohttp,sandbox]", *group("tests"))
    session.run("python", "-P", "tests/faults/run.py", *session.posargs)


@nox.session(name="webhooks-load")
def webhooks_load(session: nox.Session) -> None:
    """Kill receivers at named points, and fail if an effect is lost; ``-- --bench`` measures."""
    session.install("-e", ".[sandbox]", *group("tests"))
    if "--bench" in session.posargs:
        session.install(*group("bench"))
    session.run("python", "-P", "tests/load/run.py", *session.posargs)


@nox.session
def interleavings(session: nox.Session) -> None:
    """Mix redirect, webhooks and page views in 10,000 ways, and fail if a payer is wronged."""
    session.install("-e", ".[sandbox]", *group("tests"))
    session.run("python", "-P", "tests/paywall/run_interleavings.py", *session.posargs)


@nox.session(name="shared-limits")
def shared_limits(session: nox.Session) -> None:
    """Let eight processes share a quota while Redis is killed, and fail if RMZ answers 429."""
    session.install("-e", ".[sandbox]", *group("tests"))
    session.run("python", "-P", "tests/shared/run.py", *session.posargs)


@nox.session(name="paywall-day")
def paywall_day(session: nox.Session) -> None:
    """Play days of a shop in simulated time, and fail if a paywall wrongs a user of 10,000."""
    session.install("-e", ".[redis,sandbox,paywall]", *group("tests"))
    session.run("python", "-P", "tests/day/run.py", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """Use the client for minutes while connections break, and fail if it keeps anything."""
    session.install("-e", ".[aiohttp,sandbox]", *group("tests"))
    session.run("python", "-P", "tests/faults/soak.py", *session.posargs)


@nox.session
def canary(session: nox.Session) -> None:
    """Run the tests at their most talkative, and search all that is shown for secrets."""
    session.install("-e", ".[aiohttp,sandbox]", *group("tests"))
    session.run("python", "-m", "tests.security.canary")


@nox.session
def policy(session: nox.Session) -> None:
    """Compare the paywall's decisions with RMZ's rules in 20,000 examples of each claim."""
    session.install(".[sandbox]", *group("tests"))
    examples = os.environ.get("RMZ_EXAMPLES", "20000")
    session.run(
        "pytest",
        *TOGETHER,
        "tests/property/test_policy.py",
        *session.posargs,
        env={"RMZ_EXAMPLES": examples},
    )


@nox.session
def mutation(session: nox.Session) -> None:
    """Make small mistakes where the client decides, and see that the tests find them."""
    session.install(".[sandbox]", *group("tests"))
    session.run("python", "tests/mutation/run.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure what the client costs beside bare httpx, and the sandbox; fails nothing."""
    # The seams to private parts need pytest, and the tests' other packages would slow the imports.
    session.install("-e", ".[aiohttp,sandbox]", "pytest")
    session.run("python", "-P", "tests/bench/run.py", *session.posargs)
    session.run("python", "-P", "tests/bench/sandbox.py")
    session.run("python", "-P", "tests/bench/paywall.py")
    # Last, because the imports above would be slower with the rivals' packages.
    session.install(*group("rivals"))
    session.run("python", "-P", "tests/bench/rivals/run.py")
