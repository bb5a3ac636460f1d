"""The same promises over aiohttp, which has habits of its own."""

from __future__ import annotations

import ssl
import subprocess
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
)
from rmz_async._http.over_aiohttp import ConnectionLostError, _sent_once
from tests.seams import Part, inside, pool_of
from tests.wire.conftest import (
    TOKEN,
    client_of,
    hangs_up,
    keeps,
    resets,
)

on_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"])
QUICK = RetryPolicy(backoff=0.001)
CONNECTION: Any = ConnectionKey("h", 443, True, True, None, None, None)


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
async def test_each_attempt_is_one_request_with_connections_to_spare(serving: Any) -> None:
    """The same if another connection is kept, over which aiohttp would send it again."""
    both = threading.Barrier(2)

    def together(connection: Any, request: bytes) -> object:
        both.wait(60)
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
async def test_the_hooks_stop_a_second_sending(serving: Any) -> None:
    """Should aiohttp's own switch be gone, a request is stopped before it is sent again."""
    with serving(keeps(), hangs_up, keeps()) as server:
        async with client_of(server, http="aiohttp") as rmz:
            await rmz.subscriptions.get(501)
            pool: Any = pool_of(rmz)
            vars(inside(inside(pool, Part.IDLE)[0][1], Part.SESSION))["_retry_connection"] = True
            with pytest.raises(ConnectionFailedError, match="ConnectionLostError"):
                await rmz.subscriptions.get(501)
            assert len(server.requests) == 2


@on_asyncio
@pytest.mark.parametrize("first", ["on_connection_create_start", "on_connection_reuseconn"])
@pytest.mark.parametrize("second", ["on_connection_create_start", "on_connection_reuseconn"])
@pytest.mark.anyio
async def test_each_hook_allows_one_sending(first: str, second: str) -> None:
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
async def test_trio_is_refused_before_anything_is_sent() -> None:
    """The error comes each time, and before anything is sent."""
    async with Client(TOKEN, http="aiohttp") as rmz:
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="works on asyncio only") as caught:
                await rmz.subscriptions.get(501)
            assert caught.value.__suppress_context__


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.delitem(sys.modules, "rmz_async._http.over_aiohttp", raising=False)
    monkeypatch.setitem(sys.modules, "httpx_aiohttp.transport", None)
    with pytest.raises(ConfigurationError, match=r'pip install "rmz\[aiohttp\]"'):
        Client(TOKEN, http="aiohttp")
    assert Client(TOKEN) is not None


@pytest.mark.parametrize("http", ["requests", "", 1, True, httpx.Client, httpx.AsyncClient])
def test_any_other_http_value_is_refused(http: Any) -> None:
    """Anything else is refused when the client is made."""
    with pytest.raises(ConfigurationError, match=r"must be an httpx\.AsyncClient"):
        Client(TOKEN, http=http)


@on_asyncio
@pytest.mark.anyio
async def test_aiohttps_errors_are_read_in_the_callers_client(serving: Any) -> None:
    """A lost connection is not a refused one there either."""
    async with httpx.AsyncClient(transport=httpx_aiohttp.AiohttpTransport()) as http:
        with serving(hangs_up, resets) as server:
            rmz = client_of(server, http=http, retry=QUICK)
            for times in (1, 2):
                with pytest.raises(OutcomeUnknownError):
                    await rmz.subscriptions.extend(501, days=7)
                assert len(server.requests) == times
        rmz = client_of(server, http=http, retry=QUICK)
        with pytest.raises(ConnectionFailedError, match="after 3 attempts"):
            await rmz.subscriptions.extend(501, days=7)


# With what httpx-aiohttp makes of each, and how often it is sent then.
SAID: dict[str, tuple[Exception, type[Exception], int]] = {
    "refused": (
        aiohttp.ClientConnectorError(CONNECTION, OSError(111, "refused")),
        httpx.ConnectTimeout,
        3,
    ),
    "no name": (
        aiohttp.ClientConnectorDNSError(CONNECTION, OSError(-2, "no name")),
        httpx.ConnectTimeout,
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
async def test_only_an_unsent_request_is_retried_by_aiohttps_error(
    make_client: Any, name: str
) -> None:
    """An error of aiohttp's that means "surely not sent" is retried, and no other."""
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
    shown = str(said) if name in {"refused", "no name"} else type(said).__name__
    assert f"({shown})" in str(caught.value)


@on_asyncio
@pytest.mark.anyio
async def test_each_attempt_has_the_rest_of_the_deadline(
    make_client: Any, time: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt has the rest of the deadline, and 30 seconds at most; 10 for a connection."""
    limits: list[tuple[float, float, float]] = []

    async def slow(*_: Any, **options: Any) -> None:
        limit = options["timeout"]
        limits.append((limit.connect, limit.sock_connect, limit.sock_read))
        time.now += limit.sock_read
        raise aiohttp.SocketTimeoutError

    monkeypatch.setattr(aiohttp.ClientSession, "_request", slow)
    async with make_client(http="aiohttp", timeout=65) as rmz:
        with pytest.raises(ConnectionFailedError, match="after 3 attempts"):
            await rmz.subscriptions.get(501)
    assert limits == [(30.0, 10.0, 30.0), (30.0, 10.0, 30.0), (3.5, 3.5, 3.5)]


@on_asyncio
@pytest.mark.anyio
async def test_an_untrusted_certificate_is_not_retried(make_client: Any, time: Any) -> None:
    """A certificate error has a single attempt over aiohttp too."""
    said = aiohttp.ClientConnectorCertificateError(CONNECTION, ssl.SSLCertVerificationError("no"))

    def fail(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("no") from said

    async with httpx.AsyncClient(transport=httpx.MockTransport(fail)) as http:
        with pytest.raises(ConnectionFailedError, match="after 1 attempt"):
            await make_client(http=http).subscriptions.get(501)
    assert time.slept == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    "headers",
    [["X-Long: " + "x" * 8_200], ["X-Long: " + "x" * 60_000], [f"X-{n}: {n}" for n in range(1000)]],
    ids=["a long one", "a very long one", "many"],
)
async def test_headers_are_taken_up_to_one_limit(
    serving: Any, http: Any, headers: list[str]
) -> None:
    """An applied extension is not unknown over one of the two ways only."""
    body = b'{"data": {"id": 501, "status": "active"}}'
    with serving(keeps(body, *headers)) as server:
        async with client_of(server, http=http) as rmz:
            assert (await rmz.subscriptions.extend(501, days=7)).id == 501
        assert len(server.requests) == 1


LEFT_OPEN = """
import asyncio, gc, sys
import rmz_async

async def read():
    await rmz.subscriptions.get(501)

rmz = rmz_async.Client("1|t", base_url=sys.argv[1], http="aiohttp", pacing=None)
for _ in range(3):
    asyncio.run(read())
    gc.collect()
"""


def test_a_loop_that_ends_before_its_client_is_closed_prints_nothing(serving: Any) -> None:
    """Neither when the next loop begins, nor at the end of the program."""
    with serving(keeps()) as server:
        command = [sys.executable, "-c", LEFT_OPEN, server.base_url]
        done = subprocess.run(command, capture_output=True, timeout=240)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert server.opened == 3


@on_asyncio
@pytest.mark.anyio
async def test_a_client_that_is_forgotten_while_its_loop_runs_is_told_of(
    serving: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """By aiohttp, as its connection stays open until then."""
    with serving(keeps()) as server:
        rmz = client_of(server, http="aiohttp")
        await rmz.subscriptions.get(501)
        pool: Any = pool_of(rmz)
        connector: Any = inside(inside(pool, Part.IDLE)[0][1], Part.CONNECTOR)
        with pytest.warns(ResourceWarning, match="Unclosed connector"):
            connector.__del__()
        await rmz.aclose()
    assert "Unclosed connector" in caplog.text


@on_asyncio
@pytest.mark.anyio
async def test_a_connection_that_opens_as_its_client_closes_is_closed(
    serving: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else would close it, and nothing was sent."""
    connect: Any = aiohttp.TCPConnector.connect

    async def connect_and_close(self: Any, *args: Any, **options: Any) -> Any:
        connection = await connect(self, *args, **options)
        self.abort()
        return connection

    monkeypatch.setattr(aiohttp.TCPConnector, "connect", connect_and_close)
    with serving(keeps()) as server:
        async with client_of(server, http="aiohttp") as rmz:
            with pytest.raises(ConnectionFailedError, match="the client was closed"):
                await rmz.subscriptions.extend(501, days=7)
            await server.until_open(0)
        assert not server.requests
