"""A call ends by its deadline, for any server and any number of attempts."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest

from rmz_async import ConnectionFailedError, OutcomeUnknownError, RetryPolicy
from tests.wire.changes import LOST, MakeShop
from tests.wire.conftest import client_of, keeps, stalls, their_client

pytestmark = pytest.mark.anyio


def drip(connection: socket.socket) -> None:
    """Send a byte whenever the client has been silent for a moment, until it goes away."""
    connection.settimeout(0.02)
    while True:
        connection.sendall(b" ")
        try:
            if connection.recv(1) == b"":
                return
        except TimeoutError:
            continue


def drips_headers(connection: socket.socket, _: bytes) -> None:
    """Send a header byte by byte, without end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    drip(connection)


def drips_body(connection: socket.socket, _: bytes) -> None:
    """Send a body byte by byte, without end."""
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n"
    connection.sendall(head.encode())
    drip(connection)


@pytest.mark.parametrize("behaviour", [stalls, drips_headers, drips_body])
async def test_the_deadline_holds(serving: Any, http: Any, behaviour: Callable[..., Any]) -> None:
    """A server that stalls or drips holds no call up, and a change that it got is unknown."""
    with serving(behaviour) as server, anyio.fail_after(60):
        async with client_of(server, http=http, timeout=0.2) as rmz:
            with pytest.raises(ConnectionFailedError):
                await rmz.subscriptions.get(501)
            # Time enough to connect on a busy machine: the server must have got it.
            patient = rmz.with_options(timeout=0.8)
            with pytest.raises(OutcomeUnknownError):
                await patient.subscriptions.extend(501, days=7)
        await server.until_open(0)


@pytest.mark.parametrize("behaviour", [stalls, drips_headers, drips_body])
async def test_a_slow_attempt_is_given_up(
    serving: Any, http: Any, behaviour: Callable[..., Any]
) -> None:
    """While there is time for another."""
    # More attempts than one, as the answer may take long on a busy machine.
    retry = RetryPolicy(attempt_timeout=0.2, backoff=0.001, max_attempts=6)
    with serving(behaviour, keeps()) as server, anyio.fail_after(60):
        async with client_of(server, http=http, retry=retry) as rmz:
            assert (await rmz.subscriptions.get(501)).id == 501


@their_client
async def test_all_attempts_share_a_deadline(make_client: Any, time: Any) -> None:
    """Each attempt has the rest of it, and 30 seconds at most; 10 for a connection."""
    limits: list[dict[str, float]] = []

    def slow(request: httpx.Request) -> httpx.Response:
        limits.append(request.extensions["timeout"])
        time.now += limits[-1]["read"]
        raise httpx.ReadTimeout("slow")

    async with httpx.AsyncClient(transport=httpx.MockTransport(slow)) as http:
        with pytest.raises(ConnectionFailedError, match="after 3 attempts"):
            await make_client(http=http, timeout=65).subscriptions.get(501)
    assert limits == [
        {"connect": 10.0, "read": 30.0, "write": 30.0, "pool": 30.0},
        {"connect": 10.0, "read": 30.0, "write": 30.0, "pool": 30.0},
        {"connect": 3.5, "read": 3.5, "write": 3.5, "pool": 3.5},
    ]


# The rest of the deadline bounds the second attempt in real time too, so it is seconds.
@pytest.mark.parametrize(("took", "times"), [(50.0, 2), (59.5, 1)])
async def test_a_retry_needs_time(
    make_shop: MakeShop, make_client: Any, time: Any, took: float, times: int
) -> None:
    """An attempt that would begin at the deadline is not begun, and no call waits for it."""

    def slow(_: httpx.Request) -> httpx.Response:
        time.now += took
        raise LOST

    shop = make_shop("read")
    shop.sent.side_effect = slow
    async with make_client() as rmz:
        with pytest.raises(ConnectionFailedError):
            await rmz.subscriptions.get(501)
    assert shop.sent.call_count == times
    assert len(time.slept) == times - 1


async def test_a_hanging_token_source_is_bound_by_the_deadline(make_client: Any) -> None:
    """A token source that hangs holds no call up, and nothing was sent."""

    async def hang() -> str:
        await anyio.sleep_forever()
        return "never"

    with anyio.fail_after(60):
        async with make_client(hang, timeout=0.05, retry=RetryPolicy(max_attempts=1)) as rmz:
            with pytest.raises(ConnectionFailedError, match="gave no token in time"):
                await rmz.subscriptions.extend(501, days=7)


@their_client
@pytest.mark.parametrize(("limit", "seconds"), [(0.5, 1.6), (10.0, 30.1), (30.0, 50.1)])
async def test_an_attempt_has_time_to_connect_besides(
    make_client: Any, monkeypatch: pytest.MonkeyPatch, limit: float, seconds: float
) -> None:
    """An address that is not found, and a handshake that stalls, say that nothing was sent."""
    now, left = anyio.current_time(), list[float]()
    monkeypatch.setattr(anyio, "current_time", lambda: now)

    def attempted(_: httpx.Request) -> httpx.Response:
        left.append(anyio.current_effective_deadline() - now)
        raise httpx.ReadTimeout("slow")

    retry = RetryPolicy(max_attempts=1, attempt_timeout=limit)
    async with httpx.AsyncClient(transport=httpx.MockTransport(attempted)) as http:
        with pytest.raises(ConnectionFailedError):
            await make_client(http=http, retry=retry, timeout=600).subscriptions.get(501)
    assert left == [pytest.approx(seconds)]
