"""Counting requests for all processes that share a Redis."""

from __future__ import annotations

import logging
import math
import os
import time
import uuid
from collections.abc import Callable
from typing import Any

import attrs

from rmz_async._pacing.memory import InMemoryQuotaStore
from rmz_async.errors import ConfigurationError
from rmz_async.options import QuotaReport
from rmz_async.redis import _scripts
from rmz_async.redis._link import Argument, Link
from rmz_async.redis._memory import ServerMemory

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
        # Used without Redis, as if each process sent as many requests as this one.
        self._alone = InMemoryQuotaStore(weight=processes)
        self._memories: dict[str, ServerMemory] = {}
        self._lost_at: float | None = None
        self._identity = uuid.uuid4().hex

    async def reserve(self, key: str, per_minute: int, now: float, *, ahead: int = 0) -> float:
        """See `QuotaStore.reserve`."""
        memory = self._memories.setdefault(key, ServerMemory())
        names = False
        while True:
            mark, names = memory.mark, names or memory.is_alone
            answer = await self._ask(
                _scripts.RESERVE,
                key,
                per_minute,
                ahead,
                self._member(now),
                memory.generation,
                memory.since,
                self._processes,
                self._process(),
                *(["1", *memory.report(now)] if names else [""]),
            )
            if answer is None:
                return await self._reserve_alone(key, memory, per_minute, now, ahead)
            if answer[0]:
                memory.learn(answer[2], answer[3], answer[4], now, mark)
                return float(answer[0])
            # A restarted server has lost the last minute: the next call sends it.
            names = True

    async def forget(self, key: str, at: float) -> None:
        """See `QuotaStore.forget`."""
        self._memories.setdefault(key, ServerMemory()).forget(f"{self._member(at)}:")
        await self._alone.forget(key, at)
        await self._ask(_scripts.FORGET, key, self._member(at))

    async def learn(self, key: str, per_minute: int, now: float, report: QuotaReport) -> bool:
        """See `QuotaStore.learn`."""
        # A process without Redis must know of a closure that it has met itself. While Redis counts,
        # only Redis knows whether RMZ's figure shows the requests of a stranger.
        alone = self._memories.setdefault(key, ServerMemory()).is_alone
        known = report if alone else attrs.evolve(report, remaining=None)
        changed = await self._alone.learn(key, per_minute, now, known)
        figures = (report.limit, report.remaining, report.closed_for)
        answer = await self._ask(
            _scripts.LEARN,
            key,
            per_minute,
            *("" if figure is None else figure for figure in figures),
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
            return None
        if self._lost_at is not None:
            self._lost_at = None
            logger.warning("Redis counts requests again")
        return answer

    async def _reserve_alone(
        self, key: str, memory: ServerMemory, per_minute: int, now: float, ahead: int
    ) -> float:
        """Reserve without Redis."""
        alone = self._alone
        if not memory.is_alone:
            await alone.count(key, now, memory.times(now))
            if memory.generation and self._processes > 1:
                # Other processes may have sent requests since Redis last answered this process.
                room = alone.room(key, per_minute, now)
                await alone.count(key, now, [now] * math.ceil(room / 2))
        wait = await alone.reserve(key, per_minute, now, ahead=ahead)
        if wait <= 0 and not ahead:
            memory.record(f"{self._member(now)}:{uuid.uuid4().hex}", now)
        memory.mark = object()
        return wait

    def _process(self) -> str:
        # Parent and child of a fork have the same identity.
        return f"{self._identity}:{os.getpid()}"

    def _member(self, at: float) -> str:
        return f"{self._process()}:{at!r}"
