"""A client whose time is the test's, and a server that answers whatever it is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import anyio.lowlevel
import attrs
import pytest
import respx

from rmz_async import Client
from rmz_async._call import Waiting
from rmz_async._transport import Transport

TOKEN = "1|wire-test-token"
BASE_URL = "https://merchant-api.rmz.gg/shawarma"


@attrs.define
class Time:
    """Seconds that pass only when somebody sleeps; a draw that takes the longest wait."""

    now: float = 1000.0
    slept: list[float] = attrs.field(factory=list[float])

    def waiting(self) -> Waiting:
        """Return what the transport is given instead of the machine's time."""
        return Waiting(clock=lambda: self.now, sleep=self.sleep, draw=lambda: 1.0)

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.slept.append(seconds)
        self.now += seconds
        await anyio.lowlevel.checkpoint()


@pytest.fixture
def time() -> Time:
    """Time that stands still."""
    return Time()


class MakeClient(Protocol):
    """Builds a client on the test's time."""

    def __call__(self, token: Any = TOKEN, **options: Any) -> Client:
        """Build one."""
        ...


@pytest.fixture
def make_client(time: Time) -> MakeClient:
    """Build clients whose waits are noted and not waited for."""

    def make(token: Any = TOKEN, **options: Any) -> Client:
        options.setdefault("base_url", BASE_URL)
        client = Client(token, **options)
        transport = client._transport
        client._use(
            Transport(transport._connections, transport.options, time.waiting()),
            owns_connections=True,
        )
        return client

    return make


@pytest.fixture
def rmz_api() -> Iterator[respx.MockRouter]:
    """RMZ's address, answered by the test."""
    with respx.mock(base_url=BASE_URL, assert_all_called=False) as router:
        yield router


Behaviour = Callable[[socket.socket, bytes], None]


class Server:
    """Accepts connections on loopback and lets the test's function answer each request."""

    def __init__(self, behaviours: list[Behaviour]) -> None:
        self.requests: list[bytes] = []
        self._behaviours = behaviours
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/shawarma"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        with self._listener:
            while True:
                try:
                    connection, _ = self._listener.accept()
                except OSError:
                    return
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            try:
                request = b""
                while b"\r\n\r\n" not in request:
                    chunk = connection.recv(65536)
                    if not chunk:
                        return
                    request += chunk
                index = len(self.requests)
                self.requests.append(request)
                self._behaviours[min(index, len(self._behaviours) - 1)](connection, request)
            except OSError:
                return

    def stop(self) -> None:
        """Stop listening; the thread closes the socket when it wakes."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)


@contextmanager
def _serving(*behaviours: Behaviour) -> Generator[Server]:
    server = Server(list(behaviours))
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def serving() -> Callable[..., Any]:
    """Serve one behaviour after the other, the last one from then on."""
    return _serving
