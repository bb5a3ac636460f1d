"""The parts of a receiver, put together: its face imports them when the first one is made."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

import anyio
import attrs

from rmz_async._calls.clock import Clock
from rmz_async._per_loop import PerLoop
from rmz_async.errors import ConfigurationError
from rmz_async.observing import Observer, guarded
from rmz_async.webhooks._ack import Ack
from rmz_async.webhooks._backoff import Backoff
from rmz_async.webhooks._batching import Batches
from rmz_async.webhooks._commits import Commits
from rmz_async.webhooks._hand_over import Enqueue, HandOver
from rmz_async.webhooks._handlers import (
    Handler,
    Handlers,
    Rules,
    Wanted,
    checked,
    grouping_of,
    name_of,
)
from rmz_async.webhooks._intake import Arrival, Intake, read_all
from rmz_async.webhooks._records import delivery_record
from rmz_async.webhooks._replaying import Replay, replayed
from rmz_async.webhooks._secrets import CurrentKeys
from rmz_async.webhooks._threads import in_thread
from rmz_async.webhooks._transaction import Cursor, Transaction, mark_done, transaction
from rmz_async.webhooks._walking import Comparison
from rmz_async.webhooks._worker import Worker
from rmz_async.webhooks._working import Background, Signal, working
from rmz_async.webhooks.events import Event
from rmz_async.webhooks.health import HealthMonitor
from rmz_async.webhooks.inbox.interface import Inbox
from rmz_async.webhooks.inbox.opening import inbox_of
from rmz_async.webhooks.reconciliation import Reconciliation

if TYPE_CHECKING:
    from rmz_async.client import Client

H = TypeVar("H", bound=Handler)

FEEDS = "rmz.paywall."


class Parts:
    """The inbox, the handlers, and all that works between them.

    Raises:
        ConfigurationError: The inbox's address is of no known kind, or an option breaks a rule.
    """

    def __init__(
        self,
        keys: CurrentKeys,
        inbox: str | Inbox,
        *,
        max_attempts: int,
        backoff: Backoff,
        forget_after: float | None,
        handler_timeout: float,
        allow_unsigned: bool,
        observer: Observer | None,
        clock: Clock | None,
    ) -> None:
        self._handlers = Handlers()
        self.monitor = HealthMonitor()
        self.intake = Intake(keys, self._handlers, allow_unsigned=allow_unsigned)
        self._rules = Rules(max_attempts=max_attempts, backoff=backoff)
        _check_seconds("handler_timeout", handler_timeout)
        if forget_after is not None:
            _check_seconds("forget_after", forget_after)
        self._forget_after = forget_after
        self.clock = Clock() if clock is None else clock
        self.inbox = inbox_of(inbox, self.clock)
        self._observer = guarded(observer)
        self._worker = Worker(
            self.inbox, self._handlers, self.clock, handler_timeout, observer=self._observer
        )
        self.hand_over: HandOver | None = None
        self._signals: set[Signal] = set()
        self._commits: PerLoop[Commits] = PerLoop(Commits)
        self.deliveries: Batches[Arrival, int | None] = Batches(self.add, read_all)

    def registering(
        self,
        wanted: Sequence[Wanted],
        *,
        ordered: bool,
        coalesce: bool,
        max_attempts: int | None,
        backoff: Backoff | None,
        name: str | None,
    ) -> Callable[[H], H]:
        """Return the decorator that registers a function for events."""
        checked(wanted)
        rules = Rules(
            grouping=grouping_of(ordered=ordered, coalesce=coalesce),
            max_attempts=self._rules.max_attempts if max_attempts is None else max_attempts,
            backoff=self._rules.backoff if backoff is None else backoff,
        )

        def register(handler: H) -> H:
            self._handlers.add(name_of(handler) if name is None else name, handler, wanted, rules)
            return handler

        return register

    def register_fallback(self, handler: Handler) -> None:
        """Register a function for the events that no other handler wants."""
        self._handlers.add(name_of(handler), handler, (), self._rules)

    def register_feed(self, feed: Handler) -> None:
        """Register what a paywall learns with."""
        number = sum(name.startswith(FEEDS) for name in self._handlers.names)
        rules = attrs.evolve(self._rules, grouping=grouping_of(ordered=False, coalesce=True))
        self._handlers.add(f"{FEEDS}{number}", feed, ("subscription.*",), rules)

    def hand_off(self, enqueue: Enqueue) -> None:
        """Hand events over to a queue from now on."""
        if not callable(cast("object", enqueue)):
            raise ConfigurationError("hand_off: must be a function of a delivery's number")
        self.hand_over = HandOver(self._worker, enqueue)

    def transaction(self, event: Event) -> Transaction:
        """Return a transaction for the handler that calls."""
        return transaction(self.inbox, event, self._commits)

    def mark_done(self, event: Event, cursor: Cursor) -> None:
        """Mark the handler that calls as done."""
        mark_done(self.inbox, event, cursor)

    @asynccontextmanager
    async def working(self, concurrency: int, grace: float) -> AsyncGenerator[None]:
        """Do the work of ``working``."""
        self.check_working(concurrency, grace)
        signal = Signal()
        background = Background(
            worker=self._worker,
            signal=signal,
            concurrency=concurrency,
            forget_after=self._forget_after,
            hand_over=None if self.hand_over is None else self.hand_over.hand_over_due,
        )
        self._signals.add(signal)
        try:
            async with working(background, grace):
                yield
        finally:
            self._signals.discard(signal)

    async def drain(self) -> int:
        """Do the work of ``drain``."""
        count = 0
        limiter = anyio.CapacityLimiter(1)
        async with self._worker.keeping_leases() as leased:
            while tasks := await self._worker.claim(1):
                for task in tasks:
                    await self._worker.run(task, leased, limiter)
                    count += 1
        return count

    async def run_one(self, inbox_id: int) -> int:
        """Do the work of ``run_one``."""
        limiter = anyio.CapacityLimiter(1)
        async with self._worker.keeping_leases() as leased:
            tasks = await self._worker.claim(100, inbox_id)
            # The leases of all tasks are kept, because each waits until those before it have ended.
            leased.update(tasks)
            waiting = deque(tasks)
            try:
                while waiting:
                    await self._worker.run(waiting.popleft(), leased, limiter)
            finally:
                if waiting:
                    await self._worker.give_back(waiting)
        return len(tasks)

    def replayed(self, inbox_id: int, *, dry_run: bool) -> Sequence[Replay]:
        """Do the work of ``replay``; this blocks."""
        found = replayed(self.inbox, self._handlers, inbox_id, dry_run=dry_run)
        self.wake()
        return found

    async def reconciled(self, rmz: Client, per_minute: int, feed_first: bool) -> Reconciliation:
        """Do the work of ``reconcile``, with a client of ``rmz_async``."""
        comparison = self.comparison(per_minute, feed_first)
        try:
            page = await in_thread(comparison.begin)
            if page is not None and await self._compared(comparison, rmz, page):
                comparison.finish()
        finally:
            await in_thread(comparison.leave)
        return comparison.report

    async def _compared(self, comparison: Comparison, rmz: Client, page: int) -> bool:
        pages = rmz.subscriptions.list(page=page).pages()
        while True:
            await self.clock.sleep(comparison.pause())
            comparison.ask()
            found = await anext(pages, None)
            if found is None:
                return True
            stored = await in_thread(partial(comparison.compare, found))
            if stored is None:
                return False
            await self.fed(stored)

    async def fed(self, stored: Sequence[int]) -> None:
        """Have the handlers of events run that a comparison has stored."""
        for inbox_id in stored:
            if self.hand_over is not None:
                await self.hand_over.hand_over(inbox_id)
        self.wake()

    def comparison(self, per_minute: int, feed_first: bool) -> Comparison:
        """Return a comparison that has not begun."""
        return Comparison(
            self.inbox,
            self._handlers,
            self.clock,
            per_minute=per_minute,
            feed_first=feed_first,
            delay=0.0 if self.hand_over is None else self.hand_over.delay,
        )

    def answered(self, found: Arrival | Ack, ack: Ack, inbox_id: int | None, seconds: float) -> Ack:
        """Note an answer for the health and for the observer, and return it."""
        self.monitor.answered(ack.status, seconds)
        if self._observer is not None:
            delivery = found.read() if isinstance(found, Arrival) else None
            self._observer.on_delivery(delivery_record(delivery, ack, inbox_id, seconds))
        return ack

    def wake(self) -> None:
        """Have the backgrounds look at the inbox now; any thread may do so."""
        for signal in tuple(self._signals):
            signal.set()

    def add(self, arrivals: Sequence[Arrival]) -> Sequence[int | None]:
        """Store deliveries; return the number of each, or None if its event was known. Blocks."""
        delay = 0.0 if self.hand_over is None else self.hand_over.delay
        return self.inbox.add([arrival.read() for arrival in arrivals], delay=delay)

    @staticmethod
    def check_working(concurrency: int, grace: float) -> None:
        """Check the options of ``working()``.

        Raises:
            ConfigurationError: An option breaks a rule.
        """
        if type(concurrency) is not int or concurrency < 1:
            raise ConfigurationError("concurrency: must be an integer of 1 or more")
        _check_seconds("grace", grace)


def _check_seconds(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise ConfigurationError(f"{name}: must be a number of seconds, 0 or more")
