"""The four ways to use the client, made alike."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable
from typing import Any

import anyio.to_thread
import attrs

import rmz_async
import rmz_sync
from rmz_async import RetryPolicy
from rmz_async._calls.clock import Clock
from rmz_async._transport import Transport

# Short, for a server that never answers; an answer on loopback takes 5 ms.
PATIENCE = 0.08


@attrs.frozen
class Lane:
    """One way.

    Attributes:
        backend: The event loop that the cases run in.
        sync: Whether the client is the one that waits.
        http: The client's option.
    """

    name: str
    backend: str = "asyncio"
    sync: bool = False
    http: str | None = None

    @property
    def available(self) -> bool:
        """Whether what it needs is installed."""
        return self.http is None or importlib.util.find_spec("httpx_aiohttp") is not None

    def client(self, token: str, base_url: str, waiting: Clock, *, patience: float = 30.0) -> Any:
        """Return a client on a time of the test's.

        Args:
            token: The sandbox's.
            base_url: The way to it.
            waiting: The time.
            patience: How long it waits for an answer; seconds.
        """
        options: dict[str, Any] = {
            "base_url": base_url,
            "pacing": None,
            "http": self.http,
            "retry": RetryPolicy(attempt_timeout=patience),
        }
        if not self.sync:
            return on_time(waiting, rmz_async.Client(token, **options))
        client = rmz_sync.Client(token, **options)
        client._use(on_time(waiting, client._wrapped), client._portal, owns_portal=True)
        return client

    async def do(self, work: Callable[[], Any]) -> Any:
        """Make one call of the client."""
        if self.sync:
            return await anyio.to_thread.run_sync(work)
        outcome = work()
        return await outcome if inspect.isawaitable(outcome) else outcome

    async def close(self, client: Any) -> None:
        """Close the client."""
        await self.do(client.close if self.sync else client.aclose)


LANES = (
    Lane("asyncio"),
    Lane("trio", backend="trio"),
    Lane("sync", sync=True),
    Lane("aiohttp", http="aiohttp"),
)


def lane_named(name: str) -> Lane:
    """Return one of them."""
    return next(lane for lane in LANES if lane.name == name)


def on_time(waiting: Clock, client: rmz_async.Client) -> rmz_async.Client:
    """Put *client* on the test's time, and return it."""
    transport = client._transport
    client._use(Transport(transport.connections, transport.options, waiting), owns_connections=True)
    return client
