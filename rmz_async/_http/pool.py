"""Open connections, each lent to one request at a time.

A pool of our own, and a small one: httpx's loses the places of cancelled requests for good, and
walks the list of all its connections at each request.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

import anyio

# Seconds that an idle connection may be used again: shorter than servers keep theirs.
KEPT = 5.0

# How long a call may take to close connections, even where its caller has given it up.
_CLOSING = 1.0


class Closable(Protocol):
    """What a pool keeps."""

    async def aclose(self) -> None:
        """Close it."""
        ...


C = TypeVar("C", bound=Closable)


class Pool(Generic[C]):
    """The connections of one event loop.

    Args:
        open_one: Returns a new one. It is called at once, so that what cannot work fails here.
        clock: Seconds, monotonic.
    """

    def __init__(self, open_one: Callable[[], C], clock: Callable[[], float]) -> None:
        self._open_one = open_one
        self._clock = clock
        self._closed = False
        self._lent: set[C] = set()
        # With the time since which it is idle; used longest ago first.
        self._idle: deque[tuple[float, C]] = deque([(clock(), open_one())])

    def lend(self, *, alone: bool) -> Lent[C]:
        """Return a connection to enter.

        Args:
            alone: One that nothing was sent over, and nothing else will be.
        """
        return Lent(self, alone)

    def take(self, *, alone: bool) -> C:
        """Take a connection, the one that was used last, as that is the likeliest to be open."""
        fresh = self._idle and self._clock() - self._idle[-1][0] <= KEPT
        one = self._idle.pop()[1] if fresh and not alone else self._open_one()
        self._lent.add(one)
        return one

    async def give_back(self, one: C, *, worn: bool) -> None:
        """Give a connection back, and close what nobody will use again.

        Args:
            one: What `take` returned.
            worn: Whether it may not be used again.
        """
        self._lent.discard(one)
        now = self._clock()
        unused = [one] if worn or self._closed else []
        if not unused:
            self._idle.append((now, one))
        while self._idle and now - self._idle[0][0] > KEPT:
            unused.append(self._idle.popleft()[1])
        if unused:
            await _discard(unused)

    async def aclose(self) -> None:
        """Close all, those that are lent too."""
        self._closed = True
        await _discard([*self._lent, *(idle for _, idle in self._idle)])


class Lent(Generic[C]):
    """A connection for the time of one request."""

    def __init__(self, pool: Pool[C], alone: bool) -> None:
        self._pool = pool
        self._alone = alone

    async def __aenter__(self) -> C:
        self._one = self._pool.take(alone=self._alone)
        return self._one

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # One whose request failed is broken, or of a server that closes them. And one whose request
        # was cancelled holds a place that httpx has lost.
        await self._pool.give_back(self._one, worn=self._alone or kind is not None)


async def _discard(unused: Sequence[Closable]) -> None:
    # Whatever comes of it, the call that does so has its answer.
    with anyio.move_on_after(_CLOSING, shield=True) as scope:
        cut_off = None
        for one in unused:
            try:
                with suppress(Exception):
                    await one.aclose()
            except GeneratorExit:
                raise
            except BaseException as error:  # noqa: BLE001 - it is raised, once all are closed
                cut_off = cut_off or error
                # The others are closed without a farewell.
                scope.cancel()
        if cut_off is not None:
            raise cut_off
