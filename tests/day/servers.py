"""The servers of a shop: each has a client and a paywall of its own, over a way with faults."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import anyio
import attrs
import httpx
from anyio.abc import TaskGroup, TaskStatus

from rmz_async import Client, Event, Pacing, Paywall, RMZError
from rmz_async.paywall import Change, Changes
from rmz_async.redis import RedisAccessCache, RedisQuotaStore
from tests.day.referee import Referee
from tests.day.shop import PRODUCT, Shop
from tests.day.simulated_time import clock_of_loop, now, seconds

__all__ = ("Server", "Servers")

SECRET = "an-example-secret-0123456789"

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


@attrs.frozen(eq=False)
class Server:
    """A server.

    Attributes:
        name: For messages.
        rmz: Its client.
        paywall: Its paywall.
        is_told: Set to let it end.
        has_ended: Set when it has.
    """

    name: str
    rmz: Client
    paywall: Paywall
    is_told: anyio.Event = attrs.field(factory=anyio.Event)
    has_ended: anyio.Event = attrs.field(factory=anyio.Event)

    async def run(self, *, task_status: TaskStatus[None]) -> None:
        """Serve until it is told to end."""
        async with self.rmz, self.paywall:
            task_status.started()
            await self.is_told.wait()
        self.has_ended.set()

    async def end(self) -> None:
        """Stop as a server does that is asked to."""
        self.is_told.set()
        await self.has_ended.wait()


class Servers:
    """Starts servers, gives each visitor to any of them, and passes webhooks on.

    Args:
        shop: The shop.
        referee: Counts the answers of RMZ.
        count: How many servers there are.
        redis: The address of the Redis that they share; None if each is on its own.
        folder: For snapshots; None for none.
        options: For each paywall.
    """

    def __init__(
        self,
        shop: Shop,
        referee: Referee,
        count: int,
        redis: str | None,
        folder: Path | None,
        **options: Any,
    ) -> None:
        self._shop = shop
        self._referee = referee
        self._count = count
        self._redis = redis
        self._folder = folder
        self._options = options
        self._chance = Random(shop.chance.random())
        self._announced = Announced()
        self._started = 0
        self.running: list[Server] = []
        self.events = 0

    def any(self) -> Server:
        """Return the server that the next request comes to."""
        return self._chance.choice(self.running)

    async def start(self, tasks: TaskGroup) -> Server:
        """Start a server."""
        self._started += 1
        place = len(self.running) + 1
        redis, pacing, shared = self._redis, Pacing(), None
        if redis is not None:
            store = RedisQuotaStore(
                redis,
                processes=self._count,
                timeout=5,
                _clock=seconds,
                _server_time=lambda: now().timestamp(),
            )
            pacing = Pacing(store=store)
            shared = Cache(redis, self._announced)
        clock = clock_of_loop()
        rmz = self._shop.sandbox.client(
            http=httpx.AsyncClient(transport=Way(self._shop, self._referee)),
            pacing=pacing,
            _clock=clock,
        )
        snapshot = None if self._folder is None else self._folder / f"payers-{place}.jsonl"
        paywall = Paywall(
            rmz,
            product_ids=[PRODUCT],
            snapshot=snapshot,
            shared=shared,
            state_secret=SECRET,
            **self._options,
        )
        server = Server(f"server {self._started}", rmz, paywall)
        await tasks.start(server.run)
        self.running.append(server)
        return server

    async def feed(self, event: Event) -> None:
        """Feed an event to one of the servers, as its inbox does: again if RMZ cannot be asked."""
        self.events += 1
        pause = FIRST_PAUSE
        while True:
            try:
                await self.any().paywall.feed(event)
            except RMZError:
                await anyio.sleep(pause * self._chance.uniform(0.5, 1.0))
                pause = min(4 * pause, LONGEST_PAUSE)
            else:
                return
