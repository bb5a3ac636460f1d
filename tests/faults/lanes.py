"""The ways to use the client, made alike."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable
from typing import Any

import anyio.to_thread
import attrs
import httpx

from rmz_async import RetryPolicy
from tests.faults.hooks import HOOKS, Hook, client_with
from tests.seams import Clock, async_client, sync_client

# Short, for a server that never answers; an answer on loopback takes 5 ms.
PATIENCE = 0.08


@attrs.frozen
class Lane:
    """A way of sending.

    Attributes:
        backend: The event loop that the cases run in.
        sync: Whether the client is that of ``rmz_sync``.
        http: The client's option.
        replica_lag: Seconds by which RMZ's reads are behind.
        timestamp_skew: Seconds by which the clock of RMZ's answers is ahead.
        updated_at_skew: Seconds by which the clock that writes ``updated_at`` is ahead.
        undone: Whether the customer undoes each change as soon as it is applied.
        hook: The event hook of a client of the caller's own; None if the connections are the
            client's.
    """

    name: str
    backend: str = "asyncio"
    sync: bool = False
    http: str | None = None
    replica_lag: float = 0.0
    timestamp_skew: float = 0.0
    updated_at_skew: float = 0.0
    undone: bool = False
    hook: Hook | None = None
    _owned: dict[int, httpx.AsyncClient] = attrs.field(
        factory=dict[int, httpx.AsyncClient], init=False, eq=False, repr=False
    )

    @property
    def believes(self) -> bool:
        """Whether RMZ's reads can be believed immediately, and no customer interferes."""
        skewed = self.timestamp_skew or self.updated_at_skew
        return not (self.replica_lag or skewed or self.undone)

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
        if self.hook is not None:
            options["http"] = client_with(self.hook, clock)
        make = sync_client if self.sync else async_client
        client = make(clock, token, **options)
        if self.hook is not None:
            self._owned[id(client)] = options["http"]
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
        owned = self._owned.pop(id(client), None)
        if owned is not None:
            await owned.aclose()


LAGS = (0.5, 1.0, 2.0, 30.0)

LANES = (
    Lane("asyncio"),
    Lane("trio", backend="trio"),
    Lane("sync", sync=True),
    Lane("aiohttp", http="aiohttp"),
    *(Lane(f"lag-{lag:g}", replica_lag=lag) for lag in LAGS),
    *(Lane(f"undone-lag-{lag:g}", replica_lag=lag, undone=True) for lag in LAGS),
    Lane("answers-ahead", timestamp_skew=300),
    Lane("answers-behind", timestamp_skew=-300),
    Lane("updates-ahead", updated_at_skew=300),
    Lane("updates-behind", updated_at_skew=-300),
    Lane("undone-updates-behind", updated_at_skew=-300, undone=True),
    *(Lane(name, hook=hook) for name, hook in HOOKS.items()),
    Lane("own-trio", backend="trio", hook=HOOKS["own"]),
)


def lane_named(name: str) -> Lane:
    """Return one of them."""
    return next(lane for lane in LANES if lane.name == name)
