"""Calls that block, in a worker thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio

T = TypeVar("T")


async def in_thread(call: Callable[[], T], limiter: anyio.CapacityLimiter | None = None) -> T:
    """Call a method of the inbox, to its end, even if the caller is cancelled.

    Without *limiter*, the call waits for no other: leases end, and a commit keeps deliveries from
    being stored, while the application has all threads of the default limiter.
    """
    limiter = limiter or anyio.CapacityLimiter(1)
    # A list, because a type checker holds the scope for one that may hide an error.
    results: list[T] = []
    with anyio.CancelScope(shield=True):
        results.append(await anyio.to_thread.run_sync(call, limiter=limiter))
    return results[0]
