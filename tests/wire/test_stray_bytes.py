"""Bytes that follow an answer: they answer no other call."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from rmz_async import Client, ConflictError, RetryPolicy
from tests.seams import Setting, replace
from tests.transports import WAYS
from tests.wire.conftest import KEEP, TOKEN, Behaviour, Server, keeps
from tests.wire.test_handshakes import Speaker, anonymous

pytestmark = pytest.mark.anyio

every_owner = pytest.mark.parametrize(
    ("anyio_backend", "http"),
    [
        *WAYS,
        pytest.param("asyncio", "own", id="asyncio-own"),
        pytest.param("trio", "own", id="trio-own"),
    ],
)


def answer(status: int, body: bytes) -> bytes:
    """An answer as it is sent."""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


PAUSED = answer(200, b'{"data": {"id": 501, "status": "paused"}}')
REFUSED = answer(409, b'{"success": false, "message": "Only active ones can be paused."}')

STRAYS = {
    "same": PAUSED,
    "other object": answer(200, b'{"data": {"id": 7, "status": "paused"}}'),
    "null": answer(200, b"null"),
    "401": answer(401, b'{"success": false, "message": "Unauthenticated."}'),
    "408": answer(408, b""),
    "422": answer(422, b'{"success": false, "message": "No."}'),
    "half": PAUSED[:40],
    "garbage": b"\x00\x01garbage\r\n\r\n",
    "one byte": b"\n",
}


@asynccontextmanager
async def owned(server: Server, http: Any, **options: Any) -> AsyncGenerator[Client]:
    """A client over connections of ours, or of the caller's own `httpx.AsyncClient`."""
    options = {"retry": RetryPolicy(max_attempts=1), "pacing": None, **options}
    if http != "own":
        async with Client(TOKEN, base_url=server.base_url, http=http, **options) as rmz:
            yield rmz
    else:
        async with httpx.AsyncClient() as own:
            yield Client(TOKEN, base_url=server.base_url, http=own, **options)


def followed_by(stray: bytes) -> Behaviour:
    """Answer that it is paused, with more in the same segment, and keep the connection open."""

    def behave(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(PAUSED + stray)
        return KEEP

    return behave


def refuses(connection: socket.socket, _: bytes) -> bool:
    """Answer that it cannot be paused, and keep the connection open."""
    connection.sendall(REFUSED)
    return KEEP


@every_owner
@pytest.mark.parametrize(
    "stray", [name for name in STRAYS if name not in ("half", "garbage", "one byte")]
)
async def test_a_second_answer_is_not_that_of_the_next_call(
    serving: Any, http: Any, stray: str
) -> None:
    """Its connection is closed, and the next call gets its own answer over another."""
    with serving(followed_by(STRAYS[stray]), refuses) as server:
        async with owned(server, http) as rmz:
            assert (await rmz.subscriptions.pause(501)).status == "paused"
            with pytest.raises(ConflictError):
                await rmz.subscriptions.pause(501)
        assert server.opened == 2


@every_owner
@pytest.mark.parametrize("stray", ["half", "garbage", "one byte"])
async def test_garbage_after_an_answer_is_not_the_next_call_s(
    serving: Any, http: Any, stray: str
) -> None:
    """A client over aiohttp loses the answer with it, and asks again."""
    with serving(followed_by(STRAYS[stray]), keeps()) as server:
        async with owned(server, http, retry=RetryPolicy(backoff=0.001)) as rmz:
            await rmz.subscriptions.get(501)
            assert (await rmz.subscriptions.get(501)).status == "active"


@every_owner
@pytest.mark.parametrize("stray", STRAYS)
async def test_bytes_that_come_while_a_connection_is_idle_answer_nothing(
    serving: Any, http: Any, stray: str
) -> None:
    """They have arrived, whether or not the event loop has run since."""
    be_late, was_late = threading.Event(), threading.Event()

    def late(connection: socket.socket, request: bytes) -> bool:
        followed_by(b"")(connection, request)
        assert be_late.wait(60)
        connection.sendall(STRAYS[stray])
        was_late.set()
        return KEEP

    with serving(late, refuses) as server:
        async with owned(server, http) as rmz:
            await rmz.subscriptions.pause(501)
            be_late.set()
            assert was_late.wait(60)  # The event loop does not run meanwhile.
            with pytest.raises(ConflictError):
                await rmz.subscriptions.pause(501)
        assert server.opened == 2


@every_owner
@pytest.mark.skipif(
    not hasattr(socket, "TCP_CORK"), reason="only Linux holds two records back for one segment"
)
async def test_bytes_in_a_record_of_their_own_answer_nothing_over_tls(
    monkeypatch: pytest.MonkeyPatch, http: Any
) -> None:
    """TLS may hold them back, so that the socket has nothing to read."""
    tls = anonymous(ssl.PROTOCOL_TLS_CLIENT)
    replace(monkeypatch, Setting.TLS, lambda: tls)

    def two_records(connection: socket.socket, _: bytes) -> bool:
        assert isinstance(connection, ssl.SSLSocket)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        connection.sendall(PAUSED)
        connection.sendall(PAUSED)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
        return KEEP

    server = Speaker([two_records, refuses])
    try:
        base_url = server.base_url.replace("http:", "https:")
        options: dict[str, Any] = {"retry": RetryPolicy(max_attempts=1), "pacing": None}
        async with httpx.AsyncClient(verify=tls) as own:
            rmz = Client(TOKEN, base_url=base_url, http=own if http == "own" else http, **options)
            await rmz.subscriptions.pause(501)
            with pytest.raises(ConflictError):
                await rmz.subscriptions.pause(501)
            await rmz.aclose()
        assert server.opened == 2
    finally:
        server.stop()


@every_owner
async def test_a_clean_connection_is_kept(serving: Any, http: Any) -> None:
    """Nothing follows the answers, so one connection is enough."""
    with serving(keeps()) as server:
        async with owned(server, http) as rmz:
            for _ in range(3):
                await rmz.subscriptions.get(501)
        assert server.opened == 1
