"""The line in which requests wait for a slot: first come, first served."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping

import anyio
from anyio.lowlevel import checkpoint_if_cancelled, current_token

from rmz_async._calls.clock import Clock
from rmz_async._calls.token import Secret
from rmz_async._pacing.headers import report_of
from rmz_async._pacing.memory import InMemoryQuotaStore
from rmz_async._pacing.quota import MARGIN
from rmz_async.options import Pacing, QuotaStore


class NoSlotError(Exception):
    """The next slot would come too late, and nothing was sent.

    Attributes:
        wait: Seconds until the next slot.
    """

    def __init__(self, wait: float) -> None:
        super().__init__(f"the next slot comes in {wait:.1f} s")
        self.wait = wait


def quota_key(token: Secret, quota: str) -> str:
    """Return a key for one quota of a token, from which the token cannot be found.

    Args:
        token: The token that has the quota.
        quota: Which of the token's quotas.
    """
    # A token has 40 random characters, so there is no list of likely ones to hash. The prefix keeps
    # the digest apart from others of the same token, such as the one in Sanctum's database.
    digest = hashlib.sha256(b"rmz quota\0" + token.reveal().encode())
    return f"{digest.hexdigest()[:16]}:{quota}"


class Pacer:
    """Hands out slots, each for one request that is sent immediately.

    If no request waits and the quota has room, a request passes without a lock and without yielding
    to other tasks. Otherwise it joins a line. There is a line for each quota and event loop: loops
    in several threads share the count, but each wakes only its own tasks.

    Args:
        pacing: The limits.
        clock: The time, and how to sleep.
        sharing: A pacer to count together with, unless *pacing* names another store.
    """

    def __init__(self, pacing: Pacing, clock: Clock, sharing: Pacer | None = None) -> None:
        self._max_wait = pacing.max_wait
        self._clock = clock
        # A line exists only while somebody stands in it, because event loops come and go.
        self._lines: dict[tuple[object, str], _Line]
        self._store: QuotaStore
        if sharing is not None and (pacing.store is None or pacing.store is sharing._store):
            self._store, self._lines = sharing._store, sharing._lines
        else:
            self._store = InMemoryQuotaStore() if pacing.store is None else pacing.store
            self._lines = {}
        # A caller's own store may hang or fail, and so may a subclass of the library's.
        self.trusts_store: bool = type(self._store) is InMemoryQuotaStore

    def with_pacing(self, pacing: Pacing) -> Pacer:
        """Return a pacer with other limits; unless it counts elsewhere, the lines are the same."""
        return Pacer(pacing, self._clock, self)

    async def wait_for_slot(self, key: str, per_minute: int, *, until: float) -> float:
        """Wait for a slot.

        Args:
            key: The quota.
            per_minute: Its limit, unless RMZ named a lower one.
            until: When the slot must have come; seconds, monotonic.

        Returns:
            When the slot came, which `forget` needs; seconds, monotonic.

        Raises:
            NoSlotError: The slot would come later than *until*, or than the longest wait.
        """
        now = self._clock.clock()
        latest = min(now + self._max_wait, until)
        # A remote store may let the second of two simultaneous requests pass before the first.
        if not self._lines and await self._store.reserve(key, per_minute, now) <= 0:
            return now
        place = (current_token(), key)
        line = self._lines.get(place)
        if line is None:
            line = self._lines[place] = _Line()
        waiter = line.join()
        try:
            return await self._stand_in(line, waiter, key, per_minute, latest)
        finally:
            line.leave(waiter)
            if not line.waiters:
                del self._lines[place]

    async def forget(self, key: str, at: float) -> None:
        """Free a slot that was not used, because the request surely never left.

        Args:
            key: The quota.
            at: The moment that `wait_for_slot` returned.
        """
        await self._store.forget(key, at)
        self._wake(key)

    async def report(
        self, key: str, per_minute: int, status: int, headers: Mapping[str, str]
    ) -> float | None:
        """Take over RMZ's figures from an answer.

        Args:
            key: The quota.
            per_minute: Its limit, unless RMZ named a lower one.
            status: The answer's status.
            headers: The answer's headers, with names in lower case.

        Returns:
            Seconds until the next slot if the answer closed the quota, else None.
        """
        report = report_of(status, headers, time.time())
        if await self._store.learn(key, per_minute, self._clock.clock(), report):
            self._wake(key)
        return None if report.closed_for is None else report.closed_for + MARGIN

    async def _stand_in(
        self, line: _Line, waiter: _Waiter, key: str, per_minute: int, latest: float
    ) -> float:
        while True:
            # A fresh scope for each check: if it is cancelled before the sleep starts, the sleep
            # returns immediately.
            waiter.wait_scope = anyio.CancelScope()
            ahead = line.waiters.index(waiter)
            now = self._clock.clock()
            wait = await self._store.reserve(key, per_minute, now, ahead=ahead)
            if wait <= 0 and not ahead:
                return now
            if now + wait > latest:
                raise NoSlotError(wait)
            with waiter.wait_scope:
                # Only the first in line watches the clock. Leaving the line, it wakes the next.
                await (anyio.sleep_forever() if ahead else self._clock.sleep(wait))
            # A task that is woken and cancelled together must not take a slot.
            await checkpoint_if_cancelled()

    def _wake(self, key: str) -> None:
        # Asking for the event loop costs more than all the rest of a slot without a wait.
        line = self._lines.get((current_token(), key)) if self._lines else None
        if line is not None:
            # All of them wake, because anyone who now waits too long must hear of it now.
            for waiter in line.waiters:
                waiter.wait_scope.cancel()


class _Waiter:
    __slots__ = ("wait_scope",)

    def __init__(self) -> None:
        self.wait_scope = anyio.CancelScope()


class _Line:
    __slots__ = ("waiters",)

    def __init__(self) -> None:
        self.waiters: list[_Waiter] = []

    def join(self) -> _Waiter:
        """Add a waiter at the end."""
        waiter = _Waiter()
        self.waiters.append(waiter)
        return waiter

    def leave(self, waiter: _Waiter) -> None:
        """Remove a waiter; if the first one leaves, the next becomes the first and wakes."""
        was_first = self.waiters[0] is waiter
        self.waiters.remove(waiter)
        if was_first and self.waiters:
            self.waiters[0].wait_scope.cancel()
