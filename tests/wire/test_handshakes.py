"""What is left of a connection that never came to be: a server that answers no TLS handshake."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from rmz_async import Client, ConnectionFailedError, RetryPolicy
from rmz_async._connections import _OverHTTPX
from tests.wire.conftest import TOKEN, Server, over_httpx, stalls

pytestmark = pytest.mark.anyio


def secured(server: Server, http: Any) -> Client:
    """A client that speaks TLS to the server, which does not."""
    base_url = server.base_url.replace("http:", "https:")
    return Client(
        TOKEN, base_url=base_url, http=http, retry=RetryPolicy(max_attempts=1), pacing=None
    )


async def test_a_call_that_is_given_up(serving: Any, http: Any) -> None:
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


async def test_a_call_that_runs_into_its_deadline(serving: Any, http: Any) -> None:
    """It was surely not sent, and its connection is closed."""
    with serving(stalls) as server:
        async with secured(server, http) as rmz:
            with pytest.raises(ConnectionFailedError):
                await rmz.with_options(timeout=0.2).subscriptions.extend(501, days=7)
            await server.until_open(0)


# aiohttp leaves what is being opened to the connect time-out of the call.
@over_httpx
async def test_a_client_that_is_closed(serving: Any, http: Any) -> None:
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


class Stream:
    """A connection that has just been opened."""

    closed = False

    async def aclose(self) -> None:
        """Close it."""
        self.closed = True


@over_httpx
async def test_a_client_that_is_closed_while_it_connects() -> None:
    """What comes to be after that is closed at once."""
    connection, stream = _OverHTTPX(), Stream()
    await connection.aclose()
    await connection._note("connection.connect_tcp.complete", {"return_value": stream})
    assert stream.closed
