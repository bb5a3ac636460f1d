"""A process in which many ask for one user at the same time; the child of `lease_proof`.

Each line of the input is a round, in which a new paywall is asked. The program prints a line of
JSON when all ask, when a request goes to RMZ, and when all have their answer.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import httpx

# Last, so that an installed package is what is tested.
sys.path.append(str(Path(__file__).parents[2]))

from rmz_async import Client, Paywall
from rmz_async.paywall import Lifetimes
from rmz_async.redis import RedisAccessCache
from tests.seams import set_lease


def say(what: str, value: float) -> None:
    """Print a line for the parent."""
    print(json.dumps([what, value]), flush=True)


async def sent(request: httpx.Request) -> None:
    """Report the moment of a request; the clock is the machine's."""
    say("sent", time.monotonic())


async def play(given: dict[str, Any]) -> None:
    """Play a round for each line of the input."""
    cache = RedisAccessCache(given["redis"], shop="a-shop", timeout=5)
    # A client of all, so that the time is RMZ's and not that of the start of a client.
    async with (
        httpx.AsyncClient(event_hooks={"request": [sent]}) as http,
        Client(given["token"], base_url=given["url"], http=http) as rmz,
    ):
        say("ready", 0)
        while await anyio.to_thread.run_sync(sys.stdin.readline):
            lifetimes = Lifetimes(patience=given["patience"])
            say("granted", await ask(Paywall(rmz, shared=cache, lifetimes=lifetimes), given))


async def ask(paywall: Paywall, given: dict[str, Any]) -> int:
    """Let all ask, and return how many may in."""
    granted = 0

    async def asker() -> None:
        nonlocal granted
        access = await paywall.check(given["user"])
        granted += access.granted

    async with anyio.create_task_group() as tasks:
        for _ in range(given["askers"]):
            tasks.start_soon(asker)
        say("asking", 0)
    return granted


if __name__ == "__main__":
    arguments: dict[str, Any] = json.loads(sys.argv[1])
    if "lease" in arguments:
        set_lease(arguments["lease"])
    anyio.run(play, arguments, backend=arguments["loop"])
