"""A server on the loopback that answers like RMZ, and portals that are closed after the test."""

from __future__ import annotations

import asyncio
import json
import re
import select
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

import pytest

from tests import endpoints
from tests.seams import Portal

HELD = 900
"""The id of a subscription whose calls are not answered before ``release``."""

MISSING = 404
LISTS = tuple(endpoint.operation.path for endpoint in endpoints.LISTS)
PAGES = 3

LATER = "2026-01-01T00:00:00Z"
ANSWERS: dict[str, object] = {
    "/portal-sessions": {"url": "https://billing.rmz.gg/s/x", "expires_at": LATER},
    "/subscriptions/checkout-sessions": {
        "session_id": "cs_1",
        "checkout_url": "https://shop.rmz.gg/checkout/cs_1",
        "expires_at": LATER,
    },
    "/subscriptions/lookup": {"count": 0, "has_active": False, "subscriptions": []},
    "/orders/78901": {"id": 78901, "total": 299.99, "current_status": 4},
    "/products/101": {"id": 101, "type": "code"},
    "/store": {"id": 7, "balance": "0.00"},
    "/store/statics": {"sales_count": 342},
}


class Shop(ThreadingHTTPServer):
    """The server; one object for the whole run, emptied for each test."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.connections: set[object] = set()
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.empty()

    def empty(self) -> None:
        """Forget what earlier tests did."""
        self.requests: list[tuple[str, str, object]] = []
        self.holds_all = False
        self.arrived = threading.Event()
        self.release = threading.Event()
        self.hung_up = threading.Event()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection until it is closed."""
        self.connections.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        """Forget the connection."""
        super().close_request(request)
        self.connections.discard(request)

    def settle(self) -> None:
        """Wait until all is read that clients, which are closed now, have sent."""
        # Connections are accepted in order, so that none is missed that was opened before this one.
        with socket.create_connection(("127.0.0.1", self.server_port)) as last:
            last.sendall(b"GET /settle HTTP/1.0\r\n\r\n")
            while last.recv(1 << 16):
                pass
        pause = threading.Event()
        while self.connections:
            pause.wait(0.005)

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: clients hang up on purpose."""


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: Shop  # pyright: ignore[reportIncompatibleVariableOverride] - it has this one only
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 20

    def do_GET(self) -> None:
        """Answer a read."""
        self._answer(None)

    def do_POST(self) -> None:
        """Answer a write."""
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null"))

    def do_PUT(self) -> None:
        """Answer a change of what is there."""
        self.do_POST()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Stay silent."""

    def _answer(self, body: object) -> None:
        self.server.requests.append((self.command, self.path, body))
        address = urlsplit(self.path)
        if self.server.holds_all and not self._held():
            self.close_connection = True
        elif found := re.fullmatch(r"/subscriptions/(\d+)(/\w+)?", address.path):
            number = int(found[1])
            if number == HELD and not self._held():
                self.close_connection = True
                return
            if number == MISSING:
                self._send(404, None)
                return
            self._send(200, {"id": number, "status": "active"})
        elif (self.command, address.path) == ("POST", "/orders"):
            self._send(201, {"checkout_id": 1, "checkout_url": "https://app.rmz.gg/checkout/x"})
        elif address.path in LISTS:
            page = int(parse_qs(address.query).get("page", ["1"])[0])
            self._send(200, page_of(page, address.path))
        elif address.path in ANSWERS:
            self._send(200, ANSWERS[address.path])
        else:
            self._send(404, None)

    def _held(self) -> bool:
        """Wait for the release; whether it came before the client hung up."""
        shop = self.server
        shop.arrived.set()
        while not shop.release.wait(0.02):
            if select.select([self.connection], [], [], 0)[0]:
                shop.hung_up.set()
                return False
        return True

    def _send(self, status: int, data: object) -> None:
        envelope = {"message": None, "data": data, "api": "rmz.shawarma", "timestamp": 1}
        body = json.dumps(envelope).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def page_of(number: int, path: str) -> dict[str, object]:
    """Two objects a page: 10 and 11, 20 and 21, 30 and 31."""
    needed = {"status": "active"} if path == "/subscriptions" else {}
    return {
        "current_page": number,
        "data": [{"id": number * 10 + place, **needed} for place in (0, 1)],
        "first_page_url": "/?page=1",
        "from": 1,
        "next_page_url": f"/?page={number + 1}" if number < PAGES else None,
        "path": "/",
        "per_page": 2,
        "prev_page_url": None,
        "to": 2,
    }


@pytest.fixture(scope="session")
def _shop() -> Iterator[Shop]:
    with Shop() as shop:
        thread = threading.Thread(target=shop.serve_forever, args=(0.01,), name="shop")
        thread.start()
        yield shop
        shop.release.set()
        shop.shutdown()
        thread.join(10)


@pytest.fixture
def shop(_shop: Shop) -> Iterator[Shop]:
    """A server that no earlier test has asked anything."""
    _shop.empty()
    yield _shop
    _shop.release.set()


class Finish:
    """Counts how often a portal's thread came to its end."""

    def __init__(self) -> None:
        self.called = threading.Event()
        self.error: Exception | None = None

    async def __call__(self) -> None:
        """Run as the last thing in the thread."""
        self.called.set()
        if self.error is not None:
            raise self.error


@pytest.fixture
def finish() -> Finish:
    """The portal calls it at its end."""
    return Finish()


@pytest.fixture
def portal(finish: Finish) -> Iterator[Portal]:
    """A portal of its own."""
    portal = Portal(finish)
    yield portal
    finish.error = None
    portal.close()


async def answer() -> int:
    """Take a step of the loop, and answer."""
    await asyncio.sleep(0)
    return 42


class Endless:
    """A call that runs until it is cancelled, and then takes a step to clean up."""

    def __init__(self) -> None:
        self.running = threading.Event()
        self.cleaned = threading.Event()

    async def call(self) -> NoReturn:
        """Run, and clean up."""
        self.running.set()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            self.cleaned.set()
        raise AssertionError


def silence(_: threading.ExceptHookArgs) -> None:
    """Print nothing."""


def threads() -> list[threading.Thread]:
    """The threads of all portals."""
    return [thread for thread in threading.enumerate() if thread.name == "rmz-sync"]
