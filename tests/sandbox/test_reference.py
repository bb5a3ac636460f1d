from __future__ import annotations

import html
import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from rmz_async.sandbox.serving import reference
from rmz_async.sandbox.serving.contract_outline import outline_of
from rmz_async.sandbox.serving.reference import contract
from tests.seams import Part, Setting, inside, replace

if TYPE_CHECKING:
    import httpx

    from rmz_async.sandbox import Sandbox

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.yaml"


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
    # The end of one answer must not pass for the beginning of the next.
    assert contract()["servers"][0]["url"] == "https://merchant-api.rmz.gg/shawarma"


@pytest.mark.anyio
async def test_the_page_loads_nothing_but_its_own_style(browser: httpx.AsyncClient) -> None:
    """The page has no script, its only style sheet is here, and the browser refuses all else."""
    page = await browser.get("/reference")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert "unsafe" not in policy
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert set(re.findall(r'(?:src=|<link [^>]*href=)"([^"]+)"', page.text)) == {
        "data:,",
        "/reference/style.css",
    }
    style = await browser.get("/reference/style.css")
    assert style.status_code == 200
    assert style.headers["content-type"].startswith("text/css")
    assert "url(" not in style.text
    assert "@import" not in style.text


@pytest.mark.anyio
async def test_the_page_shows_every_call_and_event_of_the_document(
    browser: httpx.AsyncClient,
) -> None:
    """Each with a link of its own, so that a colleague can be sent there."""
    page = (await browser.get("/reference")).text
    for methods in (*contract()["paths"].values(), *contract()["webhooks"].values()):
        for method, operation in methods.items():
            if method in ("get", "post", "put"):
                assert f'<details id="{operation["operationId"]}">' in page
    for name in contract()["components"]["schemas"]:
        assert f'<details id="shape-{name}">' in page
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r'id="([^"]+)"', page))


@pytest.mark.anyio
async def test_the_page_has_a_command_to_copy_that_names_this_sandbox(
    browser: httpx.AsyncClient,
) -> None:
    """With an id in the path and a body that is JSON."""
    page = html.unescape((await browser.get("http://localhost:8787/reference")).text)
    commands = re.findall(r"<pre>(curl .*?)</pre>", page, re.DOTALL)
    extend = next(command for command in commands if "/extend" in command)
    words = shlex.split(extend)
    assert "http://localhost:8787/shawarma/subscriptions/501/extend" in words
    assert json.loads(words[-1]) == {"days": 7}
    assert not [command for command in commands if "{id}" in command]


def test_a_description_cannot_bring_markup_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code is shown as code, and a tag as words."""
    document = {
        **contract(),
        "info": {"title": "<b>", "version": "1", "description": "`a` <script>b</script>"},
    }
    monkeypatch.setattr(reference, "contract", lambda: document)
    page = inside(reference, Part.TEMPLATE).__wrapped__().render(here="http://localhost")
    assert "<code>a</code> &lt;script&gt;b&lt;/script&gt;" in page
    assert "<h1>&lt;b&gt;</h1>" in page


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": ["string", "null"]}, "string or null"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Id"}}, "list of Id"),
        ({"type": "array"}, "list of anything"),
        ({"type": "integer", "minimum": 1}, "integer, at least 1"),
        ({"type": "integer", "minimum": 1, "maximum": 24}, "integer, 1 to 24"),
        ({"type": "string", "maxLength": 191}, "string, 0 to 191 characters"),
        ({"enum": ["asc", "desc"]}, '"asc", "desc"'),
        ({"const": True}, "true"),
        ({"allOf": [{"$ref": "#/a/Price"}, {"required": ["amount"]}]}, "Price"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}, {"required": ["a"]}]}, "string or null"),
        ({"type": "object", "oneOf": [{"required": ["a"]}]}, "object"),
        ({}, ""),
    ],
)
def test_a_kind_of_value_is_said_in_words(schema: dict[str, object], words: str) -> None:
    """As a reader without JSON Schema would say it."""
    document = {
        "info": {"title": "", "version": "", "description": ""},
        "tags": [],
        "paths": {},
        "webhooks": {},
        "components": {"schemas": {"One": schema, "Price": {}, "Id": {}}},
    }
    shapes = {shape.name: shape for shape in outline_of({**document, "a": {"Price": {}}}).shapes}
    assert shapes["One"].type == words


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/openapi.json", "/reference", "/reference/style.css"])
async def test_other_names_of_this_machine_are_refused(
    browser: httpx.AsyncClient, path: str
) -> None:
    """A page from elsewhere whose name was rebound reads nothing."""
    answer = await browser.get(f"http://evil.example{path}")
    assert answer.status_code == 400


def test_a_document_beside_the_module_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed copy has its own there, and no checkout around it."""
    beside = tmp_path / "openapi.yaml"
    beside.write_text("openapi: 3.1.0", "utf-8")
    replace(monkeypatch, Setting.PLACES_OF_CONTRACT, (beside, tmp_path / "gone.yaml"))
    assert contract.__wrapped__() == {"openapi": "3.1.0"}
    replace(monkeypatch, Setting.PLACES_OF_CONTRACT, (tmp_path / "gone.yaml", beside))
    assert contract.__wrapped__() == {"openapi": "3.1.0"}
