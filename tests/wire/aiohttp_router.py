"""The answers of a respx router over a real connection: respx itself knows httpx's only."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any

import aiohttp
import httpx
import pytest
import respx
from yarl import URL

from tests.wire.conftest import KEEP, listening, resets

RAISED = "X-Raised"
"""The header that carries to the client's side the exception of a route."""

# A server cannot do these to a client by itself.
TIMEOUTS: dict[type[Exception], type[Exception]] = {
    httpx.ConnectTimeout: aiohttp.ConnectionTimeoutError,
    httpx.PoolTimeout: aiohttp.ConnectionTimeoutError,
    httpx.ReadTimeout: aiohttp.SocketTimeoutError,
}


@contextmanager
def serve(router: respx.MockRouter) -> Generator[None]:
    """Let *router* answer all that is sent by aiohttp, to whatever host."""
    answering = _Answering(router)
    with (
        listening(answering.answer) as server,
        socket.socket() as unheard,
        pytest.MonkeyPatch.context() as patch,
    ):
        # Bound, so that no other program listens there.
        unheard.bind(("127.0.0.1", 0))
        send: Any = aiohttp.ClientSession._request

        async def request(session: Any, method: str, url: str, **options: Any) -> Any:
            answering.loop = asyncio.get_running_loop()
            response = await send(session, method, at(server.port, url), **options)
            failure = answering.raised.get(response.headers.get(RAISED))
            if failure is None:
                return response
            response.release()
            # In aiohttp's own words, which it is for httpx-aiohttp and the client to understand.
            if isinstance(failure, httpx.ConnectError):
                return await send(session, method, at(unheard.getsockname()[1], url), **options)
            if isinstance(failure, httpx.TransportError):
                raise TIMEOUTS[type(failure)](str(failure))
            raise failure

        patch.setattr(aiohttp.ClientSession, "_request", request)
        yield


def at(port: int, url: str) -> URL:
    """Return the same address on this machine."""
    return URL(url).with_scheme("http").with_host("127.0.0.1").with_port(port)


class _Answering:
    """Asks the router in the event loop of the client, where respx asks it too.

    Attributes:
        loop: The client's.
        raised: The exceptions of routes, by the header that names them.
    """

    def __init__(self, router: respx.MockRouter) -> None:
        self.loop: asyncio.AbstractEventLoop
        self.raised: dict[str, Exception] = {}
        self._router = router

    def answer(self, connection: socket.socket, received: bytes) -> object:
        """Answer a request: do what a server can do to a connection, and report the rest."""
        routing = self._route(received)
        try:
            routed = asyncio.run_coroutine_threadsafe(routing, self.loop).result(10)
        except (CancelledError, RuntimeError):
            # The test is over.
            routing.close()
            return None
        if isinstance(routed, httpx.ReadError):
            resets(connection, received)
            return None
        if isinstance(routed, httpx.RemoteProtocolError):
            return None
        if isinstance(routed, Exception):
            self.raised[str(id(routed))] = routed
            routed = httpx.Response(500, headers={RAISED: str(id(routed))})
        connection.sendall(written(routed))
        return KEEP

    async def _route(self, received: bytes) -> httpx.Response | Exception:
        try:
            return await self._router.async_handler(read(received))
        except Exception as error:  # noqa: BLE001 - the client gets it, as it does from respx
            return error


def read(received: bytes) -> httpx.Request:
    """Return what has arrived, as respx has it."""
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, target, _ = first.decode("ascii").split(" ")
    pairs = [line.partition(b":")[::2] for line in lines]
    headers = httpx.Headers([(name, value.strip()) for name, value in pairs])
    url = f"https://{headers['host']}{target}"
    request = httpx.Request(method, url, headers=headers, stream=httpx.ByteStream(body))
    request.read()
    return request


def written(response: httpx.Response) -> bytes:
    """Return the answer as it is sent: its content as it was given, compressed or not."""
    assert isinstance(response.stream, httpx.ByteStream)
    body = b"".join(response.stream)
    headers = httpx.Headers(response.headers)
    headers.setdefault("Content-Length", str(len(body)))
    lines = [name + b": " + value for name, value in headers.raw]
    first = f"HTTP/1.1 {response.status_code} {response.reason_phrase}".encode("ascii")
    return b"\r\n".join([first, *lines, b"", body])
