"""Start work that no caller waits for, on asyncio and on trio."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine

__all__ = ("is_possible", "start")

# The event loop itself holds tasks only weakly.
_running: set[asyncio.Task[None]] = set()


def is_possible() -> bool:
    """Return whether an event loop runs here, so that `start` has one to work in."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        trio = sys.modules.get("trio")
        return trio is not None and bool(trio.lowlevel.in_trio_run())
    return True


def start(work: Callable[[], Coroutine[object, object, None]]) -> None:
    """Run *work* beside the caller; it must not raise.

    A task group would tie it to the task that opened the group, and a test fixture is often set
    up and torn down in two different tasks.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        import trio

        trio.lowlevel.spawn_system_task(work)
        return
    task = loop.create_task(work())
    _running.add(task)
    task.add_done_callback(_running.discard)
