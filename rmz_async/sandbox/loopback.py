"""Keep the sandbox on this machine: who may talk to it, and whom it may talk to."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

import attrs
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from rmz_async.sandbox.wire.below import BASE_PATH

__all__ = ("Callers", "LoopbackOnly", "SameOriginForms", "host_of_page", "is_loopback")

_SAFE = ("GET", "HEAD", "OPTIONS")


def is_loopback(host: str) -> bool:
    """Return whether *host* is ``localhost`` or a loopback address, without asking DNS."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of_page(url: str) -> str:
    """Return the host of *url*, which begins the links to the sandbox's pages.

    Raises:
        ValueError: *url* is no http or https address of a server.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"public_url must be like http://localhost:8787, not {url!r}")
    return parts.hostname


@attrs.define
class Callers:
    """The callers that the sandbox answers, by the host name that they use for it.

    Attributes:
        beyond_loopback: Whether callers from other machines are answered.
        names: The names with a dot that they may use.
    """

    beyond_loopback: bool = False
    names: Collection[str] = ()

    def may_use(self, host: str) -> bool:
        """Return whether a caller may have *host* for the sandbox's address.

        A page of a stranger can let the stranger's own name lead here. Such a name has a dot, and
        is no address.
        """
        if is_loopback(host):
            return True
        if not self.beyond_loopback or not host:
            return False
        return "." not in host or _is_address(host) or host in self.names


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class LoopbackOnly:
    """Refuse requests that a page from elsewhere made the browser send.

    A name that was rebound to 127.0.0.1 shows in ``Host``, a form on a foreign page in ``Origin``.
    """

    def __init__(self, app: ASGIApp, callers: Callers) -> None:
        self._app = app
        self._callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 400."""
        if scope["type"] == "http" and not self._may_call(scope["headers"]):
            known = (
                "addresses, names without a dot, and the names that it was given"
                if self._callers.beyond_loopback
                else "loopback addresses"
            )
            refusal = PlainTextResponse(f"The sandbox answers {known} only.", 400)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _may_call(self, headers: list[tuple[bytes, bytes]]) -> bool:
        hosts = [b"//" + value for name, value in headers if name == b"host"]
        origins = [value for name, value in headers if name == b"origin"]
        named = map(_host_of, hosts + origins)
        return len(hosts) == 1 and all(map(self._callers.may_use, named))


def _host_of(address: bytes) -> str:
    try:
        return urlsplit(address.decode("latin-1")).hostname or ""
    except ValueError:  # unbalanced brackets
        return ""


class SameOriginForms:
    """Refuse state-changing requests to the pages if a browser says that they cross origins.

    Browsers name the origin of each form, so that the pages need no token. A program sends neither
    header, and no page can forge a request in a program's name. The API is left out, because its
    bearer token is nothing that a browser would add by itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        if (
            scope["type"] == "http"
            and scope["method"] not in _SAFE
            and not scope["path"].startswith(f"{BASE_PATH}/")
            and _crosses_origins(Headers(scope=scope))
        ):
            refusal = PlainTextResponse("This form was sent from a page of another origin.", 403)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _crosses_origins(headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")
