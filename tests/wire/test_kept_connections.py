"""Over a real server: which connections are kept, and what goes over them."""

from __future__ import annotations

import ssl
from typing import Any

import anyio
import pytest

from rmz_async import (
    Client,
    ConfigurationError,
    ConnectionFailedError,
    OutcomeUnknownError,
    RetryPolicy,
)
from rmz_async._http import client as connections_module
from rmz_async._http.client import MAX_CONCURRENT
from tests.seams import Part, inside, pool_of
from tests.wire.conftest import TOKEN, Server, client_of, hangs_up, keeps, stalls

BODY = b'{"data": {"id": 501, "status": "active"}}'


def paths(server: Server) -> list[str]:
    """Return the paths that were asked for, in order."""
    return [request.split(b" ")[1].decode().rpartition("/")[2] for request in server.requests]


@pytest.mark.anyio
async def test_certificates_are_checked(http: Any) -> None:
    """All connections of all clients share one list of authorities, and none trusts a stranger."""
    tls = inside(connections_module, Part.TLS)()
    assert tls.verify_mode is ssl.CERT_REQUIRED
    assert tls.check_hostname
    async with Client(TOKEN, http=http) as rmz:
        pool = pool_of(rmz)
        assert pool is not None
        opened: Any = pool.borrow(dedicated=False)
        parts = [Part.TLS] if http is None else [Part.CONNECTOR, Part.SSL]
        assert inside(opened, *parts) is tls
        await opened.aclose()


@pytest.mark.anyio
async def test_reads_share_a_connection(serving: Any, http: Any) -> None:
    """Calls in a row go over the same connection."""
    with serving(keeps()) as server:
        async with client_of(server, http=http) as rmz:
            for _ in range(3):
                await rmz.subscriptions.get(501)
            await rmz.subscriptions.pause(501)
        assert server.opened == 1
        await server.until_open(0)


@pytest.mark.anyio
async def test_an_extension_has_a_connection_of_its_own(serving: Any, http: Any) -> None:
    """A kept connection may close just then, and leave unknown whether the call arrived."""
    with serving(keeps()) as server:
        async with client_of(server, http=http) as rmz:
            await rmz.subscriptions.get(501)
            for _ in range(3):
                await rmz.subscriptions.extend(501, days=7)
            await server.until_open(1)
            await rmz.subscriptions.get(501)
        assert paths(server) == ["501", "extend", "extend", "extend", "501"]
        assert server.opened == 4
        await server.until_open(0)


@pytest.mark.anyio
async def test_an_extension_survives_a_stale_connection(serving: Any, http: Any) -> None:
    """The server closes a connection that was used before: the extension does not notice."""

    def last(connection: Any, request: bytes) -> None:
        keeps()(connection, request)

    with serving(last, keeps()) as server:
        async with client_of(server, http=http) as rmz:
            await rmz.subscriptions.get(501)
            await server.until_open(0)
            assert (await rmz.subscriptions.extend(501, days=7)).id == 501


@pytest.mark.anyio
async def test_no_cookie_is_kept(serving: Any, http: Any) -> None:
    """A cookie that a proxy would like to have sent along is not."""
    with serving(keeps(BODY, "Set-Cookie: a=b; Path=/")) as server:
        # By name: aiohttp would keep none of an address.
        named = server.base_url.replace("127.0.0.1", "localhost")
        async with Client(TOKEN, base_url=named, http=http) as rmz:
            for _ in range(2):
                await rmz.subscriptions.get(501)
                await rmz.subscriptions.extend(501, days=7)
    assert not [request for request in server.requests if b"ookie" in request]


@pytest.mark.anyio
async def test_both_ways_send_the_same_head(serving: Any, http: Any) -> None:
    """Both ways to send a request send the same one, but for the order of its headers."""
    with serving(keeps()) as server:
        async with client_of(server, http=http) as rmz:
            await rmz.subscriptions.extend(501, days=7)
            await rmz.subscriptions.pause(501)
            await rmz.subscriptions.get(501)
    heads = [
        sorted(request.partition(b"\r\n\r\n")[0].split(b"\r\n")) for request in server.requests
    ]
    names = [{line.partition(b":")[0].lower() for line in head[:]} for head in heads]
    shared = {b"host", b"accept", b"accept-encoding", b"user-agent", b"authorization"}
    for found in names:
        assert shared <= found
        assert b"cookie" not in found
    assert b"content-type" in names[0]
    assert b"content-type" not in names[1] | names[2]
    assert b"content-length" not in names[2]
    assert server.requests[0].endswith(b'{"days":7}')
    (authorization,) = (line for line in heads[0] if line.lower().startswith(b"authorization"))
    assert authorization.endswith(b": Bearer 1|wire-test-token")


@pytest.mark.anyio
async def test_closing_during_calls_leaves_nothing_open(serving: Any, http: Any) -> None:
    """Calls under way are unknown, waiting calls are not sent, and nothing is left open."""
    outcomes: list[type[Exception]] = []

    async def pause(rmz: Client) -> None:
        try:
            await rmz.subscriptions.pause(501)
        except (OutcomeUnknownError, ConfigurationError) as error:
            outcomes.append(type(error))

    with serving(stalls) as server:
        rmz = client_of(server, http=http, retry=RetryPolicy(backoff=0.001))
        async with anyio.create_task_group() as calls:
            for _ in range(MAX_CONCURRENT + 8):
                calls.start_soon(pause, rmz)
            await server.until_asked(MAX_CONCURRENT)
            await rmz.aclose()
        await server.until_open(0)
    assert outcomes.count(OutcomeUnknownError) == MAX_CONCURRENT
    assert outcomes.count(ConfigurationError) == 8
    assert len(server.requests) == MAX_CONCURRENT


@pytest.mark.anyio
async def test_a_server_that_hangs_up_leaves_a_change_unknown(serving: Any, http: Any) -> None:
    """A connection that is closed without an answer leaves a change unknown, and is sent once."""
    with serving(hangs_up) as server:
        async with client_of(server, http=http, retry=RetryPolicy(backoff=0.001)) as rmz:
            with pytest.raises(OutcomeUnknownError):
                await rmz.subscriptions.extend(501, days=7)
            assert len(server.requests) == 1
            with pytest.raises(ConnectionFailedError):
                await rmz.subscriptions.get(501)
            assert len(server.requests) == 4
