"""The servers of a shop, in this program or in processes, over a way with faults."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import anyio
import attrs
import httpx
from anyio.abc import TaskGroup

from rmz_async import Event, RMZError
from rmz_async.paywall import Change, Changes
from rmz_async.redis import RedisAccessCache
from tests.day.processes import Process, ServerGoneError, SharedClock
from tests.day.referee import Referee
from tests.day.server import Given, Server
from tests.day.shop import Shop

__all__ = ("Servers",)

# The inbox feeds an event again after so many seconds if RMZ cannot be asked.
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 3600.0


class Way(httpx.AsyncBaseTransport):
    """The way to RMZ, which takes its time.

    Args:
        shop: The shop at its end.
        referee: Counts the answers.
    """

    def __init__(self, shop: Shop, referee: Referee) -> None:
        self._transport = httpx.ASGITransport(shop.sandbox.app)
        self._referee = referee
        self._chance = Random(shop.chance.random())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return RMZ's answer."""
        await anyio.sleep(self._chance.uniform(0.005, 0.1))
        response = await self._transport.handle_async_request(request)
        await anyio.sleep(self._chance.uniform(0.005, 0.1))
        self._referee.wire(response.status_code)
        return response


@attrs.define
class Announced:
    """Counts the changes that the servers of a day have announced."""

    count: int = 0


class Cache(RedisAccessCache):
    """A shared cache that looks into Redis for changes only if there can be any.

    All that announce a change live in this program. Looks that find nothing, one a second from
    each server, would be most of what Redis does in a day, and of the time that a day takes.

    Args:
        url: The address of Redis.
        announced: The same for all servers.
    """

    def __init__(self, url: str, announced: Announced) -> None:
        super().__init__(url, shop="shop", timeout=5)
        self._announced = announced
        self._seen = -1

    async def announce(self, change: Change) -> None:
        """Let all servers know of a change."""
        await super().announce(change)
        self._announced.count += 1

    async def changes(self, after: str | None) -> Changes:
        """Return the changes that were announced since a mark."""
        count = self._announced.count
        if after is not None and count == self._seen:
            return Changes(mark=after)
        found = await super().changes(after)
        self._seen = count
        return found


class Servers:
    """Starts servers, gives each visitor to any of them, and passes webhooks on.

    Args:
        shop: The shop.
        referee: Counts the answers of RMZ.
        count: How many servers there are.
        redis: The address of the Redis that they share; None if each is on its own.
        folder: For snapshots; None for none.
        clock: The clock of servers that are processes; None for servers that live in this program.
        options: For each paywall.
    """

    def __init__(
        self,
        shop: Shop,
        referee: Referee,
        count: int,
        redis: str | None,
        folder: Path | None,
        clock: SharedClock | None,
        **options: Any,
    ) -> None:
        self._shop = shop
        self._referee = referee
        self._count = count
        self._redis = redis
        self._folder = folder
        self._clock = clock
        self._options = options
        self._chance = Random(shop.chance.random())
        self._announced = Announced()
        self._started = 0
        self.running: list[Server | Process] = []
        self.events = 0

    def any(self) -> Server | Process:
        """Return the server that the next request comes to."""
        return self._chance.choice(self.running)

    async def start(self, tasks: TaskGroup) -> None:
        """Start a server."""
        given = Given(
            place=len(self.running) + 1,
            count=self._count,
            token=self._shop.sandbox.token,
            base_url=self._shop.sandbox.base_url,
            redis=self._redis,
            folder=self._folder,
            options=self._options,
        )
        way = Way(self._shop, self._referee)
        server: Server | Process
        if self._clock is not None:
            server = Process(given, way, self._clock)
        else:
            shared = None if self._redis is None else Cache(self._redis, self._announced)
            server = Server(given, way, shared)
        await tasks.start(server.run)
        self.running.append(server)

    async def stop(self) -> None:
        """Stop the server that was started first; a process that shares a Redis is killed."""
        server = self.running.pop(0)
        if isinstance(server, Process) and self._redis is not None:
            server.kill()
        else:
            await server.end()

    async def feed(self, event: Event) -> None:
        """Feed an event to one of the servers, as its inbox does: again if RMZ cannot be asked."""
        self.events += 1
        pause = FIRST_PAUSE
        while True:
            try:
                await self.any().feed(event)
            except (RMZError, ServerGoneError):
                await anyio.sleep(pause * self._chance.uniform(0.5, 1.0))
                pause = min(4 * pause, LONGEST_PAUSE)
            else:
                return
