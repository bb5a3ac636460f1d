"""How a client keeps within the number of requests that RMZ allows."""

from __future__ import annotations

import math
import os
import threading
from typing import Protocol, runtime_checkable

import attrs

from rmz_async._pacing.quota import Quota
from rmz_async.errors import ConfigurationError

__all__ = ("InMemoryQuotaStore", "Pacing", "QuotaStore")


def _at_least_one(_: object, attribute: attrs.Attribute[int], value: object) -> None:
    if type(value) is not int or value < 1:
        raise ConfigurationError(f"{attribute.name}: must be an integer of 1 or more")


def _zero_or_more(_: object, attribute: attrs.Attribute[float], value: object) -> None:
    # NaN compares false with everything, so it is refused here too.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ConfigurationError(f"{attribute.name}: must be a finite number of seconds, 0 or more")


def _a_store(_: object, attribute: attrs.Attribute[QuotaStore | None], value: object) -> None:
    # A class has the methods too, but nothing to call them on.
    if value is not None and (isinstance(value, type) or not isinstance(value, QuotaStore)):
        raise ConfigurationError(f"{attribute.name}: must have the methods of QuotaStore")


@runtime_checkable
class QuotaStore(Protocol):
    """Counts what was sent, for all who share it.

    Write one to share a token's quotas between processes. A store of its own server's time ignores
    each *now*: the monotonic clocks of two machines have nothing in common. One that cannot be
    reached should let requests pass: RMZ counts them, too.
    """

    async def reserve(self, key: str, per_minute: int, now: float, *, ahead: int = 0) -> float:
        """Note one request as sent now, if it may be.

        Args:
            key: The quota; it names a token without showing it.
            per_minute: The limit, unless RMZ named a lower one.
            now: Seconds, monotonic.
            ahead: How many others of this process go first. Above 0, nothing is noted.

        Returns:
            0 or less where the request may go now; else the seconds until it may be asked again.
        """
        ...

    async def give_back(self, key: str, at: float) -> None:
        """Forget the request that was noted at *at*: it was not sent after all."""
        ...

    async def learn(
        self,
        key: str,
        per_minute: int,
        now: float,
        *,
        limit: int | None,
        remaining: int | None,
        closed_for: float | None,
    ) -> bool:
        """Take in what an answer of RMZ says.

        Args:
            key: The quota.
            per_minute: The limit, unless RMZ named a lower one.
            now: Seconds, monotonic.
            limit: The limit that it names; any number.
            remaining: How many requests it says are left in RMZ's window; 0 or more.
            closed_for: For how many seconds RMZ refuses everything; 0 or more.

        Returns:
            Whether a wait may have changed.
        """
        ...


class InMemoryQuotaStore:
    """Counts within this process, for clients in any of its threads.

    After a fork, parent and child go on from the same count, each for itself.
    """

    def __init__(self) -> None:
        self._quotas: dict[str, Quota] = {}
        self._full = 64
        self._renew_lock()

    def _renew_lock(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()

    def _locked(self) -> threading.Lock:
        # It is held for microseconds, but a fork can happen in these, and the child would wait for
        # a thread that it does not have.
        if os.getpid() != self._pid:
            self._renew_lock()
        return self._lock

    def _quota(self, key: str, now: float) -> Quota:
        quota = self._quotas.get(key)
        if quota is None:
            self._make_room(now)
            quota = self._quotas[key] = Quota()
        return quota

    def _make_room(self, now: float) -> None:
        # Tokens are renewed, and a platform has those of many shops.
        if len(self._quotas) >= self._full:
            self._quotas = {
                key: quota for key, quota in self._quotas.items() if not quota.is_idle(now)
            }
            self._full = 64 + 2 * len(self._quotas)

    async def reserve(self, key: str, per_minute: int, now: float, *, ahead: int = 0) -> float:
        """See `QuotaStore.reserve`."""
        with self._locked():
            quota = self._quota(key, now)
            wait = quota.wait(per_minute, now, ahead)
            if wait <= 0 and not ahead:
                quota.take(now)
            return wait

    async def give_back(self, key: str, at: float) -> None:
        """See `QuotaStore.give_back`."""
        with self._locked():
            quota = self._quotas.get(key)
            if quota is not None:
                quota.give_back(at)

    async def learn(
        self,
        key: str,
        per_minute: int,
        now: float,
        *,
        limit: int | None,
        remaining: int | None,
        closed_for: float | None,
    ) -> bool:
        """See `QuotaStore.learn`."""
        with self._locked():
            return self._quota(key, now).learn(
                per_minute, now, limit=limit, remaining=remaining, closed_for=closed_for
            )


@attrs.frozen(kw_only=True)
class Pacing:
    """How a client waits its turn, so that RMZ does not have to refuse it.

    As long as a minute's quota has room, requests go at once; after that, first come, first served.
    Where RMZ's answers name a lower limit, that one holds. A higher one is not made use of: with a
    smaller number here, a share of the minute stays free for others who use the same token.

    Attributes:
        per_minute: Requests in a minute, for all calls but the next.
        lookup_per_minute: The same for ``subscriptions.lookup``, which has a quota of its own.
        max_wait: The longest wait for a turn, in seconds. A call that would wait longer fails at
            once, with nothing sent; 0 for never waiting.
        store: Where requests are counted. Each client counts its own where left out; give clients
            that share a token the same store.
    """

    per_minute: int = attrs.field(default=60, validator=_at_least_one)
    lookup_per_minute: int = attrs.field(default=120, validator=_at_least_one)
    max_wait: float = attrs.field(default=60.0, validator=_zero_or_more)
    store: QuotaStore | None = attrs.field(default=None, validator=_a_store)
