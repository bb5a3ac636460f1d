"""Public names are those in ``__all__`` of each public module."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import rmz_async
import rmz_async.models
import rmz_async.webhooks
import rmz_sync
from rmz_async import _shared

# The modules behind each front.
FACADES: dict[ModuleType, tuple[str, ...]] = {
    rmz_async: (
        "rmz_async.client",
        "rmz_async.errors",
        "rmz_async.models",
        "rmz_async.pagination",
        "rmz_async.paywall.paywall",
    ),
    rmz_async.models: tuple(
        module.name
        for module in pkgutil.iter_modules(rmz_async.models.__path__, "rmz_async.models.")
        if "._" not in module.name
    ),
    rmz_async.webhooks: (
        "rmz_async.webhooks.diagnosis",
        "rmz_async.webhooks.events",
        "rmz_async.webhooks.health",
        "rmz_async.webhooks.inbox.interface",
        "rmz_async.webhooks.receiver",
        "rmz_async.webhooks.reconciliation",
        "rmz_async.webhooks.samples",
        "rmz_async.webhooks.signature",
    ),
}

# On a front too, from modules that are private or of which it shows only a part.
ADDED = {
    "__version__",
    "from_dict",
    "paywall",
    "webhooks",
    "Event",
    "EventType",
    "InMemoryQuotaStore",
    "Observer",
    "Pacing",
    "Plan",
    "Plans",
    "QuotaReport",
    "QuotaStore",
    "RetryPolicy",
    "verify",
    "JSONObject",
    "Model",
}


def public_modules(package: ModuleType) -> list[str]:
    """Name the package's modules of whose path no part is private."""
    names = [
        module.name
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not any(part.startswith("_") for part in module.name.split(".")[1:])
    ]
    return [package.__name__, *names]


def is_a_folder(name: str) -> bool:
    """Whether a module is a package without code, which only holds others together."""
    module = importlib.import_module(name)
    return hasattr(module, "__path__") and "import" not in inspect.getsource(module)


# Importing it reads the settings of a Django project.
OF_A_PROJECT = "rmz_async.integrations.django.urls"

PUBLIC = [
    name
    for name in (*public_modules(rmz_async), *public_modules(rmz_sync))
    if name != OF_A_PROJECT and not is_a_folder(name)
]

every_public_module = pytest.mark.parametrize("name", PUBLIC)


def exported(name: str) -> tuple[str, ...]:
    """The names that a module declares public."""
    found: tuple[str, ...] = importlib.import_module(name).__all__
    return found


def isort_key(name: str) -> tuple[int, str]:
    """Order as the linter does: constants, classes, the rest."""
    if name.isupper() and not name.startswith("_"):
        return 0, name
    return (1, name) if name[0].isupper() else (2, name)


@every_public_module
def test_public_names_are_sorted(name: str) -> None:
    """The names are a tuple, each once, and can be searched by eye."""
    names = exported(name)
    shared = _shared.__all__ + rmz_async.models.__all__
    # The front of a package begins with its own names, and adds those that both packages share.
    own = names[: -len(shared)] if names[-len(shared) :] == shared else names

    assert type(names) is tuple
    assert list(own) == sorted(set(own), key=isort_key)
    assert len(set(names)) == len(names)


@every_public_module
def test_public_names_exist(name: str) -> None:
    """No name is promised that is not there."""
    module = importlib.import_module(name)

    assert [missing for missing in exported(name) if not hasattr(module, missing)] == []


def defined(name: str) -> set[str]:
    """The public names that a module defines itself, at its top."""
    module = importlib.import_module(name)
    assert module.__file__ is not None
    with open(module.__file__, encoding="utf-8") as source:
        tree = ast.parse(source.read())
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
    return {found for found in names if not found.startswith("_")}


# Public to the modules beside them and not to users.
INTERNAL = {
    "rmz_async.observing": {"guarded"},
    "rmz_async.operations": {"Reaction"},
    "rmz_async.paywall.lifetimes": {"lifetimes_of"},
    "rmz_async.plans": {"PlanCache"},
    "rmz_async.webhooks.health": {"HealthMonitor"},
    "rmz_sync.pagination": {"next_page"},
    "rmz_sync.paywall.paywall": {"BackgroundTask"},
}
# To be run and read; whoever imports it wants its main().
PROGRAMS = {"rmz_async.sandbox.demo"}
# For those who write an inbox of their own; the front has what all others need.
DEEPER = {"BlockingClient", "Delivery", "Entry", "EntryTask", "Grouping", "Task", "TaskState"}


@pytest.mark.parametrize("name", [name for name in PUBLIC if name not in PROGRAMS])
def test_names_that_a_module_defines_are_public(name: str) -> None:
    """Every class and function with a public name is named, or known to be internal."""
    internal = INTERNAL.get(name, set())

    assert defined(name) - set(exported(name)) == internal


@pytest.mark.parametrize(
    ("facade", "sources"), FACADES.items(), ids=lambda value: getattr(value, "__name__", "")
)
def test_a_facade_shows_all_it_should(facade: ModuleType, sources: tuple[str, ...]) -> None:
    """A package's front has each name of the modules behind it, and no other."""
    behind = {name for source in sources for name in exported(source)}

    assert set(facade.__all__) - ADDED == behind - ADDED - DEEPER


def test_the_front_has_what_stands_elsewhere() -> None:
    """The names from modules that are not public are there too."""
    assert set(rmz_async.__all__) >= ADDED - {"verify"}
    assert set(rmz_async.webhooks.__all__) >= {"Event", "EventType", "verify"}


def test_both_colours_have_the_same_names() -> None:
    """A program that moves from one package to the other changes only the import."""
    assert rmz_sync.__all__ == rmz_async.__all__


def test_only_what_waits_differs() -> None:
    """All else is the very same object, so that ``except`` and ``isinstance`` work for both.

    The one error that can be waited on is a subclass of the other's.
    """
    differing = {
        name
        for name in rmz_async.__all__
        if getattr(rmz_async, name) is not getattr(rmz_sync, name)
    }

    assert differing == {"Client", "Pager", "Paywall", "paywall", "webhooks"}
    assert rmz_sync.OutcomeUnknownError is rmz_async.OutcomeUnknownError


def test_only_the_receiver_of_webhooks_differs() -> None:
    """Both packages verify and read events with the same functions and classes."""
    theirs, ours = rmz_async.webhooks, rmz_sync.webhooks

    assert ours.__all__ == theirs.__all__
    assert [n for n in ours.__all__ if getattr(ours, n) is not getattr(theirs, n)] == ["Receiver"]


def test_only_the_paywall_and_its_double_differ() -> None:
    """Both packages decide with the same functions and classes."""
    theirs, ours = rmz_async.paywall, rmz_sync.paywall

    assert ours.__all__ == theirs.__all__
    differing = [n for n in ours.__all__ if getattr(ours, n) is not getattr(theirs, n)]
    assert differing == ["Paywall", "PaywallDouble"]


def test_the_version_is_written_once() -> None:
    """The distribution takes it from the module that ``__version__`` comes from."""
    root = Path(__file__).parents[1]
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    source = settings["tool"]["hatch"]["version"]["path"]

    assert "version" not in settings["project"]
    assert f'"{rmz_async.__version__}"' in (root / source).read_text("utf-8")
