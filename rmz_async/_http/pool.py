"""Open connections, each borrowed by one request at a time.

The pool of httpx loses the slots of cancelled requests for good, and walks the list of all its
connections at each request.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

import anyio

# Seconds that an idle connection may be used again: shorter than servers keep theirs.
IDLE_EXPIRY = 5.0

# Seconds that a call may take to close connections, even if its caller has given it up.
_CLOSE_TIMEOUT = 1.0


class Poolable(Protocol):
    """A connection, as the pool sees it."""

    def is_reusable(self) -> bool:
        """Return whether another request may use the connection."""
        ...

    async def aclose(self) -> None:
        """Close the connection."""
        ...


C = TypeVar("C", bound=Poolable)


class Pool(Generic[C]):
    """The connections of one event loop.

    Args:
        open_new: Returns a new connection. The pool calls it immediately, so that a connection that
            cannot work fails here.
        clock: Seconds, monotonic.
    """

    def __init__(self, open_new: Callable[[], C], clock: Callable[[], float]) -> None:
        self._open_new = open_new
        self._clock = clock
        self._closed = False
        self._borrowed: set[C] = set()
        # Each with the time since which it is idle; the least recently used first.
        self._idle: deque[tuple[float, C]] = deque([(clock(), open_new())])
        # The server has closed these, or has sent bytes over them that no request asked for.
        self._unusable: list[C] = []

    def borrow(self, *, dedicated: bool) -> C:
        """Borrow the most recently used connection, which is the likeliest to be open.

        Args:
            dedicated: Open a connection that carries this request and no other.
        """
        connection = None
        oldest = self._clock() - IDLE_EXPIRY
        while connection is None and not dedicated and self._idle and self._idle[-1][0] >= oldest:
            idle = self._idle.pop()[1]
            if idle.is_reusable():
                connection = idle
            else:
                self._unusable.append(idle)
        if connection is None:
            connection = self._open_new()
        self._borrowed.add(connection)
        return connection

    async def give_back(self, connection: C, *, reusable: bool) -> None:
        """Give a connection back, and close those that no request will use again.

        Args:
            connection: The connection that `borrow` returned.
            reusable: Whether another request may use it, if the connection itself allows that.
        """
        self._borrowed.discard(connection)
        now = self._clock()
        if reusable and not self._closed and connection.is_reusable():
            self._idle.append((now, connection))
        else:
            self._unusable.append(connection)
        while self._idle and now - self._idle[0][0] > IDLE_EXPIRY:
            self._unusable.append(self._idle.popleft()[1])
        if self._unusable:
            unusable, self._unusable = self._unusable, []
            await _discard(unusable)

    async def aclose(self) -> None:
        """Close all connections, the borrowed ones included."""
        self._closed = True
        await _discard([*self._borrowed, *self._unusable, *(idle for _, idle in self._idle)])


async def _discard(unusable: Sequence[Poolable]) -> None:
    # The call that closes them has its answer, which no fault of a close may cost.
    with anyio.move_on_after(_CLOSE_TIMEOUT, shield=True) as scope:
        cut_off = None
        for connection in unusable:
            try:
                with suppress(Exception):
                    await connection.aclose()
            except GeneratorExit:
                raise
            except BaseException as error:  # noqa: BLE001 - it is raised, once all are closed
                cut_off = cut_off or error
                # The other connections are closed without TLS's close_notify.
                scope.cancel()
        if cut_off is not None:
            raise cut_off
