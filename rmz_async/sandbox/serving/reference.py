"""The API's contract: as a document for programs, and as a page to read."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import yaml
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from rmz_async.sandbox.serving.contract_outline import outline_of
from rmz_async.sandbox.wire.below import api_of, linked_below, root_of

__all__ = ("contract", "reference_routes")

_HERE = Path(__file__).parent
# A wheel has the document beside this module, a checkout among the documentation.
_PLACES = (_HERE.parent / "openapi.yaml", _HERE.parents[2] / "docs" / "openapi.yaml")
_STYLE = "/reference/style.css"
# The page has no script.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def reference_routes() -> list[BaseRoute]:
    """Return ``/openapi.json`` and ``/reference``, which need no token."""
    return [
        Route("/openapi.json", _document),
        Route("/reference", _page),
        Route(_STYLE, _style),
    ]


async def _document(request: Request) -> Response:
    server = {"url": api_of(request), "description": "This sandbox. Nothing leaves the machine."}
    return JSONResponse({**contract(), "servers": [server]}, headers=_HEADERS)


async def _page(request: Request) -> Response:
    html = _template().render(here=api_of(request))
    return HTMLResponse(linked_below(root_of(request), html), headers=_HEADERS)


@cache
def contract() -> dict[str, Any]:
    """Return the OpenAPI document, which must not be changed."""
    place = next(place for place in _PLACES if place.is_file())
    # Ten times as fast as the loader that is written in Python, where it was built.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: dict[str, Any] = yaml.load(place.read_bytes(), loader)  # noqa: S506 - both are safe
    return document


@cache
def _template() -> jinja2.Template:
    """Return the page's template, with the contract in it but for the address."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("rmz_async.sandbox.serving", "reference_page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Raw HTML in a description stays text.
    markdown = MarkdownIt("commonmark", {"html": False})

    def prose(text: str) -> Markup:
        return Markup(markdown.render(text))  # noqa: S704 - the renderer escapes what it is given

    environment.filters["prose"] = prose
    shown = {"style": _STYLE, "outline": outline_of(contract())}
    return environment.get_template("reference.html", globals=shown)


async def _style(_: Request) -> Response:
    content = (_HERE / "reference_page" / "reference.css").read_bytes()
    return Response(content, media_type="text/css", headers=_HEADERS)
