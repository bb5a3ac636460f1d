"""Facts about users: from the processes that share them, or from RMZ."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from rmz_async.paywall._lookups import Lookups, Urgency
from rmz_async.paywall.sharing import AccessCache, Fact

logger: logging.Logger = logging.getLogger("rmz_async.paywall")

T = TypeVar("T")

# How often to wait for another process before this one asks too.
ROUNDS = 2


class Facts:
    """Learns about users; asks RMZ once for all processes that share a cache.

    Args:
        lookups: Asks RMZ.
        shared: What other processes have learnt.
        patience: Seconds to wait for another process, or for the cache.
    """

    def __init__(self, lookups: Lookups, shared: AccessCache | None, patience: float) -> None:
        self._lookups = lookups
        self._shared = shared
        self._patience = patience
        self._is_broken = False
        self.asked: int = 0

    async def learn(
        self, user: str, urgency: Urgency, usable: Callable[[Fact], bool] | None
    ) -> Fact:
        """Return what is known about a user.

        Args:
            user: The user.
            urgency: Who waits.
            usable: Whether a fact of another process will do; None if RMZ must be asked.

        Raises:
            RMZError: RMZ cannot be asked.
        """
        shared = self._shared
        if shared is None:
            return await self._ask(user, urgency)
        fact = None if usable is None else await self.remembered(user)
        if fact is not None and usable is not None and usable(fact):
            return fact
        token = await self._guarded(lambda: shared.lease(user))
        after = None if fact is None else fact.checked_at
        # If the process that asks is killed, one of those that waited takes over, and the others
        # wait for that one.
        seconds = self._patience
        for _ in range(ROUNDS):
            if token is not None or usable is None or self._is_broken:
                break
            found = await self._guarded(lambda: shared.learnt(user, after=after, seconds=seconds))
            if found is not None and usable(found):
                return found
            token = await self._guarded(lambda: shared.lease(user))
        try:
            if token is not None and usable is not None:
                # Another process may have answered, and ended its lease, just before this lease.
                found = await self.remembered(user)
                if found is not None and usable(found):
                    return found
            fact = await self._ask(user, urgency)
            await self._guarded(lambda: shared.put(user, fact))
        finally:
            if token is not None:
                with anyio.CancelScope(shield=True):
                    await self._guarded(lambda: shared.release(user, token))
        return fact

    async def remembered(self, user: str) -> Fact | None:
        """Return what another process has learnt, however old."""
        shared = self._shared
        return None if shared is None else await self._guarded(lambda: shared.get(user))

    async def forget(self, user: str) -> None:
        """Have all processes ask again."""
        shared = self._shared
        if shared is not None:
            await self._guarded(lambda: shared.forget(user))

    async def _ask(self, user: str, urgency: Urgency) -> Fact:
        self.asked += 1
        # Before the request, because the answer may be older than its arrival.
        checked_at = self._lookups.clock.today()
        return Fact(await self._lookups.subscriptions(user, urgency), checked_at)

    async def _guarded(self, call: Callable[[], Awaitable[T]]) -> T | None:
        try:
            with anyio.fail_after(self._patience + 1.0):
                result = await call()
        except Exception as error:  # noqa: BLE001 - each cache has errors of its own
            if not self._is_broken:
                self._is_broken = True
                logger.warning(
                    "The paywall goes on without its shared cache, which raised %s",
                    type(error).__name__,
                )
            return None
        if self._is_broken:
            self._is_broken = False
            logger.warning("The paywall has its shared cache again")
        return result
