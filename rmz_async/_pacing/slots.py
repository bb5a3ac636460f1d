"""What a request waits for: RMZ's requests a minute, and ours at once."""

from __future__ import annotations

import logging
import math
from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType

import anyio

from rmz_async._calls.call import Failed, Waiting
from rmz_async._calls.retry import Failure
from rmz_async._calls.token import Secret
from rmz_async._calls.wire import Answer
from rmz_async._pacing.line import NoTurnError, Pacer, quota_key
from rmz_async.operations import Operation
from rmz_async.pacing import Pacing

logger = logging.getLogger("rmz_async")

# RMZ counts a request when it arrives: one that waited longer for a connection is counted anew.
STALE = 0.5

# How long a store may take to count a request less, even where the call is given up; seconds.
GIVING_BACK = 0.5


class Turns:
    """The gates before each request.

    Args:
        pacing: How to keep within RMZ's limits; None for leaving that to RMZ.
        waiting: The clock, and how to sleep.
    """

    def __init__(self, pacing: Pacing | None, waiting: Waiting) -> None:
        self._pacing = pacing
        self._waiting = waiting
        # Also where it is not asked: copies may ask it, and count together.
        self._pacer = Pacer(Pacing() if pacing is None else pacing, waiting)
        self._token: Secret | None = None
        self._keys: dict[str, str] = {}

    def with_pacing(self, pacing: Pacing | None) -> Turns:
        """Return turns with other limits, which count together with these where they can."""
        copy = Turns(pacing, self._waiting)
        copy._pacer = self._pacer if pacing is None else self._pacer.with_pacing(pacing)
        return copy

    def turn(
        self, operation: Operation, token: Secret, at_once: anyio.Semaphore, until: float
    ) -> Turn:
        """Return a turn to enter.

        Args:
            operation: The call; it names the quota.
            token: Whose quota it is.
            at_once: How many requests may be under way.
            until: When the turn must have come; seconds, monotonic.
        """
        if self._pacing is None:
            return Turn(at_once)
        lookup = operation.quota == "lookup"
        limit = self._pacing.lookup_per_minute if lookup else self._pacing.per_minute
        key = self._key(token, operation.quota)
        return PacedTurn(at_once, self._pacer, self._waiting, key, limit, until)

    def _key(self, token: Secret, quota: str) -> str:
        if token is not self._token:
            self._token, self._keys = token, {}
        key = self._keys.get(quota)
        if key is None:
            key = self._keys[quota] = quota_key(token, quota)
        return key


class Turn:
    """One of the requests under way."""

    def __init__(self, at_once: anyio.Semaphore) -> None:
        self._at_once = at_once

    async def __aenter__(self) -> Turn:
        """Wait for it."""
        await self._at_once.acquire()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let the next one go."""
        self._at_once.release()

    async def tell(self, result: Answer | Failed, *, within: float) -> None:
        """Learn from what came back, and take no longer than *within* seconds for it."""


class PacedTurn(Turn):
    """One of the requests under way, counted in its quota.

    Raises:
        NoTurnError: When it is entered: it would come too late.
    """

    def __init__(
        self,
        at_once: anyio.Semaphore,
        pacer: Pacer,
        waiting: Waiting,
        key: str,
        limit: int,
        until: float,
    ) -> None:
        super().__init__(at_once)
        self._pacer = pacer
        self._waiting = waiting
        self._key = key
        self._limit = limit
        self._until = until
        self._at = 0.0

    async def __aenter__(self) -> Turn:
        """Wait for both gates."""
        while True:
            self._at = await self._pacer.turn(self._key, self._limit, until=self._until)
            try:
                await self._at_once.acquire()
            except BaseException:
                await self._give_back()
                raise
            try:
                counted = self._waiting.clock() - self._at < STALE or await self._count_anew()
            except BaseException:
                self._at_once.release()
                raise
            if counted:
                return self
            self._at_once.release()

    async def _count_anew(self) -> bool:
        await self._give_back()
        now = self._waiting.clock()
        try:
            self._at = await self._pacer.turn(self._key, self._limit, until=now)
        except NoTurnError:
            return False
        return True

    async def tell(self, result: Answer | Failed, *, within: float) -> None:
        """Learn from an answer, and give back what was not sent."""
        if isinstance(result, Failed):
            if result.failure in (Failure.NOT_SENT, Failure.NEVER_SENT):
                await self._give_back(within)
            return
        learning = self._pacer.learn(self._key, self._limit, result.status, result.headers)
        if self._pacer.never_hangs_nor_fails:
            await learning
            return
        with _told(within):
            await learning

    async def _give_back(self, within: float = math.inf) -> None:
        # A store that is far away takes its time, and the turn must not be lost with the call.
        with _told(min(GIVING_BACK, within), shield=True):
            await self._pacer.give_back(self._key, self._at)


@contextmanager
def _told(within: float, *, shield: bool = False) -> Generator[None]:
    """Tell the log, and nobody else, that a store of the caller's fails, or takes too long."""
    with anyio.move_on_after(within, shield=shield) as scope:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - it raises what it likes
            # What came of the call is known, and counts for more than its count.
            logger.warning("the quota store failed: %s", type(error).__name__)
    if scope.cancelled_caught:
        logger.warning("the quota store failed: no answer within %.1f s", within)
