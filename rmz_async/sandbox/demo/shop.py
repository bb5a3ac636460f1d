"""The shop's own server: it takes webhooks, and believes only signed ones."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager

import httpx
import uvicorn
from anyio.from_thread import start_blocking_portal
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import rmz_async
from rmz_async.sandbox.demo.telling import check
from rmz_async.sandbox.serving.served import listen

__all__ = ("Shop",)


class Shop:
    """Keeps the events that were verified.

    Attributes:
        secret: The secret of the shop's webhook.
        count: How many events were verified.
    """

    def __init__(self) -> None:
        self.secret: str = secrets.token_urlsafe(21)
        self.count: int = 0
        self._events: deque[rmz_async.Event] = deque()
        self._app = Starlette(routes=[Route("/rmz", self._receive, methods=["POST"])])

    def take(self, *expected: str) -> list[rmz_async.Event]:
        """Return the events since the last time; they must be the *expected* ones, in order."""
        events = list(self._events)
        self._events.clear()
        names = [str(event.event) for event in events]
        check(names == list(expected), f"webhooks came: {', '.join(expected)}; not {names}")
        return events

    async def refuse_forgery(self, address: str) -> int:
        """Send a delivery that nobody signed; return the answer's status."""
        async with httpx.AsyncClient(trust_env=False) as stranger:
            body = b'{"event": "subscription.renewed", "data": {}}'
            answer = await stranger.post(address, content=body, headers={"Signature": "0" * 64})
        return answer.status_code

    @contextmanager
    def serve(self) -> Generator[str]:
        """Listen on a free loopback port, from a thread; gives the address."""
        with listen("127.0.0.1", 0) as listener:
            server = uvicorn.Server(uvicorn.Config(self._app, lifespan="off", log_config=None))
            with start_blocking_portal() as portal:
                running = portal.start_task_soon(server.serve, [listener])
                try:
                    yield f"http://127.0.0.1:{listener.getsockname()[1]}/rmz"
                finally:
                    server.should_exit = True
                    running.result()

    async def _receive(self, request: Request) -> Response:
        try:
            event = rmz_async.webhooks.verify(
                await request.body(), request.headers, secrets=[self.secret]
            )
        except rmz_async.SignatureError:
            return Response(status_code=401)
        self.count += 1
        self._events.append(event)
        return Response(status_code=204)
