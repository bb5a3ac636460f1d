"""The way of a client to the sandbox without a socket."""

from __future__ import annotations

import asyncio
import math
from concurrent.futures import CancelledError
from typing import Any

import anyio
import anyio.to_thread
import httpx
from starlette.types import ASGIApp

from rmz_async.sandbox.lifecycle.clock import Clock
from rmz_async.sandbox.serving.server import Server

__all__ = ("InProcess", "connect")


class InProcess(httpx.AsyncBaseTransport):
    """Passes requests to the sandbox, in the loop that it runs in if that is in another thread.

    So one thread only touches the state, in whatever thread the client works.
    """

    def __init__(self, app: ASGIApp, server: Server) -> None:
        self._transport = httpx.ASGITransport(app)
        self._server = server

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer of the sandbox.

        Raises:
            httpx.ReadTimeout: The sandbox has not answered in time.
            httpx.RemoteProtocolError: The sandbox ended before it had answered.
        """
        limit = request.extensions.get("timeout", {}).get("read")
        with anyio.move_on_after(math.inf if limit is None else limit):
            return await self._answer(request)
        raise httpx.ReadTimeout("the sandbox has not answered in time", request=request)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        loop = self._server.loop
        if loop is None or loop is _running_loop():
            return await self._transport.handle_async_request(request)
        # The body may come from a stream that belongs to the caller's loop.
        await request.aread()
        answering = self._server.start_on(loop, self._transport.handle_async_request(request))
        try:
            return await anyio.to_thread.run_sync(answering.result, abandon_on_cancel=True)
        except CancelledError:
            raise httpx.RemoteProtocolError("the sandbox ended before it had answered") from None
        finally:
            answering.cancel()


def connect(app: ASGIApp, server: Server, clock: Clock) -> dict[str, Any]:
    """Return the options that lead a client, of either package, to the sandbox."""
    # The sandbox must be importable, and usable over HTTP, without the client.
    from rmz_async._calls.clock import Clock as ClientClock

    time = ClientClock(clock=lambda: clock.now().timestamp(), today=clock.now, sleep=clock.sleep)
    return {"http": httpx.AsyncClient(transport=InProcess(app, server)), "_clock": time}


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
