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
from rmz_async.sandbox.wire.below import linked_below, origin_of, root_of

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


def reference_routes(base_path: str) -> list[BaseRoute]:
    """Return ``/openapi.json`` and ``/reference``, which need no token.

    Args:
        base_path: The API's path, below the server's root.
    """

    def here(request: Request) -> str:
        return f"{origin_of(request)}{base_path}"

    async def document(request: Request) -> Response:
        server = {"url": here(request), "description": "This sandbox. Nothing leaves the machine."}
        return JSONResponse({**contract(), "servers": [server]}, headers=_HEADERS)

    async def page(request: Request) -> Response:
        html = _template().render(here=here(request))
        return HTMLResponse(linked_below(root_of(request), html), headers=_HEADERS)

    return [
        Route("/openapi.json", document, methods=["GET"]),
        Route("/reference", page, methods=["GET"]),
        Route(_STYLE, _style, methods=["GET"]),
    ]


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
