"""A client whose time is the test's, and a server whose answers are the test's."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, Protocol

import anyio.lowlevel
import anyio.to_thread
import attrs
import pytest
import respx

from rmz_async import Client, RetryPolicy
from tests.seams import Clock, async_client
from tests.transports import AIOHTTP, WAYS
from tests.wire.changes import CLOCK, MakeShop, Shop

collect_ignore = [] if AIOHTTP else ["test_aiohttp.py"]

TOKEN = "1|wire-test-token"
BASE_URL = "https://merchant-api.rmz.gg/shawarma"


@attrs.define
class Time:
    """Seconds that pass only when somebody sleeps; a draw that takes the longest wait.

    Attributes:
        suspended: Seconds that passed only on the calendar, while the machine was suspended.
    """

    now: float = 1000.0
    suspended: float = 0.0
    slept: list[float] = attrs.field(factory=list[float])

    def waiting(self) -> Clock:
        """Return what the transport is given instead of the machine's time."""
        return Clock(clock=lambda: self.now, today=self.today, sleep=self.sleep, draw=lambda: 1.0)

    def today(self) -> datetime:
        """Return what the calendar says."""
        return CLOCK + timedelta(seconds=self.now - 1000.0 + self.suspended)

    async def sleep(self, seconds: float) -> None:
        """Let time pass immediately."""
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
def make_client(time: Time, http: Any) -> MakeClient:
    """Build clients whose waits are noted and not waited for."""

    def make(token: Any = TOKEN, **options: Any) -> Client:
        options.setdefault("base_url", BASE_URL)
        options.setdefault("http", http)
        return async_client(time.waiting(), token, **options)

    return make


@pytest.fixture
def rmz_api(http: Any) -> Iterator[respx.MockRouter]:
    """RMZ's address, answered by the test."""
    router = respx.MockRouter(base_url=BASE_URL, assert_all_called=False)
    if http == "aiohttp":
        from tests.wire.aiohttp_router import serve

        with serve(router):
            yield router
    else:
        with router:
            yield router


@pytest.fixture
def make_shop(rmz_api: respx.MockRouter, time: Time) -> MakeShop:
    """Build shops for one of the calls, on the test's time."""
    return lambda name: Shop(rmz_api, time, name)


every_transport = pytest.mark.parametrize(("anyio_backend", "http"), WAYS)

over_httpx = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
"""Runs a test over httpx alone; beside it stands why."""

their_client = over_httpx
"""The same for a test that passes in an HTTP client of the caller's own."""


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for ``http``, itself or by a fixture, over each way to send a request."""
    asks = {"anyio_backend", "http"} <= set(metafunc.fixturenames)
    marks = metafunc.definition.iter_markers("parametrize")
    if asks and not any("anyio_backend" in mark.args[0] for mark in marks):
        metafunc.definition.add_marker(every_transport)


@pytest.fixture
def http() -> str | None:
    """Name the library that the client sends with: httpx, if the test does not run over each."""
    return None


Behaviour = Callable[[socket.socket, bytes], object]

KEEP = True
"""A behaviour returns it to keep its connection open."""


class Server:
    """Accepts connections on loopback and lets the test's function answer each request.

    Attributes:
        port: The port that it listens on.
        requests: Every request, in order.
        opened: The number of connections so far.
    """

    def __init__(self, behaviours: list[Behaviour]) -> None:
        self.requests: list[bytes] = []
        self.opened = 0
        self._open = 0
        self._changed = threading.Condition()
        self._behaviours = behaviours
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}/shawarma"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        with self._listener:
            while True:
                try:
                    connection, _ = self._listener.accept()
                except OSError:
                    return
                with self._changed:
                    self.opened += 1
                    self._open += 1
                    self._changed.notify_all()
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.settimeout(60)
            while self._serve_one(connection) is KEEP:
                pass
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def _serve_one(self, connection: socket.socket) -> object:
        request = _read_request(connection)
        if not request:
            return None
        with self._changed:
            index = len(self.requests)
            self.requests.append(request)
            self._changed.notify_all()
        return self._behaviours[min(index, len(self._behaviours) - 1)](connection, request)

    async def until_asked(self, times: int) -> None:
        """Wait until so many requests have come; the wait is bounded."""
        await self._until(lambda: len(self.requests) >= times)

    async def until_opened(self, times: int) -> None:
        """Wait until there were so many connections; the wait is bounded."""
        await self._until(lambda: self.opened >= times)

    async def until_open(self, most: int) -> None:
        """Wait until no more connections than *most* are open; the wait is bounded."""
        await self._until(lambda: self._open <= most)

    async def _until(self, claim: Callable[[], bool]) -> None:
        def wait() -> bool:
            with self._changed:
                return self._changed.wait_for(claim, 60)

        assert await anyio.to_thread.run_sync(wait)

    def stop(self) -> None:
        """Stop listening; the thread closes the socket when it wakes."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)


def _read_request(connection: socket.socket) -> bytes:
    request = b""
    while b"\r\n\r\n" not in request:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        request += chunk
    head, _, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    is_chunked = b"transfer-encoding: chunked" in head.lower()
    parts, came = [body], len(body)
    # Joined at the end: a large file comes in hundreds of parts.
    while (length is not None and came < int(length[1])) or (
        is_chunked and not parts[-1].endswith(b"0\r\n\r\n")
    ):
        parts.append(connection.recv(65536))
        came += len(parts[-1])
        if not parts[-1]:
            return b""
    body = b"".join(parts)
    return head + b"\r\n\r\n" + (_dechunked(body) if is_chunked else body)


def _dechunked(body: bytes) -> bytes:
    pieces: list[bytes] = []
    while (size := int(body.partition(b"\r\n")[0], 16)) > 0:
        start = body.index(b"\r\n") + 2
        pieces.append(body[start : start + size])
        body = body[start + size + 2 :]
    return b"".join(pieces)


@contextmanager
def listening(*behaviours: Behaviour) -> Generator[Server]:
    """Serve one behaviour after the other, the last one from then on."""
    server = Server(list(behaviours))
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def serving() -> Callable[..., Any]:
    """Serve on loopback, as the test says."""
    return listening


def keeps(body: bytes = b'{"data": {"id": 501, "status": "active"}}', *headers: str) -> Behaviour:
    """Answer 200, and keep the connection open."""

    def behave(connection: socket.socket, _: bytes) -> bool:
        lines = ["HTTP/1.1 200 OK", "Content-Type: application/json", *headers]
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
        connection.sendall(head.encode() + body)
        return KEEP

    return behave


def resets(connection: socket.socket, _: bytes) -> None:
    """Close so that the client gets a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hangs_up(_: socket.socket, __: bytes) -> None:
    """Close without a word."""


def stalls(connection: socket.socket, _: bytes) -> object:
    """Answer nothing, until the client goes away."""
    connection.recv(1)
    return None


def client_of(server: Any, **options: Any) -> Client:
    """A client of a server on this machine, with one attempt unless a policy is given."""
    options.setdefault("retry", RetryPolicy(max_attempts=1, backoff=0.001))
    options.setdefault("pacing", None)
    return Client(TOKEN, base_url=server.base_url, **options)


@pytest.fixture
def unanswered(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A name server that does not answer; the event says that it was asked."""
    asked, over = threading.Event(), threading.Event()
    resolve = socket.getaddrinfo

    def look_up(host: Any, *args: Any, **options: Any) -> Any:
        # trio first asks whether the name is an address.
        is_name = not any(
            isinstance(flags, int) and flags & socket.AI_NUMERICHOST for flags in args[4:5]
        )
        if host not in ("rmz.invalid", b"rmz.invalid") or not is_name:
            return resolve(host, *args, **options)
        asked.set()
        assert over.wait(60)
        raise OSError("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield asked
    over.set()


@contextmanager
def a_full_queue() -> Generator[int]:
    """A port whose listener accepts no connection, so that connecting hangs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port: int = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        try:
            yield port
        finally:
            for one in waiting:
                one.close()
