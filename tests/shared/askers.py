"""A process whose threads look users up, all with the same quota; the child of `quota_proof`.

Three threads ask: one on asyncio, one on trio, and one with `rmz_sync`. The program prints how
many slots came and what its store logged.
"""

from __future__ import annotations

import json
import logging
import random
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx

# Last, so that an installed package is what is tested.
sys.path.append(str(Path(__file__).parents[2]))

from rmz_async import Pacing, RateLimitError
from rmz_async.redis import RedisQuotaStore
from tests.seams import Clock, async_client, sync_client
from tests.shared.simulated_time import BEGIN, Sleeper, Time

LOOPS = ("asyncio", "trio", "sync")

# Seconds between two questions of a thread, on average; some processes ask much more than others.
SHORTEST, LONGEST = 1.0, 9.0

# Seconds by which the ways to RMZ differ; less than the second that the client allows for.
DELAY = 0.9

# Longer than any wait for a slot: no thread gives up.
PATIENCE = 600.0

START = datetime(2026, 1, 1, tzinfo=UTC)


class Delayed(httpx.AsyncHTTPTransport):
    """A way to RMZ that takes its time."""

    def __init__(self, clock: Clock, chance: random.Random) -> None:
        super().__init__()
        self._clock = clock
        self._chance = chance

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request later."""
        await self._clock.sleep(self._chance.uniform(0.0, DELAY))
        return await super().handle_async_request(request)


class Noting(logging.Handler):
    """Keeps all warnings."""

    def __init__(self, logged: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._logged = logged

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self._logged.append(record.getMessage())


class Asker:
    """A thread.

    Args:
        given: The arguments of the program.
        loop: A name in `LOOPS`.
        time: The clock of this process.
        store: The quota.
    """

    def __init__(
        self, given: dict[str, Any], loop: str, time: Time, store: RedisQuotaStore
    ) -> None:
        self._loop = loop
        self._ends: float = BEGIN + given["seconds"]
        seed = f"{given['seed']} {given['number']} {loop}"
        self._chance = random.Random(seed)
        share = given["number"] / max(given["processes"] - 1, 1)
        self._pause = SHORTEST + (LONGEST - SHORTEST) * share
        self._time = time
        self._sleeper = Sleeper(given["time"], time)
        self._clock = Clock(
            clock=time,
            today=lambda: START + timedelta(seconds=time.now),
            sleep=self._sleep,
            draw=self._chance.random,
        )
        pacing = Pacing(store=store, max_wait=PATIENCE)
        self._options: dict[str, Any] = {"base_url": given["url"], "token": given["token"]}
        self._options |= {"timeout": PATIENCE, "pacing": pacing}

    def run(self) -> None:
        """Ask until the end."""
        if self._loop == "sync":
            self._ask_in_thread()
        else:
            anyio.run(self._ask, backend=self._loop)
        self._sleeper.close()

    async def _sleep(self, seconds: float) -> None:
        await anyio.to_thread.run_sync(self._sleeper.sleep, seconds)

    def _think(self) -> bool:
        self._sleeper.sleep(self._chance.expovariate(1 / self._pause))
        return self._time.now < self._ends

    async def _ask(self) -> None:
        async with (
            httpx.AsyncClient(transport=Delayed(self._clock, self._chance)) as http,
            async_client(self._clock, http=http, **self._options) as rmz,
        ):
            while self._think():
                # RMZ counts its refusals, too.
                with suppress(RateLimitError):
                    await rmz.subscriptions.lookup(external_customer_id="usr_abc123")

    def _ask_in_thread(self) -> None:
        with sync_client(self._clock, **self._options) as rmz:
            while self._think():
                with suppress(RateLimitError):
                    rmz.subscriptions.lookup(external_customer_id="usr_abc123")


def main() -> None:
    """Ask from all threads, and print what was logged."""
    given: dict[str, Any] = json.loads(sys.argv[1])
    logged: list[str] = []
    logging.getLogger("rmz_async").addHandler(Noting(logged))
    time = Time()
    store = RedisQuotaStore(
        given["redis"],
        processes=given["processes"],
        timeout=5,
        _clock=time,
        _server_time=time,
    )
    askers = [Asker(given, loop, time, store) for loop in LOOPS]
    threads = [threading.Thread(target=asker.run) for asker in askers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(logged))


if __name__ == "__main__":
    main()
