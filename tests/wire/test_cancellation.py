"""After any number of cancelled calls the next ones work, and nothing is left open."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from rmz_async import Client, ConnectionFailedError
from rmz_async import _connections as connections_module
from rmz_async._connections import MAX_CANCELLED, MAX_CONCURRENT
from tests.transports import TRANSPORTS
from tests.wire.conftest import Server, client_of, hangs_up, keeps, stalls

pytestmark = pytest.mark.anyio


class Rounds:
    """Holds requests until their callers go away, but for those of a full round."""

    def __init__(self) -> None:
        self._all_there = threading.Barrier(MAX_CONCURRENT)

    def __call__(self, connection: socket.socket, request: bytes) -> object:
        """Answer a request."""
        if b"/subscriptions/777 " not in request:
            return stalls(connection, request)
        self._all_there.wait(10)
        return keeps()(connection, request)


async def full_round(rmz: Client) -> None:
    """Make as many calls at once as there may be: none is answered before all have arrived."""
    with anyio.fail_after(10):
        async with anyio.create_task_group() as calls:
            for _ in range(MAX_CONCURRENT):
                calls.start_soon(rmz.subscriptions.get, 777)


async def cancelled_after(steps: int, call: Callable[[], Any]) -> None:
    """Make a call and give it up after some turns of the event loop."""
    async with anyio.create_task_group() as calls:
        calls.start_soon(call)
        for _ in range(steps):
            await anyio.lowlevel.checkpoint()
        calls.cancel_scope.cancel()


async def test_calls_that_are_given_up(serving: Any, http: Any) -> None:
    """Given up at any moment, they take no place from those that follow."""
    with serving(Rounds()) as server:
        async with client_of(server, http=http) as rmz:
            for steps in range(5 * MAX_CANCELLED):
                await cancelled_after(steps, lambda: rmz.subscriptions.get(501))
            await full_round(rmz)
            await server.until_open(MAX_CONCURRENT)
        await server.until_open(0)


async def test_calls_that_are_given_up_together(serving: Any, http: Any) -> None:
    """A deadline of the caller that ends many calls at once, again and again."""
    with serving(Rounds()) as server:
        async with client_of(server, http=http) as rmz:
            for batch in range(1, 4):
                async with anyio.create_task_group() as calls:
                    for _ in range(MAX_CONCURRENT + 5):
                        calls.start_soon(rmz.subscriptions.get, 501)
                    await server.until_asked(batch * MAX_CONCURRENT)
                    calls.cancel_scope.cancel()
            await server.until_open(0)
            await full_round(rmz)
            await server.until_open(MAX_CONCURRENT)
        await server.until_open(0)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("http", TRANSPORTS)
async def test_tasks_that_are_cancelled(serving: Any, http: Any) -> None:
    """The same where asyncio itself cancels; no task of ours is left behind."""
    before = asyncio.all_tasks()
    with serving(Rounds()) as server:
        async with client_of(server, http=http) as rmz:
            for steps in range(3 * MAX_CANCELLED):
                task = asyncio.ensure_future(rmz.subscriptions.get(501))
                for _ in range(steps):
                    await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert asyncio.all_tasks() == before
            await full_round(rmz)
            await server.until_open(MAX_CONCURRENT)
        await server.until_open(0)
    assert asyncio.all_tasks() == before


def pool_of(rmz: Client) -> Any:
    """The connections that the next call would use."""
    return rmz._transport._connections._pool


async def give_up(server: Server, rmz: Client, times: int) -> None:
    """Give up calls that the server has received."""
    for _ in range(times):
        arrived = len(server.requests)
        async with anyio.create_task_group() as calls:
            calls.start_soon(rmz.subscriptions.get, 501)
            await server.until_asked(arrived + 1)
            calls.cancel_scope.cancel()


async def test_a_worn_pool_is_replaced(serving: Any, http: Any) -> None:
    """After so many calls that were given up, and not before, connections are opened anew."""
    assert MAX_CANCELLED == 16
    with serving(stalls) as server:
        async with client_of(server, http=http) as rmz:
            await give_up(server, rmz, 1)
            first = pool_of(rmz)
            await give_up(server, rmz, MAX_CANCELLED - 2)
            assert pool_of(rmz) is first
            await give_up(server, rmz, 1)
            assert pool_of(rmz) is not first


async def test_a_call_that_fails_wears_nothing(serving: Any, http: Any) -> None:
    """Only calls that were given up count."""
    with serving(hangs_up) as server:
        async with client_of(server, http=http) as rmz:
            for _ in range(MAX_CANCELLED + 1):
                with pytest.raises(ConnectionFailedError):
                    await rmz.subscriptions.get(501)
            assert pool_of(rmz).cancelled == 0


async def test_its_last_user_closes_a_worn_pool(serving: Any, http: Any) -> None:
    """A call that is under way keeps its connection; when it is over, that is closed."""
    release = threading.Event()

    def hold(connection: socket.socket, request: bytes) -> object:
        release.wait(10)
        return keeps()(connection, request)

    with serving(hold, stalls) as server:
        async with client_of(server, http=http) as rmz:
            rmz._transport._connections.open()
            worn = pool_of(rmz)
            async with anyio.create_task_group() as calls:
                calls.start_soon(rmz.subscriptions.get, 501)
                await server.until_asked(1)
                await give_up(server, rmz, MAX_CANCELLED)
                assert pool_of(rmz) is not worn
                assert worn.users == 1
                await server.until_open(1)
                release.set()
            assert worn.users == 0
            await server.until_open(0)


async def test_closing_a_worn_pool_costs_no_answer(
    serving: Any, http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong there, the call that does it has its answer."""
    monkeypatch.setattr(connections_module, "_CLOSING", 0.01)

    async def fails() -> None:
        raise OSError("broken")

    for close in (fails, anyio.sleep_forever):
        with serving(keeps()) as server:
            async with client_of(server, http=http) as rmz:
                await rmz.subscriptions.get(501)
                worn = pool_of(rmz)
                worn.cancelled = MAX_CANCELLED
                monkeypatch.setattr(worn, "aclose", close)
                with anyio.fail_after(10):
                    assert (await rmz.subscriptions.get(501)).id == 501
                assert pool_of(rmz) is not worn
                monkeypatch.undo()
                monkeypatch.setattr(connections_module, "_CLOSING", 0.01)
                await worn.aclose()


async def test_a_closed_client_opens_no_pool(serving: Any, http: Any) -> None:
    """Calls that are given up after the client was closed have nothing opened for them."""
    with serving(stalls) as server:
        rmz = client_of(server, http=http)
        rmz._transport._connections.open()
        pool = pool_of(rmz)
        async with anyio.create_task_group() as calls:
            calls.start_soon(rmz.subscriptions.get, 501)
            await server.until_asked(1)
            pool.cancelled = MAX_CANCELLED
            rmz._transport._connections._closed = True
            calls.cancel_scope.cancel()
        assert pool_of(rmz) is pool
        await server.until_open(0)
