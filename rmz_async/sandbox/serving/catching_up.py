"""Each request meets a store in which everything has happened that was due."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ("CatchingUp",)


class CatchingUp:
    """Bring about what time has brought, and pass the request on.

    Args:
        app: The application that gets the requests.
        catch_up: Brings about what has come due.
    """

    def __init__(self, app: ASGIApp, catch_up: Callable[[], None]) -> None:
        self._app = app
        self._catch_up = catch_up

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        self._catch_up()
        await self._app(scope, receive, send)
