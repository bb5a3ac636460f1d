"""How many requests a library makes when a thousand tasks ask about one user at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

import rmz_async
from tests.bench.rivals import ours, schematic
from tests.bench.rivals.contender import FLAG, PAYER

ASKERS = 1000
# As long as a vendor takes to answer, roughly; all askers are there by then.
LATENCY = 0.1


async def requests_of_ours() -> int:
    """Return how many lookups the paywall makes."""
    counted, http = _counting(ours.answer)
    async with http, rmz_async.Client(ours.TOKEN, http=http) as client:
        paywall = rmz_async.Paywall(client, product_ids=[102])
        answers = await _all_at_once(lambda: paywall.check(PAYER))
    assert all(access.granted for access in answers)
    return len(counted)


async def requests_of_schematic() -> int:
    """Return how many checks Schematic's client sends."""
    counted, http = _counting(schematic.answer)
    async with http:
        client = schematic.async_client(http)
        await client.initialize()
        answers = await _all_at_once(lambda: client.check_flag(FLAG, None, {"id": PAYER}))
        await client.shutdown()
    assert all(answers)
    return len(counted)


async def _all_at_once(ask: Callable[[], Awaitable[Any]]) -> list[Any]:
    return await asyncio.gather(*(ask() for _ in range(ASKERS)))


def _counting(
    answer: Callable[[httpx.Request], httpx.Response],
) -> tuple[list[str], httpx.AsyncClient]:
    counted: list[str] = []

    async def slowly(request: httpx.Request) -> httpx.Response:
        counted.append(request.url.path)
        # Long enough for all askers to have asked before the first answer comes.
        await asyncio.sleep(LATENCY)
        return answer(request)

    return counted, httpx.AsyncClient(transport=httpx.MockTransport(slowly))
