"""Counting requests for all processes that share a Redis."""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

from rmz_async._pacing.memory import InMemoryQuotaStore
from rmz_async._pacing.quota import SPAN
from rmz_async.errors import ConfigurationError
from rmz_async.options import QuotaReport
from rmz_async.redis import _scripts
from rmz_async.redis._link import Argument, Link

__all__ = ("RedisQuotaStore",)

logger: logging.Logger = logging.getLogger("rmz_async")

# Seconds without Redis after one failure, so that a Redis that hangs does not slow down each call.
PAUSE = 1.0


class RedisQuotaStore:
    """Counts requests in Redis, so that all servers together stay within RMZ's minute.

    Give it to `Pacing`. If Redis cannot be reached, each process keeps to its share of the minute,
    and a warning says so once; another one says when Redis is back. The names of the keys hold a
    fingerprint of the token and never the token.

    Args:
        url: The server's address, such as ``redis://:password@host:6379/0``.
        processes: How many processes share the token; 1 or more. Without Redis, each sends at most
            the limit divided by this number.
        prefix: The beginning of each key.
        timeout: Seconds that Redis may take for one answer; above 0, at most 5.

    Raises:
        ConfigurationError: An argument breaks its rule.
        MissingExtraError: The package ``redis`` is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        processes: int = 8,
        prefix: str = "rmz:",
        timeout: float = 0.25,
        _clock: Callable[[], float] = time.monotonic,
        _server_time: Callable[[], float] | None = None,
    ) -> None:
        if type(processes) is not int or processes < 1:
            raise ConfigurationError("processes: must be an integer of 1 or more")
        self._link = Link(url, timeout)
        self._processes = processes
        self._prefix = prefix
        self._clock = _clock
        self._server_time = _server_time
        self._own = InMemoryQuotaStore()
        self._sent: dict[str, deque[tuple[float, str]]] = {}
        self._returns: set[str] = set()
        self._lost_at: float | None = None
        self._identity = uuid.uuid4().hex

    async def reserve(self, key: str, per_minute: int, now: float, *, ahead: int = 0) -> float:
        """See `QuotaStore.reserve`."""
        share = max(1, per_minute // self._processes)
        answer = await self._ask(
            _scripts.RESERVE, key, per_minute, ahead, self._member(now), *self._lost(key, now)
        )
        if answer is None:
            wait = await self._own.reserve(key, share, now, ahead=ahead)
            if wait <= 0 and not ahead:
                self._remember(key, now, f"{self._member(now)}:{uuid.uuid4().hex}")
            return wait
        self._returns.discard(key)
        if answer[1]:
            self._remember(key, now, answer[1])
            # Counted here too, for the moment at which Redis is gone.
            await self._own.reserve(key, per_minute, now)
        return float(answer[0])

    async def forget(self, key: str, at: float) -> None:
        """See `QuotaStore.forget`."""
        sent = self._sent.get(key, deque())
        for entry in [one for one in list(sent) if one[0] == at][-1:]:
            sent.remove(entry)
        await self._own.forget(key, at)
        await self._ask(_scripts.FORGET, key, self._member(at))

    async def learn(self, key: str, per_minute: int, now: float, report: QuotaReport) -> bool:
        """See `QuotaStore.learn`."""
        # A process without Redis must know of a closure that it has met itself.
        changed = await self._own.learn(
            key, per_minute, now, QuotaReport(limit=report.limit, closed_for=report.closed_for)
        )
        figures = (report.limit, report.remaining, report.closed_for)
        answer = await self._ask(
            _scripts.LEARN, key, per_minute, *("" if one is None else one for one in figures)
        )
        return changed if answer is None else bool(answer)

    def close(self) -> None:
        """Close the connections to Redis; the next request opens one."""
        self._link.close()

    async def _ask(self, script: str, key: str, *given: Argument) -> Any:
        """Return the answer of a script; None if Redis is gone."""
        if self._lost_at is not None and self._clock() < self._lost_at + PAUSE:
            return None
        moment = "" if self._server_time is None else repr(self._server_time())
        name = f"{self._prefix}quota:{{{key}}}"
        try:
            answer = await self._link.run(
                "EVAL", script, 2, f"{name}:sent", f"{name}:state", moment, *given
            )
        except Exception as error:  # noqa: BLE001 - redis-py, sockets and time-outs have their own
            if self._lost_at is None:
                logger.warning(
                    "Redis does not count requests: %s. This process keeps to 1/%d of each limit",
                    type(error).__name__,
                    self._processes,
                )
            self._lost_at = self._clock()
            self._returns = set(self._sent)
            return None
        if self._lost_at is not None:
            self._lost_at = None
            logger.warning("Redis counts requests again")
        return answer

    def _member(self, at: float) -> str:
        # Parent and child of a fork have the same identity.
        return f"{self._identity}:{os.getpid()}:{at!r}"

    def _lost(self, key: str, now: float) -> list[Argument]:
        """Return the requests of this process that a Redis without memory must hear of."""
        if key not in self._returns:
            return []
        pairs = [(max(0.0, now - at), member) for at, member in list(self._sent[key])]
        return [part for pair in pairs for part in pair]

    def _remember(self, key: str, now: float, member: str) -> None:
        sent = self._sent.setdefault(key, deque())
        sent.append((now, member))
        while sent[0][0] + SPAN <= now:
            sent.popleft()
