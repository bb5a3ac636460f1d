"""The API's contract: as a document for programs, and as a page to read and try it on."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

__all__ = ("contract", "reference_routes")

_HERE = Path(__file__).parent
_ASSETS = _HERE / "reference_assets"
# A wheel has the document beside this module, a checkout among the documentation.
_PLACES = (_HERE.parent / "openapi.yaml", _HERE.parents[2] / "docs" / "openapi.yaml")
# Swagger UI styles its elements in place, and its icons are data.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def reference_routes(base_path: str) -> list[BaseRoute]:
    """Return ``/openapi.json`` and ``/reference``, which need no token.

    Args:
        base_path: Where the API is, below the server's root.
    """

    async def document(request: Request) -> Response:
        here = f"{request.url.scheme}://{request.url.netloc}{base_path}"
        server = {"url": here, "description": "This sandbox. Nothing leaves the machine."}
        return JSONResponse({**contract(), "servers": [server]}, headers=_HEADERS)

    return [
        Route("/openapi.json", document, methods=["GET"]),
        Route("/reference", _page, methods=["GET"]),
        Mount("/reference/assets", StaticFiles(directory=_ASSETS)),
    ]


@cache
def contract() -> dict[str, Any]:
    """Return the OpenAPI document, which nobody may change."""
    place = next(place for place in _PLACES if place.is_file())
    # Ten times as fast as the loader that is written in Python, where it was built.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: dict[str, Any] = yaml.load(place.read_bytes(), loader)  # noqa: S506 - both are safe
    return document


async def _page(_: Request) -> Response:
    return HTMLResponse((_ASSETS / "reference.html").read_bytes(), headers=_HEADERS)
