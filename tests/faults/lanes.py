"""The four ways to use the client, made alike."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable
from typing import Any

import anyio.to_thread
import attrs

from rmz_async import RetryPolicy
from tests.seams import Clock, async_client, sync_client

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

    def client(self, token: str, base_url: str, clock: Clock, *, patience: float = 30.0) -> Any:
        """Return a client on a time of the test's.

        Args:
            token: The sandbox's.
            base_url: The way to it.
            clock: The time.
            patience: How long it waits for an answer; seconds.
        """
        options: dict[str, Any] = {
            "base_url": base_url,
            "pacing": None,
            "http": self.http,
            "retry": RetryPolicy(attempt_timeout=patience),
        }
        make = sync_client if self.sync else async_client
        return make(clock, token, **options)

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
