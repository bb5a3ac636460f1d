"""The same promises over aiohttp, which has habits of its own."""

from __future__ import annotations

import gzip
import ssl
import sys
import threading
from typing import Any

import aiohttp
import anyio
import httpx
import httpx_aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from rmz_async import (
    Client,
    ConfigurationError,
    ConnectionFailedError,
    OutcomeUnknownError,
    RetryPolicy,
    UnexpectedAnswerError,
)
from rmz_async._aiohttp import ConnectionLostError, _sent_once
from tests.wire.conftest import (
    TOKEN,
    Behaviour,
    client_of,
    every_transport,
    hangs_up,
    keeps,
    resets,
    stalls,
)

on_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"])
QUICK = RetryPolicy(backoff=0.001)
GOOD = b'{"data": {"id": 501, "status": "active"}}'
CONNECTION: Any = ConnectionKey("h", 443, True, True, None, None, None)


def raw(head: str, body: bytes, length: int | None = None) -> Behaviour:
    """Answer with just these bytes, and close."""

    def behave(connection: Any, _: bytes) -> None:
        size = len(body) if length is None else length
        connection.sendall(f"HTTP/1.1 {head}\r\nContent-Length: {size}\r\n\r\n".encode() + body)

    return behave


JSON = "200 OK\r\nContent-Type: application/json"
GZIP = f"{JSON}\r\nContent-Encoding: gzip"
BROKEN: dict[str, Behaviour] = {
    "a reset": resets,
    "nothing": hangs_up,
    "not HTTP": lambda connection, _: connection.sendall(b"SSH-2.0-OpenSSH_9\r\n"),
    "an endless header": lambda connection, _: connection.sendall(
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000
    ),
    "half a body": raw(JSON, GOOD, 999),
    "half a JSON": raw(JSON, GOOD[:-5]),
    "half a gzip": raw(GZIP, gzip.compress(GOOD)[:-9]),
    "a bomb": raw(GZIP, gzip.compress(bytes(32 * 1024 * 1024))),
    "a bomb in a bomb": raw(GZIP, gzip.compress(gzip.compress(bytes(32 * 1024 * 1024)))),
    "ten megabytes": raw(JSON, b" " * (10 * 1024 * 1024)),
    "a redirect": raw("307 Temporary\r\nLocation: https://evil.example/", b""),
    "a redirect home": raw("307 Temporary\r\nLocation: /shawarma/other", b""),
    "a login page": raw("200 OK\r\nContent-Type: text/html", b"<form>"),
}


@every_transport
@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.anyio
async def test_what_servers_must_not_do(serving: Any, http: Any, name: str) -> None:
    """It ends a read in an error of ours, and leaves a change unknown: sent once and no more."""
    with serving(BROKEN[name]) as server, anyio.fail_after(20):
        async with client_of(server, http=http) as rmz:
            with pytest.raises((UnexpectedAnswerError, ConnectionFailedError)) as caught:
                await rmz.subscriptions.get(501)
            assert len(server.requests) == 1
            with pytest.raises(OutcomeUnknownError):
                await rmz.subscriptions.extend(501, days=7)
        assert len(server.requests) == 2
        await server.until_open(0)
    assert caught.value.__context__ is None


@every_transport
@pytest.mark.anyio
async def test_an_endless_body(serving: Any, http: Any) -> None:
    """It is read no further than any answer of RMZ is long, however fast it comes."""

    def endless(connection: Any, _: bytes) -> None:
        connection.sendall(f"HTTP/1.1 {JSON}\r\nContent-Length: {2**40}\r\n\r\n".encode())
        while True:
            connection.sendall(b" " * 65536)

    with serving(endless) as server, anyio.fail_after(20):
        async with client_of(server, http=http) as rmz:
            with pytest.raises(ConnectionFailedError, match="more than 4194304 bytes"):
                await rmz.subscriptions.get(501)
        await server.until_open(0)


@every_transport
@pytest.mark.anyio
async def test_gzip_is_read(serving: Any, http: Any) -> None:
    """One whole layer of it is what was asked for."""
    with serving(raw(GZIP, gzip.compress(GOOD))) as server:
        async with client_of(server, http=http) as rmz:
            assert (await rmz.subscriptions.get(501)).id == 501


@every_transport
@pytest.mark.anyio
async def test_nobody_listens(serving: Any, http: Any) -> None:
    """What was not sent is tried again, and then told as such."""
    with serving(stalls) as server:
        pass
    async with client_of(server, http=http, retry=QUICK) as rmz:
        with pytest.raises(ConnectionFailedError, match="after 3 tries") as caught:
            await rmz.subscriptions.extend(501, days=7)
    assert not isinstance(caught.value, OutcomeUnknownError)


@every_transport
@pytest.mark.anyio
async def test_each_try_is_one_request(serving: Any, http: Any) -> None:
    """A connection that was kept alive and closes at the next request: nothing is sent again."""
    with serving(keeps(), hangs_up, keeps(), hangs_up, keeps()) as server:
        async with client_of(server, http=http) as rmz:
            await rmz.subscriptions.get(501)
            with pytest.raises(ConnectionFailedError):
                await rmz.subscriptions.get(501)
            assert len(server.requests) == 2
            await rmz.subscriptions.get(501)
            with pytest.raises(OutcomeUnknownError):
                await rmz.orders.update(78901, status=3)
    methods = [request.partition(b" ")[0] for request in server.requests]
    # The last one reads the order back.
    assert methods == [b"GET", b"GET", b"GET", b"PUT", b"GET"]


@on_asyncio
@pytest.mark.anyio
async def test_each_try_is_one_request_with_connections_to_spare(serving: Any) -> None:
    """The same where there is another kept connection, over which aiohttp would send it again."""
    both = threading.Barrier(2)

    def together(connection: Any, request: bytes) -> object:
        both.wait(10)
        return keeps()(connection, request)

    with serving(together, together, hangs_up, keeps()) as server:
        async with client_of(server, http="aiohttp") as rmz:
            async with anyio.create_task_group() as calls:
                for _ in range(2):
                    calls.start_soon(rmz.subscriptions.get, 501)
            with pytest.raises(ConnectionFailedError, match="ServerDisconnectedError"):
                await rmz.subscriptions.get(501)
            assert len(server.requests) == 3
            # The other one is still good.
            await rmz.subscriptions.get(501)
        assert server.opened == 2
        await server.until_open(0)


@on_asyncio
@pytest.mark.anyio
async def test_the_hooks_against_a_second_sending(serving: Any) -> None:
    """Should aiohttp's own switch be gone, a request is stopped before it is sent again."""
    with serving(keeps(), hangs_up, keeps()) as server:
        async with client_of(server, http="aiohttp") as rmz:
            await rmz.subscriptions.get(501)
            pool: Any = rmz._transport._connections._pool
            vars(pool.kept.client)["_retry_connection"] = True
            with pytest.raises(ConnectionFailedError, match="ConnectionLostError"):
                await rmz.subscriptions.get(501)
            assert len(server.requests) == 2


@on_asyncio
@pytest.mark.parametrize("first", ["on_connection_create_start", "on_connection_reuseconn"])
@pytest.mark.parametrize("second", ["on_connection_create_start", "on_connection_reuseconn"])
@pytest.mark.anyio
async def test_each_hook(first: str, second: str) -> None:
    """A request may be about to be sent once, whether over a new or a kept connection."""
    config = _sent_once()
    config.freeze()
    for _ in range(2):
        seen = config.trace_config_ctx()
        await getattr(config, first).send(None, seen, None)
        with pytest.raises(ConnectionLostError):
            await getattr(config, second).send(None, seen, None)


@pytest.mark.parametrize("anyio_backend", ["trio"])
@pytest.mark.anyio
async def test_not_on_trio() -> None:
    """It says so, each time, and before anything is sent."""
    async with Client(TOKEN, http="aiohttp") as rmz:
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="works on asyncio only") as caught:
                await rmz.subscriptions.get(501)
            assert caught.value.__suppress_context__


def test_without_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has not installed it is told what to install."""
    monkeypatch.delitem(sys.modules, "rmz_async._aiohttp", raising=False)
    monkeypatch.setitem(sys.modules, "httpx_aiohttp", None)
    with pytest.raises(ConfigurationError, match=r'pip install "rmz\[aiohttp\]"'):
        Client(TOKEN, http="aiohttp")
    assert Client(TOKEN) is not None


@pytest.mark.parametrize("http", ["requests", "", 1, True, httpx.Client, httpx.AsyncClient])
def test_no_other_way(http: Any) -> None:
    """Anything else is refused when the client is made."""
    with pytest.raises(ConfigurationError, match=r"must be an httpx\.AsyncClient"):
        Client(TOKEN, http=http)


@on_asyncio
@pytest.mark.anyio
async def test_the_callers_own_client_over_it(serving: Any) -> None:
    """What aiohttp says is understood there too: a lost connection is not a refused one."""
    async with httpx.AsyncClient(transport=httpx_aiohttp.AiohttpTransport()) as http:
        with serving(hangs_up, resets) as server:
            rmz = client_of(server, http=http, retry=QUICK)
            for times in (1, 2):
                with pytest.raises(OutcomeUnknownError):
                    await rmz.subscriptions.extend(501, days=7)
                assert len(server.requests) == times
        rmz = client_of(server, http=http, retry=QUICK)
        with pytest.raises(ConnectionFailedError, match="after 3 tries"):
            await rmz.subscriptions.extend(501, days=7)


SAID: dict[str, tuple[Exception, type[Exception], int]] = {
    "refused": (
        aiohttp.ClientConnectorError(CONNECTION, OSError("refused")),
        httpx.ConnectError,
        3,
    ),
    "no name": (
        aiohttp.ClientConnectorDNSError(CONNECTION, OSError("no name")),
        httpx.ConnectError,
        3,
    ),
    "no connection in time": (aiohttp.ConnectionTimeoutError(), httpx.ConnectTimeout, 3),
    "an address": (aiohttp.InvalidUrlClientError("x"), httpx.UnsupportedProtocol, 3),
    "a scheme": (aiohttp.NonHttpUrlClientError("x"), httpx.UnsupportedProtocol, 3),
    "lost": (aiohttp.ServerDisconnectedError(), httpx.ConnectTimeout, 1),
    "reset": (aiohttp.ClientOSError(104, "reset"), httpx.ConnectTimeout, 1),
    "something new": (aiohttp.ClientError(), httpx.ConnectError, 1),
    "no answer in time": (aiohttp.SocketTimeoutError(), httpx.ReadTimeout, 1),
}


@on_asyncio
@pytest.mark.parametrize("name", SAID)
@pytest.mark.anyio
async def test_what_aiohttp_says(make_client: Any, name: str) -> None:
    """By its own word it is told what was surely not sent: that is sent again, and no more."""
    said, mapped, times = SAID[name]
    sent = 0

    def fail(_: httpx.Request) -> httpx.Response:
        nonlocal sent
        sent += 1
        raise mapped("as httpx says it") from said

    async with httpx.AsyncClient(transport=httpx.MockTransport(fail)) as http:
        rmz = make_client(http=http)
        with pytest.raises(ConnectionFailedError if times == 3 else OutcomeUnknownError) as caught:
            await rmz.subscriptions.extend(501, days=7)
    assert sent == times
    if mapped is not httpx.ConnectError:
        assert f"({type(said).__name__})" in str(caught.value)


@on_asyncio
@pytest.mark.anyio
async def test_an_untrusted_certificate(make_client: Any, time: Any) -> None:
    """It is not tried again over aiohttp either."""
    said = aiohttp.ClientConnectorCertificateError(CONNECTION, ssl.SSLCertVerificationError("no"))

    def fail(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no") from said

    async with httpx.AsyncClient(transport=httpx.MockTransport(fail)) as http:
        with pytest.raises(ConnectionFailedError, match="after 1 try"):
            await make_client(http=http).subscriptions.get(501)
    assert time.slept == []
