"""The wait before each request: for a slot in the minute, and for a place among those under way."""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Awaitable, Generator, Mapping
from contextlib import contextmanager
from types import TracebackType

import anyio

from rmz_async._calls.clock import Clock
from rmz_async._calls.outcome import Answer, Failed, Failure
from rmz_async._calls.token import Secret
from rmz_async._pacing.line import Line, NoSlotError
from rmz_async._pacing.memory import InMemoryQuotaStore
from rmz_async._pacing.quota import MARGIN, report_of
from rmz_async.operations import Operation
from rmz_async.options import Pacing, QuotaStore

logger = logging.getLogger("rmz_async")

# Seconds after which an unused slot is counted again, because RMZ counts a request when it arrives.
SLOT_EXPIRY = 0.5

# Seconds that a quota store may take to forget a request, even if the call is cancelled.
FORGET_TIMEOUT = 0.5

# The most seconds that a quota store may take to learn from an answer, for which the caller waits.
REPORT_TIMEOUT = 1.0

# Seconds that the store has for that even if the call's deadline is over.
MIN_REPORT_TIMEOUT = 0.1


class Slots:
    """The slots of one client: each is for one request, which is sent immediately.

    If no request waits and the quota has room, a request passes without a lock and without yielding
    to other tasks. Otherwise it joins a line. There is a line for each quota, limit and event loop:
    loops in several threads share the count, but each wakes only its own tasks.

    Args:
        pacing: How to keep within RMZ's limits; None leaves that to RMZ.
        clock: The time, and how to sleep.
        sharing: Slots to count together with, unless *pacing* names another store.
    """

    def __init__(self, pacing: Pacing | None, clock: Clock, sharing: Slots | None = None) -> None:
        self._pacing = pacing
        self._max_wait = math.inf if pacing is None else pacing.max_wait
        self._clock = clock
        # A line exists only while a task waits in it, because event loops come and go.
        self._lines: dict[tuple[object, str, int], Line]
        self._store: QuotaStore
        store = None if pacing is None else pacing.store
        # Copies that leave pacing to RMZ pass the count on to their own copies.
        if sharing is not None and (store is None or store is sharing._store):
            self._store, self._lines = sharing._store, sharing._lines
        else:
            self._store = InMemoryQuotaStore() if store is None else store
            self._lines = {}
        # A caller's own store may hang or fail, and so may a subclass of the library's.
        self.trusts_store: bool = type(self._store) is InMemoryQuotaStore
        self._token: Secret | None = None
        self._keys: dict[str, str] = {}

    def with_pacing(self, pacing: Pacing | None) -> Slots:
        """Return slots with other limits, which count together with these if they can."""
        return Slots(pacing, self._clock, self)

    def slot(
        self, operation: Operation, token: Secret, concurrency: anyio.Semaphore, until: float
    ) -> Slot:
        """Return a slot to enter.

        Args:
            operation: The call; it names the quota.
            token: The token that has the quota.
            concurrency: How many requests may be under way.
            until: When the slot must have come; seconds, monotonic.
        """
        if self._pacing is None:
            return Slot(self._clock, concurrency)
        if token is not self._token:
            self._token, self._keys = token, {}
        key = self._keys.get(operation.quota)
        if key is None:
            key = self._keys[operation.quota] = quota_key(token, operation.quota)
        lookup = operation.quota == "lookup"
        limit = self._pacing.lookup_per_minute if lookup else self._pacing.per_minute
        return Slot(self._clock, concurrency, self, key, limit, until)

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

        def ask(now: float, ahead: int) -> Awaitable[float]:
            return self._store.reserve(key, per_minute, now, ahead=ahead)

        # Calls with a higher limit need not wait behind calls with a lower limit.
        place = (anyio.lowlevel.current_token(), key, per_minute)
        line = self._lines.setdefault(place, Line())
        try:
            return await line.wait(ask, self._clock, latest)
        finally:
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
        # Only a 429 names a moment.
        unix_now = self._clock.today().timestamp() if status == 429 else 0.0
        report = report_of(status, headers, unix_now)
        if await self._store.learn(key, per_minute, self._clock.clock(), report):
            self._wake(key)
        return None if report.closed_for is None else report.closed_for + MARGIN

    def _wake(self, key: str) -> None:
        # Asking for the event loop costs more than all the rest of a slot without a wait.
        if self._lines:
            token = anyio.lowlevel.current_token()
            for (loop, quota, _), line in list(self._lines.items()):
                if (loop, quota) == (token, key):
                    line.wake()


class Slot:
    """A request under way, counted in its quota unless pacing is left to RMZ.

    Raises:
        NoSlotError: When it is entered, if the slot would come too late.
    """

    def __init__(
        self,
        clock: Clock,
        concurrency: anyio.Semaphore,
        slots: Slots | None = None,
        key: str = "",
        limit: int = 0,
        until: float = 0.0,
    ) -> None:
        self._clock = clock
        self._concurrency = concurrency
        self._slots = slots
        self._key = key
        self._limit = limit
        self._until = until
        self._at = 0.0

    async def __aenter__(self) -> Slot:
        """Wait for the slot, and for one of the requests under way to end."""
        slots = self._slots
        if slots is None:
            await self._concurrency.acquire()
            return self
        while True:
            self._at = await slots.wait_for_slot(self._key, self._limit, until=self._until)
            try:
                await self._concurrency.acquire()
            except BaseException:
                await self._forget(slots, FORGET_TIMEOUT)
                raise
            try:
                if self._clock.clock() - self._at < SLOT_EXPIRY or await self._renew(slots):
                    return self
            except BaseException:
                self._concurrency.release()
                raise
            self._concurrency.release()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let the next request go."""
        self._concurrency.release()

    async def report(self, result: Answer | Failed, *, deadline: float) -> float | None:
        """Report what became of the request, so that its quota is counted right.

        A quota store that fails or is too slow costs neither the answer nor more than a second.

        Args:
            result: The answer, or why there is none.
            deadline: When the call must be over; seconds, monotonic.

        Returns:
            Seconds until the next slot if the answer closed the quota, else None.
        """
        slots = self._slots
        if slots is None:
            return None
        if isinstance(result, Answer):
            learning = slots.report(self._key, self._limit, result.status, result.headers)
            if slots.trusts_store:
                return await learning
            with _store_within(self._seconds_until(deadline)):
                return await learning
        elif result.failure in (Failure.NOT_SENT, Failure.NEVER_SENT):
            await self._forget(slots, min(FORGET_TIMEOUT, self._seconds_until(deadline)))
        return None

    def _seconds_until(self, deadline: float) -> float:
        return max(MIN_REPORT_TIMEOUT, min(REPORT_TIMEOUT, deadline - self._clock.clock()))

    async def _renew(self, slots: Slots) -> bool:
        await self._forget(slots, FORGET_TIMEOUT)
        now = self._clock.clock()
        try:
            self._at = await slots.wait_for_slot(self._key, self._limit, until=now)
        except NoSlotError:
            return False
        return True

    async def _forget(self, slots: Slots, within: float) -> None:
        # A remote store takes its time, and the slot must not be lost with a cancelled call.
        with _store_within(within, shield=True):
            await slots.forget(self._key, self._at)


@contextmanager
def _store_within(seconds: float, *, shield: bool = False) -> Generator[None]:
    """Log, and do not raise, if a caller's store fails or takes longer than *seconds*."""
    with anyio.move_on_after(seconds, shield=shield) as scope:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - a caller's store may raise anything
            # The outcome of the call is known, and matters more than its count.
            logger.warning("the quota store failed: %s", type(error).__name__)
    if scope.cancelled_caught:
        logger.warning("the quota store failed: no answer within %.1f s", seconds)


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
