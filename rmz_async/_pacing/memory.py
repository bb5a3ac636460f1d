"""Counting requests within one process."""

from __future__ import annotations

import os
import threading

from rmz_async._pacing.quota import Quota
from rmz_async.options import QuotaReport

__all__ = ("InMemoryQuotaStore",)

# Quotas that are kept before those without a recent request are dropped.
_MIN_CAPACITY = 64


class InMemoryQuotaStore:
    """Counts requests within this process, for clients in any of its threads.

    After a fork, parent and child continue from the same count, each on its own.
    """

    def __init__(self) -> None:
        self._quotas: dict[str, Quota] = {}
        self._capacity = _MIN_CAPACITY
        self._pid = os.getpid()
        self._lock = threading.Lock()

    async def reserve(self, key: str, per_minute: int, now: float, *, ahead: int = 0) -> float:
        """See `QuotaStore.reserve`."""
        with self._lock if os.getpid() == self._pid else self._renewed_lock():
            quota = self._quotas.get(key) or self._added(key, now)
            wait = quota.wait(per_minute, now, ahead)
            if wait <= 0 and not ahead:
                quota.record(now)
            return wait

    async def forget(self, key: str, at: float) -> None:
        """See `QuotaStore.forget`."""
        with self._lock if os.getpid() == self._pid else self._renewed_lock():
            quota = self._quotas.get(key)
            if quota is not None:
                quota.forget(at)

    async def learn(self, key: str, per_minute: int, now: float, report: QuotaReport) -> bool:
        """See `QuotaStore.learn`."""
        with self._lock if os.getpid() == self._pid else self._renewed_lock():
            quota = self._quotas.get(key) or self._added(key, now)
            return quota.learn(per_minute, now, report)

    def _renewed_lock(self) -> threading.Lock:
        # A fork can happen while another thread holds the lock. The child does not have that
        # thread, and would never get the lock.
        self._pid = os.getpid()
        self._lock = threading.Lock()
        return self._lock

    def _added(self, key: str, now: float) -> Quota:
        # Tokens are renewed, and a platform holds the tokens of many shops.
        if len(self._quotas) >= self._capacity:
            self._quotas = {
                key: quota for key, quota in self._quotas.items() if not quota.is_idle(now)
            }
            self._capacity = _MIN_CAPACITY + 2 * len(self._quotas)
        quota = self._quotas[key] = Quota()
        return quota
