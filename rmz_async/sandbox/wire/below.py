"""Addresses: that of the API, and those of a sandbox that is below a path."""

from __future__ import annotations

import re

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ("BASE_PATH", "Below", "api_of", "linked_below", "origin_of", "root_of")

BASE_PATH = "/shawarma"
"""The path of the API."""

_KEY = "rmz_sandbox_root"
# A page names its own addresses from the root of the server. Text in a page has no plain quote.
_LINK = re.compile(r'(\s(?:action|formaction|href|sse-connect|src)=")(?=/(?!/))')
_COOKIE_PATH = re.compile(r"(?<=; path=)(?=/.)", re.IGNORECASE)


def root_of(request: Request) -> str:
    """Return the path that the sandbox of *request* is below; empty for none."""
    root: str = request.scope.get(_KEY, "")
    return root


def origin_of(request: Request) -> str:
    """Return the address of the sandbox as its caller has it, without a trailing slash."""
    return f"{request.url.scheme}://{request.url.netloc}{root_of(request)}"


def api_of(request: Request) -> str:
    """Return the base URL of the API as the caller has it."""
    return f"{origin_of(request)}{BASE_PATH}"


def linked_below(root: str, html: str) -> str:
    """Return a page whose links to this server lead below *root*."""
    return _LINK.sub(rf"\g<1>{root}", html) if root else html


class Below:
    """Lets an application believe that it has a server of its own.

    The framework's ``root_path`` would do the same for routes alone: everything that looks at a
    path would have to know of it.

    Args:
        root: Such as ``/worlds/gw0``; empty for no path.
    """

    def __init__(self, app: ASGIApp, root: str) -> None:
        self._app = app
        self._root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and lead its answer's redirect and cookies below the path."""
        if not self._root or scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_below(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("location", "").startswith("/"):
                    headers["location"] = f"{self._root}{headers['location']}"
                message["headers"] = [
                    (name, self._cookie(value) if name == b"set-cookie" else value)
                    for name, value in message["headers"]
                ]
            await send(message)

        path = scope["path"].removeprefix(self._root)
        inner = {**scope, "path": path, "raw_path": path.encode(), _KEY: self._root}
        await self._app(inner, receive, send_below)

    def _cookie(self, value: bytes) -> bytes:
        return _COOKIE_PATH.sub(self._root, value.decode("latin-1")).encode("latin-1")
