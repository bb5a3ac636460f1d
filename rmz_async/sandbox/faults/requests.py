"""Spoil requests to the API on their way to it, or answers on their way back."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import anyio.lowlevel
import httpx
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rmz_async.sandbox.faults.faults import FaultRule, Faults, RequestFault
from rmz_async.sandbox.wire.below import BASE_PATH

__all__ = ("ABORT", "FaultyRequests")

ABORT = "rmz_sandbox_abort"
"""The key under which a server says how to cut the connection of a request."""


class FaultyRequests:
    """Let requests of the API meet the faults that are meant for them."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, unless a fault hits it."""
        path = scope.get("path", "")
        rule = None
        if path.startswith(BASE_PATH):
            rule = self._faults.for_request(scope["method"], path.removeprefix(BASE_PATH))
        if rule is None:
            await self._app(scope, receive, send)
            return
        match rule.fault:
            case RequestFault.LATENCY:
                await anyio.sleep(rule.seconds)
                await self._app(scope, receive, send)
            case RequestFault.TRUNCATED:
                await self._truncated(scope, receive, send)
            case _:
                if rule.after_effect:
                    await self._app(scope, receive, _nowhere)
                await _answered_otherwise(rule, scope, receive, send)

    async def _truncated(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def half(message: Message) -> None:
            body: bytes = message.get("body", b"")
            if body:
                message = {**message, "body": body[: len(body) // 2], "more_body": True}
            await send(message)

        await self._app(scope, receive, half)
        await _hang_up(scope)


async def _answered_otherwise(rule: FaultRule, scope: Scope, receive: Receive, send: Send) -> None:
    answer: Response
    match rule.fault:
        case RequestFault.RESET:
            await _hang_up(scope)
            return
        case RequestFault.BAD_GATEWAY:
            answer = HTMLResponse("<html><title>502 Bad Gateway</title></html>", 502)
        case RequestFault.UNAUTHENTICATED:
            answer = JSONResponse({"message": "Unauthenticated."}, 401)
        case RequestFault.PLAN_MISSING:
            answer = _error(403, "This feature requires the RMZ+ plan")
        case _:
            answer = _error(500, "Server Error")
    await answer(scope, receive, send)


def _error(status: int, message: str) -> Response:
    body = {"message": message, "data": None, "api": "rmz.shawarma", "timestamp": 0, "error": True}
    return JSONResponse(body, status)


async def _hang_up(scope: Scope) -> None:
    """Cut the connection: the server's, or that of a caller in process."""
    abort: Callable[[], None] | None = scope.get(ABORT)
    if abort is None:
        raise httpx.RemoteProtocolError("the sandbox's fault: the connection was cut")
    abort()
    # The server learns of the abort at this checkpoint, and does not miss the answer.
    await anyio.lowlevel.checkpoint()


async def _nowhere(_: Message) -> None:
    """Lose a part of an answer."""
