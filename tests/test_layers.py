"""Who may import whom: a row for each module, held against what the source says."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


# The right side names modules of this project without the package, and other projects with a +.
# The standard library may be used by all.
TABLE = {
    "__init__": "_converter _lazy _version client errors models options pacing pagination webhooks",
    "_aiohttp": "+aiohttp +httpx_aiohttp _pool errors",
    "_call": "+anyio +attrs _retry errors operations",
    "_connections": (
        "+anyio +attrs +httpx _aiohttp _call _per_loop _pool _retry _token _version _wire errors"
    ),
    "_converter": (
        "+attrs +cattrs _json _values models._model models._wire_names models.new_orders pagination"
    ),
    "_json": "",
    "_lazy": "",
    "_pacer": "+anyio _call _quota_headers _token pacing",
    "_per_loop": "+anyio",
    "_pool": "+anyio",
    "_quota": "",
    "_quota_headers": "_quota _retry",
    "_retry": "+attrs operations options",
    "_settling": "_retry models",
    "_token": "+anyio errors",
    "_transport": (
        "+anyio _call _connections _converter _pacer _quota _retry _token _turns _wire errors"
        " operations options"
    ),
    "_turns": "+anyio _call _pacer _retry _token _wire operations pacing",
    "_validation": "_json errors models.customers",
    "_values": "_json models._model",
    "_version": "",
    "_wire": "+attrs _json _retry errors operations",
    "client": (
        "+attrs _connections _token _transport _wire options pacing"
        " resources.categories resources.checkout_sessions resources.orders"
        " resources.portal_sessions resources.products resources.store resources.subscriptions"
    ),
    "errors": "",
    "models.__init__": (
        "_lazy models._model models.categories models.customers models.new_orders models.orders"
        " models.products models.sessions models.store models.subscriptions"
    ),
    "models._model": "+attrs _json models._wire_names",
    "models._wire_names": "",
    "models.categories": "+attrs models._model",
    "models.customers": "+attrs models._model",
    "models.new_orders": "+attrs models._model",
    "models.orders": ("+attrs models._model models.customers models.products models.subscriptions"),
    "models.products": "+attrs models._model models.categories models.subscriptions",
    "models.sessions": "+attrs models._model",
    "models.store": "+attrs models._model",
    "models.subscriptions": "+attrs models._model models.customers",
    "operations": "+attrs",
    "options": "+attrs errors pacing",
    "pacing": "+attrs _quota errors",
    "pagination": "+attrs errors",
    "resources.__init__": "",
    "resources.categories": "_call _transport _validation models operations pagination",
    "resources.checkout_sessions": "_call _transport _validation models operations",
    "resources.orders": "_call _settling _transport _validation models operations pagination",
    "resources.portal_sessions": "_call _transport _validation models operations",
    "resources.products": "_call _transport _validation models operations pagination",
    "resources.store": "_call _transport models operations",
    "resources.subscriptions": (
        "_call _settling _transport _validation models operations pagination"
    ),
    "webhooks.__init__": "webhooks.events webhooks.signature",
    "webhooks.events": "+attrs models._model models.orders models.subscriptions",
    "webhooks.signature": "_converter _json errors webhooks.events",
}

# A program and a server: each uses what it likes of its own extras, and nobody imports them.
APART = ("sandbox", "demo", "integrations")
OF_THE_SANDBOX = {
    "+anyio",
    "+attrs",
    "+httpx",
    "+jinja2",
    "+starlette",
    "+trio",
    "+uvicorn",
    "+yaml",
}


def name_of(path: Path, package: str) -> str:
    """The module's name within its package."""
    return ".".join(path.relative_to(ROOT / package).with_suffix("").parts)


def modules(package: str) -> dict[str, Path]:
    """Every module of a package, by name."""
    return {name_of(path, package): path for path in sorted((ROOT / package).rglob("*.py"))}


def is_module(dotted: str) -> bool:
    """Whether a dotted name is a module or a package of this project."""
    path = ROOT.joinpath(*dotted.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def imports(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it, by its full name."""
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
    return found


def used(path: Path) -> set[str]:
    """The same in the table's words, without the standard library."""
    words: set[str] = set()
    for dotted in imports(path):
        top, _, rest = dotted.partition(".")
        if top in {"rmz_async", "rmz_sync"}:
            words.add(rest if top == "rmz_async" and rest else dotted)
        elif top not in sys.stdlib_module_names:
            words.add(f"+{top}")
    return words


CORE = {
    name: path for name, path in modules("rmz_async").items() if name.partition(".")[0] not in APART
}


@pytest.mark.parametrize("name", CORE)
def test_each_module_imports_what_its_row_says(name: str) -> None:
    """A row allows no more than it says, and says no more than is used."""
    assert used(CORE[name]) == set(TABLE[name].split())


def test_every_row_is_of_a_module() -> None:
    """A module that is gone has no row."""
    assert set(TABLE) == set(CORE)


def test_the_table_has_no_circle() -> None:
    """A request runs one way, with no way back."""
    below = {
        name.removesuffix(".__init__"): {word for word in row.split() if not word.startswith("+")}
        for name, row in TABLE.items()
        if name != "__init__"
    }
    settled: set[str] = set()
    while below:
        free = {name for name, needed in below.items() if needed <= settled}
        assert free, f"each of these needs another: {sorted(below)}"
        settled |= free
        below = {name: needed for name, needed in below.items() if name not in free}


def importers(word: str) -> set[str]:
    """The modules whose row has a word."""
    return {name for name, row in TABLE.items() if word in row.split()}


def test_one_module_imports_the_http_library() -> None:
    """To move to another one is to change one file."""
    assert importers("+httpx") == {"_connections"}


def test_one_module_imports_the_other_http_library() -> None:
    """It is there for those who ask for it, and missing for all others."""
    assert importers("+aiohttp") == importers("+httpx_aiohttp") == {"_aiohttp"}
    assert importers("_aiohttp") == {"_connections"}


def test_one_module_imports_the_converter() -> None:
    """The wire's quirks have one home."""
    assert importers("+cattrs") == {"_converter"}


def test_only_these_know_the_transport() -> None:
    """What is pure can be tested without a loop."""
    resources = {name for name in CORE if name.startswith("resources.")} - {"resources.__init__"}

    assert importers("_transport") == {"client"} | resources
    assert importers("_connections") == {"client", "_transport"}
    assert importers("client") == {"__init__"}


@pytest.mark.parametrize("name", [name for name in CORE if name.startswith("models")])
def test_models_stand_alone(name: str) -> None:
    """A model needs attrs, other models and JSON, and nothing that sends or converts."""
    assert all(
        word in {"+attrs", "_json", "_lazy"} or word.startswith("models.")
        for word in TABLE[name].split()
    )


def test_the_third_parties_of_the_core() -> None:
    """The core needs four other projects; what only some users want is a module apart."""
    rows = [row for name, row in TABLE.items() if name != "_aiohttp"]
    words = {word for row in rows for word in row.split() if word.startswith("+")}

    assert words == {"+anyio", "+attrs", "+cattrs", "+httpx"}


@pytest.mark.parametrize(
    "path",
    [*CORE.values(), *modules("rmz_sync").values()],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_nobody_imports_what_stands_apart(path: Path) -> None:
    """The sandbox, the demonstration and the integrations are for users to import."""
    assert not {word.partition(".")[0] for word in used(path)} & set(APART)


SANDBOX = {name: path for name, path in modules("rmz_async").items() if name.startswith("sandbox.")}


@pytest.mark.parametrize("name", SANDBOX)
def test_the_sandbox_knows_nothing_of_the_client(name: str) -> None:
    """A server that shared the client's code would share its mistakes."""
    words = {word for word in used(SANDBOX[name]) if not word.startswith("sandbox")}
    allowed = {"rmz_async"} if name in {"sandbox.in_process", "sandbox.sandbox"} else set[str]()

    assert words - OF_THE_SANDBOX - allowed == set()


@pytest.mark.parametrize("name", ["sandbox.in_process", "sandbox.sandbox"])
def test_the_sandbox_imports_the_client_late(name: str) -> None:
    """Only where a client is asked for, or for a type checker: the top of the file has none."""
    tree = ast.parse(SANDBOX[name].read_text("utf-8"))

    assert "rmz_async" not in {
        node.module for node in tree.body if isinstance(node, ast.ImportFrom)
    } | {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}


@pytest.mark.parametrize(
    "path",
    [path for name, path in modules("rmz_async").items() if name != "demo"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_the_async_side_knows_no_sync_side(path: Path) -> None:
    """One package wraps the other, never the reverse; the demonstration shows both."""
    assert not {word for word in used(path) if word.partition(".")[0] == "rmz_sync"}


@pytest.mark.parametrize("path", modules("rmz_sync").values(), ids=lambda path: path.stem)
def test_the_sync_side_needs_the_async_side_only(path: Path) -> None:
    """It takes its event loop from the standard library, and everything else from the other."""
    assert {word for word in used(path) if word.startswith("+")} <= {"+anyio", "+sniffio"}
