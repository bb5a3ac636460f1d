"""A client that several event loops use, one after the other or together, or a forked process."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import anyio
import httpx
import pytest
import respx

from rmz_async import Client, _per_loop
from tests.seams import Part, inside, pool_of
from tests.transports import TRANSPORTS
from tests.wire.conftest import TOKEN, client_of, keeps


def answer(_: httpx.Request) -> httpx.Response:
    """A subscription."""
    return httpx.Response(200, json={"data": {"id": 501, "status": "active"}})


def pools_that_are_not_closed() -> list[Any]:
    """The connections that are not closed."""
    return [getattr(one, "pool", None) for one in inside(_per_loop, Part.ABANDONED)]


@contextmanager
def an_open_loop() -> Generator[asyncio.AbstractEventLoop]:
    """An event loop that stays open while others run, as in another thread."""
    loop = asyncio.new_event_loop()
    try:
        yield loop
    finally:
        loop.close()


@pytest.mark.parametrize("http", TRANSPORTS)
def test_a_client_outlives_its_event_loop(rmz_api: respx.MockRouter, http: Any) -> None:
    """A client that outlives its event loop opens new connections on the next one."""
    rmz_api.get("/subscriptions/501").mock(side_effect=answer)
    rmz = Client(TOKEN, http=http)

    async def read() -> object:
        await rmz.subscriptions.get(501)
        return pool_of(rmz)

    async def read_and_close() -> object:
        try:
            return await read()
        finally:
            await rmz.aclose()

    with an_open_loop() as loop:
        first: Any = loop.run_until_complete(read())
        second = anyio.run(read_and_close, backend="asyncio" if http == "aiohttp" else "trio")
        assert first is not second
        assert not inside(first, Part.CLOSED)
        loop.run_until_complete(rmz.aclose())


@pytest.mark.parametrize("http", TRANSPORTS)
def test_a_client_of_another_loop_is_closed_without_touching_it(
    rmz_api: respx.MockRouter, http: Any
) -> None:
    """Closing a client on a loop that did not open its connections does not touch them."""
    rmz_api.get("/subscriptions/501").mock(side_effect=answer)
    rmz = Client(TOKEN, http=http)

    async def read() -> object:
        await rmz.subscriptions.get(501)
        return pool_of(rmz)

    with an_open_loop() as loop:
        opened: Any = loop.run_until_complete(read())
        anyio.run(rmz.aclose, backend="trio")
        assert not inside(opened, Part.CLOSED)
        loop.run_until_complete(rmz.aclose())
        assert inside(opened, Part.CLOSED)


@pytest.mark.parametrize("http", TRANSPORTS)
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_the_connections_of_a_closed_loop_are_closed(serving: Any, http: Any) -> None:
    """The connections are garbage, and closed as such."""
    with serving(keeps()) as server:
        for _ in range(3):
            rmz = client_of(server, http=http)

            async def read(rmz: Client = rmz) -> None:
                await rmz.subscriptions.get(501)

            asyncio.run(read())
            asyncio.run(rmz.aclose())
            gc.collect()
        assert server.opened == 3
        asyncio.run(server.until_open(0))


@pytest.mark.parametrize("http", TRANSPORTS)
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_client_keeps_two_event_loops_apart(serving: Any, http: Any) -> None:
    """In two threads, each goes on over its own connection, and each closes its own."""
    together = threading.Barrier(2, timeout=60)

    async def read() -> None:
        for _ in range(20):
            together.wait()
            await rmz.subscriptions.get(501)
        together.wait()

    with serving(keeps()) as server, ThreadPoolExecutor(2) as threads:
        rmz = client_of(server, http=http)
        for done in [threads.submit(asyncio.run, read()) for _ in range(2)]:
            done.result(20)
        assert server.opened == 2
        asyncio.run(rmz.aclose())
        gc.collect()
        asyncio.run(server.until_open(0))


@pytest.mark.parametrize("http", TRANSPORTS)
def test_a_forked_client_opens_its_own(
    rmz_api: respx.MockRouter, http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process does not touch the connections of this one."""
    rmz_api.get("/subscriptions/501").mock(side_effect=answer)
    rmz = Client(TOKEN, http=http)

    async def both() -> None:
        await rmz.subscriptions.get(501)
        first = pool_of(rmz)
        monkeypatch.setattr(os, "getpid", lambda: -1)
        await rmz.subscriptions.get(501)
        assert pool_of(rmz) is not first
        assert first in pools_that_are_not_closed()
        await rmz.aclose()

    asyncio.run(both())
