"""Facts about users: from the processes that share them, or from RMZ."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeAlias, TypeVar, cast

import anyio

from rmz_async.errors import ConfigurationError
from rmz_async.paywall._lookups import Lookups, Urgency
from rmz_async.paywall.sharing import AccessCache, Change, Changes, Fact

logger: logging.Logger = logging.getLogger("rmz_async.paywall")

T = TypeVar("T")

Usable: TypeAlias = Callable[[Fact], bool]


class Facts:
    """Learns about users; asks RMZ once for all processes that share a cache.

    Args:
        lookups: Asks RMZ.
        shared: A cache of what other processes have learnt.
        patience: Seconds to wait for another process, or for the cache.
    """

    def __init__(self, lookups: Lookups, shared: AccessCache | None, patience: float) -> None:
        if shared is not None and not isinstance(cast("object", shared), AccessCache):
            raise ConfigurationError("shared: must have the methods of AccessCache")
        self._lookups = lookups
        self._shared = shared
        self._patience = patience
        self._is_broken = False
        self._failing: set[str] = set()
        self._silent_until = -math.inf
        self.asked: int = 0

    @property
    def are_shared(self) -> bool:
        """Whether other processes can be asked at present."""
        return self._shared is not None and not self._is_broken

    async def learn(
        self,
        user: str,
        urgency: Urgency,
        usable: Usable | None,
        shareable: Callable[[Fact], Fact | None],
    ) -> tuple[Fact, bool]:
        """Return what is known about a user, and whether this process has asked RMZ itself.

        Args:
            user: The user.
            urgency: The asker who waits.
            usable: Whether a fact of another process will do; None if RMZ must be asked.
            shareable: Returns what the other processes may know of an answer of RMZ.

        Raises:
            RMZError: RMZ cannot be asked.
        """
        shared = self._shared
        if shared is None:
            return await self._ask(user, urgency), True
        fact = None if usable is None else await self.remembered(user)
        if fact is not None and usable is not None and usable(fact):
            return fact, False
        after = None if fact is None else fact.checked_at
        ends = anyio.current_time() + self._patience
        # If the process that asks is killed, one of those that wait takes over, and the others wait
        # for that one, however often it happens.
        while True:
            token = await self._guarded("lease", lambda: shared.lease(user))
            seconds = ends - anyio.current_time()
            if token is not None or usable is None or self._is_broken or seconds <= 0:
                break
            found = await self._awaited(shared, user, after, seconds)
            if found is not None:
                if usable(found):
                    return found, False
                after = found.checked_at
        try:
            if token is not None and usable is not None:
                # Another process may have answered, and ended its lease, just before this lease.
                found = await self.remembered(user)
                if found is not None and usable(found):
                    return found, False
            fact = await self._ask(user, urgency)
            await self.share(user, shareable(fact))
        finally:
            if token is not None:
                with anyio.CancelScope(shield=True):
                    await self._within_limit("lease", lambda: shared.release(user, token))
        return fact, True

    async def remembered(self, user: str) -> Fact | None:
        """Return what another process has learnt, however old."""
        shared = self._shared
        return None if shared is None else await self._guarded("get", lambda: shared.get(user))

    async def share(self, user: str, fact: Fact | None) -> None:
        """Let other processes know a fact."""
        shared = self._shared
        if shared is not None and fact is not None:
            await self._guarded("put", lambda: shared.put(user, fact))

    async def announce(self, change: Change) -> None:
        """Have all processes ask again."""
        shared = self._shared
        if shared is not None:
            # No check waits for the store here, so it gets more time: other processes learn of the
            # change in no other way.
            await self._within_limit("put", lambda: shared.announce(change))

    async def changes(self, after: str | None) -> Changes | None:
        """Return what was reported to other processes; None if they cannot be asked."""
        shared = self._shared
        assert shared is not None  # or the background would not ask
        return await self._guarded("changes", lambda: shared.changes(after))

    async def _awaited(
        self, shared: AccessCache, user: str, after: datetime | None, seconds: float
    ) -> Fact | None:
        return await self._guarded("get", lambda: shared.learnt(user, after=after, seconds=seconds))

    async def _ask(self, user: str, urgency: Urgency) -> Fact:
        self.asked += 1
        # Before the request, because the answer may be older than its arrival.
        checked_at = self._lookups.clock.today()
        return Fact(await self._lookups.subscriptions(user, urgency), checked_at)

    async def _guarded(self, kind: str, call: Callable[[], Awaitable[T]]) -> T | None:
        # Otherwise each call of a check would wait for a store that does not answer.
        if self._lookups.clock.clock() < self._silent_until:
            return None
        return await self._within_limit(kind, call)

    async def _within_limit(self, kind: str, call: Callable[[], Awaitable[T]]) -> T | None:
        try:
            with anyio.move_on_after(self._patience + 1.0):
                result = await call()
                self._works(kind)
                return result
        except Exception as error:  # noqa: BLE001 - each cache has errors of its own
            self._breaks(kind, error)
            return None
        self._silent_until = self._lookups.clock.clock() + self._patience
        self._breaks(kind, TimeoutError())
        return None

    def _works(self, kind: str) -> None:
        self._silent_until = -math.inf
        self._is_broken = False
        if kind in self._failing:
            self._failing.discard(kind)
            if not self._failing:
                logger.warning("The paywall has its shared cache again")

    def _breaks(self, kind: str, error: Exception) -> None:
        self._is_broken = True
        # A cache that is full or only a copy can be read, and would be reported with each check.
        is_news = not self._failing
        self._failing.add(kind)
        if is_news:
            logger.warning(
                "The paywall goes on without its shared cache, which raised %s",
                type(error).__name__,
            )
