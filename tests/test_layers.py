"""Rules of who may import whom, held against the source of every module."""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Each layer may import its own modules and the layers below it, never one above it.
LAYERS = (
    (
        "_callables",
        "errors",
        "_extras",
        "_frozen",
        "observing",
        "operations",
        "_per_loop",
        "_version",
    ),
    ("models", "pagination"),
    ("_decoding",),
    ("options", "_calls", "_pacing"),
    ("_http",),
    ("_flights",),
    ("_execution", "_observed", "_resolving", "_transport"),
    ("resources",),
    ("plans",),
    ("client",),
    ("webhooks", "paywall"),
    ("redis",),
    ("_shared",),
)

# Programs and servers of their own: users import these, and the core never does.
APART = ("sandbox", "integrations", "cli")

# Packages that only some modules of the core may import, by the start of the module's name. The
# standard library is open to all, and so are anyio and attrs.
PRIVILEGES = {
    "httpx": ("_http.",),
    "httpcore": ("_http.",),
    "aiohttp": ("_http.over_aiohttp",),
    "httpx_aiohttp": ("_http.over_aiohttp",),
    "yarl": ("_http.over_aiohttp",),
    "cattrs": ("_decoding.",),
    "phonenumbers": ("models._phone_text",),
    "babel": ("paywall.wording.",),
    "itsdangerous": ("paywall._state.",),
    "psycopg": ("webhooks.inbox._postgres_",),
    "redis": ("redis._link.",),
    "sqlalchemy": ("webhooks.inbox._postgres_", "webhooks.inbox.postgres."),
}
OPEN_TO_ALL = {"anyio", "attrs"}


def modules(package: str) -> dict[str, Path]:
    """Every module of a package, by its name within the package."""
    root = ROOT / package
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(root.rglob("*.py"))
    }


def is_module(dotted: str) -> bool:
    """Whether a dotted name is a module or a package of this project."""
    path = ROOT.joinpath(*dotted.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module that a file imports, anywhere in the file, by its full name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module is not None
            for alias in node.names:
                dotted = f"{node.module}.{alias.name}"
                found.add(dotted if is_module(dotted) else node.module)
    return frozenset(found)


def own(path: Path) -> set[str]:
    """The modules of rmz_async that a file imports, without the package's name."""
    return {
        name.partition(".")[2] for name in imports(path) if name.partition(".")[0] == "rmz_async"
    }


def third_parties(path: Path) -> set[str]:
    """The other projects that a file imports."""
    tops = {name.partition(".")[0] for name in imports(path)}
    return tops - {"rmz_async", "rmz_sync"} - set(sys.stdlib_module_names)


def layer_of(name: str) -> int | None:
    """The number of a module's layer, counted from the ground."""
    top = name.partition(".")[0]
    return next((number for number, row in enumerate(LAYERS) if top in row), None)


ALL = modules("rmz_async")
CORE = {
    name: path
    for name, path in ALL.items()
    if name != "__init__" and name.partition(".")[0] not in APART
}


@pytest.mark.parametrize("name", CORE)
def test_a_module_imports_no_layer_above_its_own(name: str) -> None:
    """A request runs one way, from the resources down to httpx."""
    layer = layer_of(name)
    assert layer is not None, "give the module a place in LAYERS"

    for imported in own(CORE[name]):
        below = layer_of(imported or "errors")
        assert below is not None
        assert below <= layer


@pytest.mark.parametrize("name", CORE)
def test_a_module_of_the_core_uses_only_its_own_third_parties(name: str) -> None:
    """To replace a library is to change one folder."""
    for other in third_parties(CORE[name]) - OPEN_TO_ALL:
        assert other in PRIVILEGES, "an optional dependency belongs to a module that stands apart"
        assert f"{name}.".startswith(PRIVILEGES[other])


@pytest.mark.parametrize("name", [name for name in CORE if name.startswith("models")])
def test_models_import_no_library_but_attrs(name: str) -> None:
    """A model neither sends nor waits, and one module of theirs reads phone numbers."""
    own_library = {other for other, place in PRIVILEGES.items() if place == (name,)}

    assert third_parties(CORE[name]) <= {"attrs"} | own_library


SYNC_CORE = {name: path for name, path in modules("rmz_sync").items() if name not in APART}


@pytest.mark.parametrize(
    "path",
    [*CORE.values(), *SYNC_CORE.values()],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_the_core_imports_nothing_that_stands_apart(path: Path) -> None:
    """The sandbox, the command line and the integrations are for users to import."""
    assert not {name.partition(".")[0] for name in own(path)} & set(APART)


SANDBOX = {name: path for name, path in ALL.items() if name.startswith("sandbox")}
# These hand out clients; the demonstration is a user of both.
HANDS_OUT_CLIENTS = ("sandbox.serving.in_process", "sandbox.sandbox")
DEMONSTRATION = {name for name in SANDBOX if name.startswith("sandbox.demo")}
BORROWED = {
    # The one seam by which time reaches a client: it waits on the sandbox's clock.
    **{name: {"", "_calls.clock"} for name in HANDS_OUT_CLIENTS},
    # A missing extra is the same error everywhere, and says nothing of RMZ.
    "sandbox._extra": {"errors"},
}


@pytest.mark.parametrize("name", sorted(SANDBOX.keys() - DEMONSTRATION))
def test_the_sandbox_shares_no_code_with_the_client(name: str) -> None:
    """A server that shared the client's code would share its mistakes."""
    others = {module for module in own(SANDBOX[name]) if module.partition(".")[0] != "sandbox"}

    assert others <= BORROWED.get(name, set())


@pytest.mark.parametrize("name", HANDS_OUT_CLIENTS)
def test_the_sandbox_imports_the_client_only_when_asked_for_one(name: str) -> None:
    """The top of the file has no import of the client, except for a type checker."""
    tree = ast.parse(SANDBOX[name].read_text("utf-8"))

    assert "rmz_async" not in {
        node.module for node in tree.body if isinstance(node, ast.ImportFrom)
    } | {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}


@pytest.mark.parametrize("name", sorted(ALL))
def test_the_async_package_never_imports_the_sync_package(name: str) -> None:
    """The sync package wraps the async package, never the reverse."""
    tops = {module.partition(".")[0] for module in imports(ALL[name])}
    assert "rmz_sync" not in tops


@pytest.mark.parametrize("path", modules("rmz_sync").values(), ids=lambda path: path.stem)
def test_the_sync_package_needs_anyio_and_the_async_package_only(path: Path) -> None:
    """Everything else that the sync package needs comes from the standard library."""
    assert third_parties(path) <= {"anyio", "sniffio"}
