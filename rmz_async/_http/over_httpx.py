"""A connection over httpcore, the engine of httpx."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any, cast

import anyio
import httpcore

from rmz_async._http.resolver import addresses_of

# Seconds that an address has before the next one is attempted beside it, as RFC 8305 says.
_HEAD_START = 0.25


class HTTPXConnection:
    """A connection that can be closed at any moment of its life.

    httpcore forgets a connection that is cancelled, or closed, while it opens; this class does not.

    Args:
        tls: Shared by all connections.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._network = _Network()
        self._connection: httpcore.AsyncHTTPConnection | None = None

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """See `Connection.handle_async_request`."""
        if self._connection is None:
            self._connection = httpcore.AsyncHTTPConnection(
                request.url.origin, ssl_context=self._tls, network_backend=self._network
            )
        try:
            return await self._connection.handle_async_request(request)
        except anyio.ClosedResourceError:
            # httpcore translates it, except for a connection that is closed while it agrees on TLS.
            raise httpcore.ConnectError("the client was closed") from None

    def is_reusable(self) -> bool:
        """See `Connection.is_reusable`."""
        connection = self._connection
        if connection is None:
            return True
        # A connection that is idle and has something to read has expired, as httpcore calls it.
        return connection.is_idle() and not connection.has_expired()

    def failed_to_open(self) -> bool:
        """See `Connection.failed_to_open`."""
        # httpcore says so for good, also after a cancellation, if a connection ends before it and
        # its TLS are ready. Until then, httpcore sends nothing of a request.
        return self._connection is not None and self._connection.info() == "CONNECTION FAILED"

    async def aclose(self) -> None:
        """See `Connection.aclose`."""
        try:
            if self._connection is not None:
                await self._connection.aclose()
        finally:
            await self._network.aclose()


class _Network(httpcore.AsyncNetworkBackend):
    """Opens one connection, and remembers it."""

    def __init__(self) -> None:
        self._opener = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())
        self._opening = anyio.CancelScope()
        self._opened: httpcore.AsyncNetworkStream | None = None

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own name
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        with self._opening:
            try:
                with anyio.fail_after(timeout):
                    await self._connect(await addresses_of(host, port), port)
            except TimeoutError:
                raise httpcore.ConnectTimeout("no connection in time") from None
            except OSError as error:
                raise httpcore.ConnectError(str(error)) from error
        if self._opened is not None and not self._opening.cancel_called:
            return self._opened
        await self.aclose()
        raise httpcore.ConnectError("the client was closed")

    async def _connect(self, addresses: list[str], port: int) -> None:
        failed: list[httpcore.ConnectError] = []

        async def attempt(address: str, over: anyio.Event) -> None:
            try:
                opened = await self._opener.connect_tcp(address, port)
            except httpcore.ConnectError as error:
                failed.append(error)
                over.set()
                return
            attempts.cancel_scope.cancel()
            if self._opened is None:
                self._opened = opened
            else:
                with anyio.CancelScope(shield=True):
                    await opened.aclose()

        async with anyio.create_task_group() as attempts:
            for address in addresses:
                over = anyio.Event()
                attempts.start_soon(attempt, address, over)
                with anyio.move_on_after(_HEAD_START):
                    await over.wait()
        if self._opened is None:
            raise failed[0]

    async def aclose(self) -> None:
        self._opening.cancel()
        if self._opened is not None:
            await self._opened.aclose()
