"""Patience for what other tasks of a test do."""

from __future__ import annotations

from collections.abc import Callable

import anyio.lowlevel


async def settle(until: Callable[[], bool]) -> None:
    """Let other tasks run until something is true."""
    for _ in range(1000):
        if until():
            return
        await anyio.lowlevel.checkpoint()
    raise AssertionError("nothing happened")
