"""One value for each event loop, as what one has opened is of no use to another."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from anyio.lowlevel import current_token

T = TypeVar("T")

# Opened on another event loop, or by the parent of this process: neither may be closed from here,
# as the garbage collector would.
_abandoned: list[object] = []


class PerLoop(Generic[T]):
    """The values of all event loops in which one object is used, in one thread or in several.

    Args:
        make: Makes the value of the running loop.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._values: dict[tuple[Any, int], T] = {}

    def here(self) -> T:
        """Return the value of the running event loop, in this process."""
        place = (current_token().native_token, os.getpid())
        value = self._values.get(place)
        if value is None:
            # First, as it may raise: aiohttp works on one kind of event loop only.
            value = self._make()
            self._leave(is_over)
            self._values[place] = value
        return value

    def take(self) -> T | None:
        """Take out the running loop's value, if there is one, and leave those of the others."""
        mine = self._values.pop((current_token().native_token, os.getpid()), None)
        self._leave(lambda _: True)
        return mine

    def _leave(self, wanted: Callable[[Any], bool]) -> None:
        # A list, as another thread's loop may add its own meanwhile.
        for place, value in list(self._values.items()):
            loop, pid = place
            is_ours = pid == os.getpid()
            if is_ours and not wanted(loop):
                continue
            self._values.pop(place, None)
            # Where its loop is over nobody looks after it: the garbage collector may.
            if not is_ours or not is_over(loop):
                _abandoned.append(value)


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
