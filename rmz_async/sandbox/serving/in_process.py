"""A client that talks to the sandbox without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
from starlette.types import ASGIApp

if TYPE_CHECKING:
    from rmz_async import Client

__all__ = ("connect",)


def connect(app: ASGIApp, options: dict[str, Any]) -> tuple[Client, httpx.AsyncClient]:
    """Return a client over *app*, and the connections that it uses but does not close."""
    # The sandbox must be importable, and usable over HTTP, without the client.
    from rmz_async import Client

    http = httpx.AsyncClient(transport=httpx.ASGITransport(app))
    return Client(http=http, **options), http
