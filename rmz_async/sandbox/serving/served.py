"""Serve the sandbox on a real port, from a thread of its own."""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import anyio
import anyio.to_thread
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from rmz_async.sandbox.faults.requests import ABORT
from rmz_async.sandbox.serving.in_thread import InThread
from rmz_async.sandbox.serving.server import Server

if TYPE_CHECKING:
    from rmz_async.sandbox.sandbox import Sandbox

__all__ = ("Served", "listen")

# Clients cannot connect to the addresses that stand for all addresses of the machine.
_CALLED = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - only compared with


class Served(InThread):
    """A sandbox behind a port, while a ``with`` or ``async with`` block lasts.

    Its loop is always asyncio, whatever the caller runs on. Everything here may be used from any
    thread.

    Attributes:
        sandbox: The sandbox that is served.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        host: str,
        port: int,
        server: Server,
        *,
        clock_runs: bool = True,
    ) -> None:
        # The socket would raise OverflowError for it, and be left open.
        if not 0 <= port <= 65535:
            raise ValueError(f"a port is 0 to 65535, not {port}")
        super().__init__(sandbox, server, clock_runs=clock_runs)
        self._host = "127.0.0.1" if host == "localhost" else host
        self._port = port
        self._unserved_origin = server.origin

    def _start(self) -> None:
        self._server = uvicorn.Server(self._config())
        # Bound here, so that a port in use is the caller's error and not the thread's.
        listener = listen(self._host, self._port)
        port = listener.getsockname()[1]
        named = _CALLED.get(self._host, self._host)
        host = f"[{named}]" if ":" in named else named
        self._address.origin = f"http://{host}:{port}"
        try:
            self._start_thread(partial(self._server.serve, sockets=[listener]))
        except BaseException:
            listener.close()
            raise

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop serving and free the port."""
        try:
            super().__exit__(exc_type, exc, traceback)
        finally:
            self._address.is_ending = False
            self._address.origin = self._unserved_origin

    def _ask_to_stop(self) -> None:
        self._address.is_ending = True
        self._server.should_exit = True

    async def __aenter__(self) -> Self:
        """Bind the port and start to serve."""
        # Called in this thread: asyncio's own cancellation would leave another thread at work.
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop serving and free the port, even while being cancelled."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self.__exit__, exc_type, exc, traceback)

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            self.sandbox.app,
            http=_AbortableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            # Called on the first tick: the server accepts connections, and knows how to stop.
            callback_notify=self._note_start,
        )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on *host*, and on which answers go without delay.

    Args:
        host: An IPv4 or IPv6 address.
        port: 0 for any that is free.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small pieces immediately on sockets that say TCP. socket.create_server makes one
    # that does not say so: each answer would wait 40 ms for the client's acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except BaseException:
        listener.close()
        raise
    return listener


class _AbortableProtocol(H11Protocol):
    """Says in each request's scope how to cut its connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        app = self.app

        async def with_abort(scope: Scope, receive: Receive, send: Send) -> None:
            scope[ABORT] = self.transport.abort
            try:
                await app(scope, receive, send)
            except asyncio.CancelledError:
                # uvicorn cancels requests only as it ends, and would print a traceback.
                self.transport.abort()
                # The event loop cuts the connection in its next step, before uvicorn looks at it.
                await asyncio.sleep(0)

        self.app = with_abort
