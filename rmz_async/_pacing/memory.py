"""Counting requests within one process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Concatenate, Final, ParamSpec, TypeVar

from rmz_async._pacing.quota import Quota
from rmz_async.options import QuotaReport

__all__ = ("InMemoryQuotaStore",)

P = ParamSpec("P")
R = TypeVar("R")

# Quotas that are kept before those without a recent request are dropped.
_MIN_CAPACITY = 64


class InMemoryQuotaStore:
    """Counts requests within this process, for clients in any of its threads.

    After a fork, parent and child continue from the same count, each on its own.

    Args:
        weight: How many times each request counts, if the limit allows that.
    """

    # No lock: a finalizer or a signal handler may run in the middle of a count, make a call of a
    # client in another thread, and wait for it. That thread would wait for the lock for ever. So
    # each change makes a new version of a quota, and is made again if another thread was faster.

    def __init__(self, weight: int = 1) -> None:
        self._weight = weight
        self._versions: dict[str, _Version] = {}
        self._capacity = _MIN_CAPACITY

    async def reserve(self, key: str, per_minute: int, now: float, *, ahead: int = 0) -> float:
        """See `QuotaStore.reserve`."""
        return self._change(key, now, Quota.reserve, per_minute, now, ahead, self._weight)

    async def forget(self, key: str, at: float) -> None:
        """See `QuotaStore.forget`."""
        if key in self._versions:
            self._change(key, at, Quota.forget, at, self._weight)

    async def learn(self, key: str, per_minute: int, now: float, report: QuotaReport) -> bool:
        """See `QuotaStore.learn`."""
        return self._change(key, now, Quota.learn, per_minute, now, report)

    async def count(self, key: str, now: float, sent: Sequence[float]) -> None:
        """Count requests that were sent at these times, whatever the limit."""
        self._change(key, now, Quota.record, *sent)

    def room(self, key: str, per_minute: int, now: float) -> int:
        """Return how many requests of the last minute the limit leaves, closures aside."""
        return self._change(key, now, Quota.room, per_minute, now)

    def _change(
        self,
        key: str,
        now: float,
        change: Callable[Concatenate[Quota, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Change a quota, again if another thread was faster, and return what *change* returns."""
        while True:
            version = (self._versions.get(key) or self._added(key, now)).latest()
            quota = version.quota.copy()
            result = change(quota, *args, **kwargs)
            follower = _Version(quota)
            # Threads append one after the other, and the first one counts.
            version.followers.append(follower)
            if version.followers[0] is follower:
                self._versions[key] = follower
                return result

    def _added(self, key: str, now: float) -> _Version:
        # Tokens are renewed, and a platform holds the tokens of many shops.
        if len(self._versions) >= self._capacity:
            for other, version in list(self._versions.items()):
                # A request that another thread counts at this moment is forgotten too.
                if version.latest().quota.is_idle(now):
                    self._versions.pop(other, None)
            self._capacity = _MIN_CAPACITY + 2 * len(self._versions)
        return self._versions.setdefault(key, _Version(Quota()))


class _Version:
    """A quota that is never changed, and those that came after it.

    Attributes:
        quota: The quota.
        followers: The first one is the next version. The others came too late.
    """

    def __init__(self, quota: Quota) -> None:
        self.quota: Final = quota
        self.followers: Final[list[_Version]] = []

    def latest(self) -> _Version:
        """Return the version that nothing has followed yet."""
        version = self
        while version.followers:
            version = version.followers[0]
        return version
