"""The gate before each request: first come, first served, as fast as the quota allows."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping

import anyio
from anyio.lowlevel import checkpoint_if_cancelled, current_token

from rmz_async._calls.call import Waiting
from rmz_async._calls.token import Secret
from rmz_async._pacing.headers import closed_for, whole_number
from rmz_async.pacing import InMemoryQuotaStore, Pacing


class NoTurnError(Exception):
    """A turn would come too late; nothing was sent.

    Attributes:
        wait: In how many seconds it would come.
    """

    def __init__(self, wait: float) -> None:
        super().__init__(f"the next turn comes in {wait:.1f} s")
        self.wait = wait


def quota_key(token: Secret, quota: str) -> str:
    """Return a key for one quota of a token, from which nobody can tell the token.

    Args:
        token: Whose quota it is.
        quota: Which of the token's quotas.
    """
    # A token has 40 random characters: there is no list of likely ones to try. The prefix keeps
    # this apart from whatever else hashes tokens, as Sanctum's own database does.
    digest = hashlib.sha256(b"rmz quota\0" + token.reveal().encode())
    return f"{digest.hexdigest()[:16]}:{quota}"


class Pacer:
    """Hands out turns, each for one request that is sent at once.

    Whoever finds nobody waiting, and room in the quota, passes without a lock and without giving
    way to other tasks. The others stand in line. There is a line for each quota and event loop:
    loops in several threads share the count, but each wakes its own tasks only.

    Args:
        pacing: The limits, and where requests are counted.
        waiting: The clock, and how to sleep.
    """

    def __init__(self, pacing: Pacing, waiting: Waiting) -> None:
        self._max_wait = pacing.max_wait
        self._waiting = waiting
        self._store = InMemoryQuotaStore() if pacing.store is None else pacing.store
        # A line stays only as long as somebody stands in it: loops come and go.
        self._lines: dict[tuple[object, str], _Line] = {}

    def with_pacing(self, pacing: Pacing) -> Pacer:
        """Return a pacer with other limits; unless it counts elsewhere, the lines are the same."""
        copy = Pacer(pacing, self._waiting)
        if pacing.store is None or pacing.store is self._store:
            copy._store, copy._lines = self._store, self._lines
        return copy

    @property
    def never_hangs_nor_fails(self) -> bool:
        """Whether its store is this library's own; one of the caller's may do either."""
        return type(self._store) is InMemoryQuotaStore

    async def turn(self, key: str, per_minute: int, *, until: float) -> float:
        """Wait for a turn.

        Args:
            key: The quota.
            per_minute: Its limit, unless RMZ named a lower one.
            until: When the turn must have come; seconds, monotonic.

        Returns:
            When the turn came, which `give_back` needs; seconds, monotonic.

        Raises:
            NoTurnError: It would come later than that, or than the longest wait.
        """
        now = self._waiting.clock()
        latest = min(now + self._max_wait, until)
        # A store that is far away may let the second of two that ask at once pass before the first.
        if not self._lines and await self._store.reserve(key, per_minute, now) <= 0:
            return now
        place = (current_token(), key)
        line = self._lines.get(place)
        if line is None:
            line = self._lines[place] = _Line()
        me = line.join()
        try:
            return await self._stand_in(line, me, key, per_minute, latest)
        finally:
            line.leave(me)
            if not line.waiters:
                del self._lines[place]

    async def _stand_in(
        self, line: _Line, me: _Waiter, key: str, per_minute: int, latest: float
    ) -> float:
        while True:
            me.nap = anyio.CancelScope()
            ahead = line.waiters.index(me)
            now = self._waiting.clock()
            wait = await self._store.reserve(key, per_minute, now, ahead=ahead)
            if wait <= 0 and not ahead:
                return now
            if now + wait > latest:
                raise NoTurnError(wait)
            with me.nap:
                # Only the first one's time matters; it wakes the second.
                await (anyio.sleep_forever() if ahead else self._waiting.sleep(wait))
            # Who wakes and is cancelled at once must not take a turn.
            await checkpoint_if_cancelled()

    async def give_back(self, key: str, at: float) -> None:
        """Give back a turn that was not used: the request surely never left.

        Args:
            key: The quota.
            at: What `turn` returned.
        """
        await self._store.give_back(key, at)
        self._wake(key)

    async def learn(
        self, key: str, per_minute: int, status: int, headers: Mapping[str, str]
    ) -> None:
        """Take in what an answer says about its quota.

        Args:
            key: The quota.
            per_minute: Its limit, unless RMZ named a lower one.
            status: The answer's.
            headers: The answer's, with names in lower case; any of them may be missing or absurd.
        """
        remaining = whole_number(headers.get("x-ratelimit-remaining"))
        closed = closed_for(headers, remaining, time.time()) if status == 429 else None
        changed = await self._store.learn(
            key,
            per_minute,
            self._waiting.clock(),
            limit=whole_number(headers.get("x-ratelimit-limit")),
            remaining=remaining,
            closed_for=closed,
        )
        if changed:
            self._wake(key)

    def _wake(self, key: str) -> None:
        # Asking for the loop costs more than all the rest of an undisturbed turn.
        line = self._lines.get((current_token(), key)) if self._lines else None
        if line is not None:
            # All of them: who now waits too long is to be told now.
            for waiter in line.waiters:
                waiter.nap.cancel()


class _Waiter:
    __slots__ = ("nap",)

    def __init__(self) -> None:
        # A new one for each look at the quota: what ends it in advance keeps it from being taken.
        self.nap = anyio.CancelScope()


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
        """Remove a waiter, wherever it stands; if it was the first, the next one's turn begins."""
        was_first = self.waiters[0] is waiter
        self.waiters.remove(waiter)
        if was_first and self.waiters:
            self.waiters[0].nap.cancel()
