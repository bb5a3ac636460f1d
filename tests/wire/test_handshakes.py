"""Connections over TLS to a server that goes silent, immediately or later, and what is left."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

import anyio
import httpcore
import pytest

from rmz_async import Client, ConnectionFailedError, RetryPolicy
from rmz_async._http.over_httpx import HTTPXConnection
from tests.seams import Part, Setting, inside, replace
from tests.wire.conftest import TOKEN, Server, keeps, over_httpx, stalls

pytestmark = pytest.mark.anyio


def secured(server: Server, http: Any) -> Client:
    """A client that speaks TLS to the server."""
    base_url = server.base_url.replace("http:", "https:")
    return Client(
        TOKEN, base_url=base_url, http=http, retry=RetryPolicy(max_attempts=1), pacing=None
    )


async def test_a_call_given_up_closes_its_connection(serving: Any, http: Any) -> None:
    """Its connection is closed before the caller goes on."""
    with serving(stalls) as server:
        async with secured(server, http) as rmz:
            for _ in range(3):
                before = server.opened
                async with anyio.create_task_group() as calls:
                    calls.start_soon(rmz.subscriptions.get, 501)
                    await server.until_opened(before + 1)
                    await anyio.wait_all_tasks_blocked()
                    calls.cancel_scope.cancel()
                await server.until_open(0)


async def test_a_handshake_at_its_time_out_closes_its_connection(
    serving: Any, http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call was surely not sent, and its connection is closed."""
    # Far below the call's timeout, so that no slow machine ends the call first.
    replace(monkeypatch, Setting.CONNECT_TIMEOUT, 0.2)
    with serving(stalls) as server:
        async with secured(server, http) as rmz:
            with pytest.raises(ConnectionFailedError):
                await rmz.subscriptions.extend(501, days=7)
            await server.until_open(0)


async def test_a_closed_client_leaves_nothing_open(serving: Any, http: Any) -> None:
    """The call fails, is not sent, and nothing is left open."""
    with serving(stalls) as server:
        rmz = secured(server, http)

        async def fail() -> None:
            with pytest.raises(ConnectionFailedError):
                await rmz.subscriptions.get(501)

        async with anyio.create_task_group() as calls:
            calls.start_soon(fail)
            await server.until_opened(1)
            await anyio.wait_all_tasks_blocked()
            await rmz.aclose()
        await server.until_open(0)
    assert not server.requests


class Late:
    """Opens connections, and lets the test do something just before it hands one out."""

    def __init__(self, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self.is_open = True
        self._meanwhile = meanwhile

    async def connect_tcp(self, *_: object, **__: object) -> Late:
        """Open one, which is itself."""
        await self._meanwhile()
        return self

    async def aclose(self) -> None:
        """Close it."""
        self.is_open = False


@over_httpx
async def test_a_connection_that_opens_as_its_client_closes_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing else would close it."""
    connection = HTTPXConnection(ssl.create_default_context())
    opener = Late(connection.aclose)
    monkeypatch.setattr(inside(connection, Part.NETWORK), Part.OPENER, opener)
    request = httpcore.Request("GET", "https://127.0.0.1/", extensions={"timeout": {}})
    with pytest.raises(httpcore.ConnectError, match="closed"):
        await connection.handle_async_request(request)
    assert not opener.is_open


def anonymous(side: int) -> ssl.SSLContext:
    """TLS without certificates, as old versions allow."""
    tls = ssl.SSLContext(side)
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    tls.set_ciphers("AECDH-AES128-SHA:@SECLEVEL=0")
    return tls


class Speaker(Server):
    """A server that speaks TLS."""

    def _serve(self, connection: socket.socket) -> None:
        # A client may give up during the handshake, and its connection counts as closed then too.
        with suppress(OSError):
            connection.settimeout(60)
            tls = anonymous(ssl.PROTOCOL_TLS_SERVER)
            connection = tls.wrap_socket(connection, server_side=True, suppress_ragged_eofs=True)
        super()._serve(connection)


def goes_deaf(connection: socket.socket, _: bytes) -> None:
    """Read on, but understand nothing any more: not even a farewell, which it would answer."""
    while socket.socket.recv(connection, 4096):
        pass


@pytest.fixture
def answers() -> threading.Event:
    """Lets the speaker answer, from when it is set."""
    return threading.Event()


@pytest.fixture
def speaker(monkeypatch: pytest.MonkeyPatch, answers: threading.Event) -> Iterator[Server]:
    """A server that goes deaf after each request."""
    tls = anonymous(ssl.PROTOCOL_TLS_CLIENT)
    replace(monkeypatch, Setting.TLS, lambda: tls)

    def behave(connection: socket.socket, request: bytes) -> None:
        if answers.is_set():
            keeps()(connection, request)
        goes_deaf(connection, request)

    server = Speaker([behave])
    yield server
    server.stop()


async def test_a_silent_connection_is_closed_without_a_farewell(
    speaker: Server, answers: threading.Event, http: Any
) -> None:
    """Cancelled, late and kept connections are all closed so."""
    async with secured(speaker, http) as rmz:
        async with anyio.create_task_group() as calls:
            calls.start_soon(rmz.subscriptions.get, 501)
            await speaker.until_asked(1)
            calls.cancel_scope.cancel()
        await speaker.until_open(0)
        with pytest.raises(ConnectionFailedError):
            await rmz.with_options(timeout=0.2).subscriptions.get(501)
        await speaker.until_open(0)
        answers.set()
        assert (await rmz.subscriptions.get(501)).id == 501
    await speaker.until_open(0)
