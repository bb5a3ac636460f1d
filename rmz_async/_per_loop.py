"""A value for each event loop, as a connection of one loop is of no use to another."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import anyio

T = TypeVar("T")

# Connections that the parent of this process has opened, or another event loop that may still close
# them. The garbage collector would close them from here, so they are kept.
_abandoned: list[object] = []
_kept: set[object] = set()


class PerLoop(Generic[T]):
    """The values of all event loops in which one object is used, in one thread or in several.

    Args:
        make: Makes the value of the running loop.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._values: dict[tuple[Any, int], T] = {}

    def for_running_loop(self) -> T:
        """Return the value of the running event loop, in this process."""
        place = (anyio.lowlevel.current_token().native_token, os.getpid())
        value = self._values.get(place)
        if value is None:
            # First, as it may raise: aiohttp works on one kind of event loop only.
            value = self._make()
            self._clear()
            self._values[place] = value
        return value

    def pop_current(self) -> T | None:
        """Take out the running loop's value, if there is one; the others wait for their loops."""
        mine = self._values.pop((anyio.lowlevel.current_token().native_token, os.getpid()), None)
        self._clear()
        if self._values:
            _kept.add(self)
        else:
            _kept.discard(self)
        return mine

    def _clear(self) -> None:
        # A list, as another thread's loop may add its own meanwhile.
        for place, value in list(self._values.items()):
            loop, pid = place
            if pid != os.getpid():
                _abandoned.append(value)
            elif not is_over(loop):
                continue
            # If its loop is over, only the garbage collector looks after it.
            self._values.pop(place, None)


def is_over(loop: Any) -> bool:
    """Say whether an event loop will never run again; *loop* is asyncio's, or trio's token."""
    is_closed = getattr(loop, "is_closed", None)
    if is_closed is not None:
        return bool(is_closed())
    try:
        # Trio has no other way to ask.
        loop.run_sync_soon(_nothing)
    except RuntimeError:
        return True
    return False


def _nothing() -> None:
    return None
