"""Counting requests within one process."""

from __future__ import annotations

from collections.abc import Sequence

from rmz_async._pacing.quota import Quota
from rmz_async.options import QuotaReport

__all__ = ("InMemoryQuotaStore",)

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
        while True:
            version = (self._versions.get(key) or self._added(key, now)).latest()
            quota = version.quota.copy()
            heavy = min(self._weight, quota.limit(per_minute))
            wait = quota.wait(per_minute, now, (ahead + 1) * heavy - 1)
            if wait > 0 or ahead:
                return wait
            for _ in range(heavy):
                quota.record(now)
            if self._follow(key, version, quota):
                return wait

    async def forget(self, key: str, at: float) -> None:
        """See `QuotaStore.forget`."""
        while first := self._versions.get(key):
            version = first.latest()
            quota = version.quota.copy()
            for _ in range(self._weight):
                quota.forget(at)
            if self._follow(key, version, quota):
                return

    async def count(self, key: str, now: float, sent: Sequence[float]) -> None:
        """Count requests that were sent at these times, whatever the limit."""
        while True:
            version = (self._versions.get(key) or self._added(key, now)).latest()
            quota = version.quota.copy()
            for at in sent:
                quota.record(at)
            if self._follow(key, version, quota):
                return

    def room(self, key: str, per_minute: int, now: float) -> int:
        """Return how many requests of the last minute the limit leaves, closures aside."""
        version = (self._versions.get(key) or self._added(key, now)).latest()
        return version.quota.copy().room(per_minute, now)

    async def learn(self, key: str, per_minute: int, now: float, report: QuotaReport) -> bool:
        """See `QuotaStore.learn`."""
        while True:
            version = (self._versions.get(key) or self._added(key, now)).latest()
            quota = version.quota.copy()
            changed = quota.learn(per_minute, now, report)
            if self._follow(key, version, quota):
                return changed

    def _follow(self, key: str, version: _Version, quota: Quota) -> bool:
        """Let *quota* follow *version*, unless another thread's quota does already."""
        follower = _Version(quota)
        # Threads append one after the other, and the first one counts.
        version.followers.append(follower)
        if version.followers[0] is not follower:
            return False
        self._versions[key] = follower
        return True

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

    __slots__ = ("followers", "quota")

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self.followers: list[_Version] = []

    def latest(self) -> _Version:
        """Return the version that nothing has followed yet."""
        version = self
        while version.followers:
            version = version.followers[0]
        return version
