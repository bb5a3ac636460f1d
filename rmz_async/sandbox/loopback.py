"""Keep the sandbox on this machine: who may talk to it, and whom it may talk to."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ("LoopbackOnly", "is_loopback")


def is_loopback(host: str) -> bool:
    """Return whether *host* is ``localhost`` or a loopback address, without asking DNS."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class LoopbackOnly:
    """Refuse requests that a page from elsewhere made the browser send.

    A name that was rebound to 127.0.0.1 shows in ``Host``, a form on a foreign page in ``Origin``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 400."""
        if scope["type"] == "http" and not _is_local(scope["headers"]):
            refusal = PlainTextResponse("The sandbox answers loopback addresses only.", 400)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_local(headers: list[tuple[bytes, bytes]]) -> bool:
    hosts = [b"//" + value for name, value in headers if name == b"host"]
    origins = [value for name, value in headers if name == b"origin"]
    return len(hosts) == 1 and all(map(_names_loopback, hosts + origins))


def _names_loopback(address: bytes) -> bool:
    try:
        return is_loopback(urlsplit(address.decode("latin-1")).hostname or "")
    except ValueError:  # unbalanced brackets
        return False
