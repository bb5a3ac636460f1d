from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from rmz_async.sandbox.serving import reference
from rmz_async.sandbox.serving.reference import contract

if TYPE_CHECKING:
    import httpx

    from rmz_async.sandbox import Sandbox

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.yaml"
ASSETS = Path(reference.__file__).parent / "reference_assets"
OWN = ("reference.html", "reference.css", "start.js")
# Of swagger-ui-dist 5.35.0.
RELEASED = {
    "LICENSE": "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30",
    "NOTICE": "0d20d1adef18aee3f40dd258172155521ce702ac445cb5f7b7d60ed32dad2fb2",
    "swagger-ui-bundle.js": "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2",
    "swagger-ui-bundle.js.LICENSE.txt": (
        "37eb6e7e59aed57b2c1acf076574b818ea07b74265717e0bd67b59e0baf9abbb"
    ),
    "swagger-ui.css": "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d",
}


@pytest.mark.anyio
async def test_document_names_this_sandbox_as_its_only_server(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Without a token; all else is what the documentation has."""
    answer = await browser.get("http://localhost:8787/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    served = answer.json()
    (server,) = served.pop("servers")
    assert server["url"] == "http://localhost:8787/shawarma"
    written = yaml.safe_load(DOCUMENT.read_bytes())
    assert written.pop("servers")[0]["url"] == "https://merchant-api.rmz.gg/shawarma"
    assert served == written
    # What one answer says must not be what the next begins with.
    assert contract()["servers"][0]["url"] == "https://merchant-api.rmz.gg/shawarma"


@pytest.mark.anyio
async def test_page_loads_nothing_from_elsewhere(browser: httpx.AsyncClient) -> None:
    """All that it asks for is here, and the browser is told to refuse all else."""
    page = await browser.get("/reference")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    for name, kind in {
        "swagger-ui/swagger-ui-bundle.js": "text/javascript",
        "swagger-ui/swagger-ui.css": "text/css",
        "reference.css": "text/css",
        "start.js": "text/javascript",
    }.items():
        assert f'"/reference/assets/{name}"' in page.text
        asset = await browser.get(f"/reference/assets/{name}")
        assert asset.status_code == 200
        assert asset.headers["content-type"].startswith(kind)
    for name in OWN:
        assert "//" not in (ASSETS / name).read_text("utf-8").replace("  // ", "")


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/openapi.json", "/reference", "/reference/assets/start.js"])
async def test_other_names_of_this_machine_are_refused(
    browser: httpx.AsyncClient, path: str
) -> None:
    """A page from elsewhere whose name was rebound reads nothing."""
    answer = await browser.get(f"http://evil.example{path}")
    assert answer.status_code == 400


@pytest.mark.anyio
async def test_nothing_beside_the_assets_is_served(browser: httpx.AsyncClient) -> None:
    """A path cannot climb out of their folder."""
    answer = await browser.get("/reference/assets/%2e%2e/reference.py")
    assert answer.status_code == 404


def test_a_document_beside_the_module_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed copy has its own there, and no checkout around it."""
    beside = tmp_path / "openapi.yaml"
    beside.write_text("openapi: 3.1.0", "utf-8")
    monkeypatch.setattr(reference, "_PLACES", (beside, tmp_path / "gone.yaml"))
    assert contract.__wrapped__() == {"openapi": "3.1.0"}
    monkeypatch.setattr(reference, "_PLACES", (tmp_path / "gone.yaml", beside))
    assert contract.__wrapped__() == {"openapi": "3.1.0"}


@pytest.mark.parametrize("name", RELEASED)
def test_swagger_ui_is_as_it_was_released(name: str) -> None:
    """Nobody has edited a file that is not of this project."""
    content = (ASSETS / "swagger-ui" / name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == RELEASED[name]


def test_nothing_else_came_with_swagger_ui() -> None:
    """Every file of the folder is one that is checked, or says where they are from."""
    assert {file.name for file in (ASSETS / "swagger-ui").iterdir()} == {*RELEASED, "README.md"}
