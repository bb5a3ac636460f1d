"""Refuse forms that a page of another origin made the browser send."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from rmz_async.sandbox.wire.below import BASE_PATH

__all__ = ("SameOriginForms",)

_SAFE = ("GET", "HEAD", "OPTIONS")


class SameOriginForms:
    """Refuse state-changing requests to the pages if a browser says that they cross origins.

    Browsers name the origin of each form, so that the pages need no token. A program sends neither
    header, and no page can forge a request in a program's name. The API is left out, because its
    bearer token is nothing that a browser would add by itself.

    Args:
        app: The application below.
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
