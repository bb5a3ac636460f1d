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

from rmz_async import Client
from rmz_async._http.client import MAX_CONCURRENT
from tests.transports import TRANSPORTS
from tests.wire.conftest import client_of, keeps, stalls

pytestmark = pytest.mark.anyio


class Rounds:
    """Holds requests until their callers go away, but for those of a full round."""

    def __init__(self) -> None:
        self._all_there = threading.Barrier(MAX_CONCURRENT)

    def __call__(self, connection: socket.socket, request: bytes) -> object:
        """Answer a request."""
        if b"/subscriptions/501 " not in request:
            return stalls(connection, request)
        self._all_there.wait(60)
        return keeps()(connection, request)


async def full_round(rmz: Client) -> None:
    """Make as many calls together as there may be: none is answered before all have arrived."""
    with anyio.fail_after(60):
        async with anyio.create_task_group() as calls:
            for _ in range(MAX_CONCURRENT):
                calls.start_soon(rmz.subscriptions.get, 501)


async def cancelled_after(steps: int, call: Callable[[], Any]) -> None:
    """Make a call and give it up after some steps of the event loop."""
    async with anyio.create_task_group() as calls:
        calls.start_soon(call)
        for _ in range(steps):
            await anyio.lowlevel.checkpoint()
        calls.cancel_scope.cancel()


async def test_cancelled_calls_take_no_place_from_others(serving: Any, http: Any) -> None:
    """Given up at any moment, they take no place from those that follow."""
    with serving(Rounds()) as server:
        async with client_of(server, http=http) as rmz:
            for steps in range(80):
                await cancelled_after(steps, lambda: rmz.subscriptions.get(777))
            await full_round(rmz)
            await server.until_open(MAX_CONCURRENT)
        await server.until_open(0)


async def test_calls_that_are_given_up_together_lose_no_connection(serving: Any, http: Any) -> None:
    """A deadline of the caller that ends many calls together, again and again."""
    with serving(Rounds()) as server:
        async with client_of(server, http=http) as rmz:
            for batch in range(1, 4):
                async with anyio.create_task_group() as calls:
                    for _ in range(MAX_CONCURRENT + 5):
                        calls.start_soon(rmz.subscriptions.get, 777)
                    await server.until_asked(batch * MAX_CONCURRENT)
                    calls.cancel_scope.cancel()
            await server.until_open(0)
            await full_round(rmz)
            await server.until_open(MAX_CONCURRENT)
        await server.until_open(0)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("http", TRANSPORTS)
async def test_tasks_that_asyncio_cancels_leave_no_task_behind(serving: Any, http: Any) -> None:
    """The same if asyncio itself cancels; no task of ours is left behind."""
    before = asyncio.all_tasks()
    with serving(Rounds()) as server:
        async with client_of(server, http=http) as rmz:
            for steps in range(48):
                task = asyncio.ensure_future(rmz.subscriptions.get(777))
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


async def test_a_call_that_is_given_up_closes_its_connection_only(serving: Any, http: Any) -> None:
    """The others are used again."""
    with serving(keeps(), stalls, keeps()) as server:
        async with client_of(server, http=http) as rmz:
            await rmz.subscriptions.get(501)
            async with anyio.create_task_group() as calls:
                calls.start_soon(rmz.subscriptions.get, 501)
                await server.until_asked(2)
                await rmz.subscriptions.get(501)
                calls.cancel_scope.cancel()
            await server.until_open(1)
            await rmz.subscriptions.get(501)
            assert server.opened == 2
        await server.until_open(0)
