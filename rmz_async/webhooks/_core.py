"""The parts of a receiver that are the same with and without an event loop."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

import anyio
import attrs

from rmz_async._calls.clock import Clock
from rmz_async._per_loop import PerLoop
from rmz_async.errors import ConfigurationError
from rmz_async.observing import Observer, guarded
from rmz_async.webhooks._commits import Commits
from rmz_async.webhooks._hand_over import Enqueue, HandOver
from rmz_async.webhooks._handlers import (
    Backoff,
    Handler,
    Handlers,
    Rules,
    Wanted,
    checked,
    default_backoff,
    grouping_of,
    name_of,
)
from rmz_async.webhooks._intake import Ack, Arrival, Intake
from rmz_async.webhooks._records import delivery_record
from rmz_async.webhooks._replaying import Replay, replayed
from rmz_async.webhooks._secrets import CurrentKeys, Secrets
from rmz_async.webhooks._threads import in_thread
from rmz_async.webhooks._transaction import Cursor, Transaction, mark_done, transaction
from rmz_async.webhooks._worker import Worker
from rmz_async.webhooks._working import Background, Signal, working
from rmz_async.webhooks.events import Event
from rmz_async.webhooks.health import HealthMonitor
from rmz_async.webhooks.inbox.interface import Inbox
from rmz_async.webhooks.inbox.opening import inbox_of
from rmz_async.webhooks.reconciliation import Comparison, Reconciliation

if TYPE_CHECKING:
    from rmz_async.client import Client

H = TypeVar("H", bound=Handler)

WEEK = 7 * 86_400.0

PAGES = 45
"""Pages of RMZ's list in a minute; a quarter of RMZ's requests is left to others."""

FEEDS = "rmz.paywall."


class Learner(Protocol):
    """A paywall, async or blocking."""

    @property
    def feed(self) -> Handler:
        """Learns from one event."""
        ...


class ReceiverCore:
    """Registers handlers and runs them; the receivers of both packages add the rest."""

    def __init__(
        self,
        *,
        secrets: Secrets,
        inbox: str | Inbox,
        max_attempts: int = 8,
        backoff: Backoff = default_backoff,
        forget_after: float | None = WEEK,
        handler_timeout: float = 300.0,
        allow_unsigned: bool = False,
        observer: Observer | None = None,
        _clock: Clock | None = None,
    ) -> None:
        keys = CurrentKeys(secrets)
        if not callable(secrets):
            del secrets
            keys.checked()
        self._handlers = Handlers()
        self._monitor = HealthMonitor()
        self._intake = Intake(keys, self._handlers, allow_unsigned=allow_unsigned)
        self._rules = Rules(max_attempts=max_attempts, backoff=backoff)
        _check_seconds("handler_timeout", handler_timeout)
        if forget_after is not None:
            _check_seconds("forget_after", forget_after)
        self._forget_after = forget_after
        clock = Clock() if _clock is None else _clock
        self._clock = clock
        self._seconds = clock.clock
        self._inbox = inbox_of(inbox, clock)
        self._observer = guarded(observer)
        self._worker = Worker(
            self._inbox, self._handlers, clock, handler_timeout, observer=self._observer
        )
        self._hand_over: HandOver | None = None
        self._signals: set[Signal] = set()
        self._commits: PerLoop[Commits] = PerLoop(Commits)

    def __repr__(self) -> str:
        # A traceback with variables shows a receiver whose options were refused, too.
        inbox = getattr(self, "_inbox", None)
        return f"Receiver(inbox={inbox!r})"

    @property
    def inbox(self) -> Inbox:
        """The inbox, whose methods block."""
        return self._inbox

    def on(
        self,
        *wanted: Wanted,
        ordered: bool = False,
        coalesce: bool = False,
        max_attempts: int | None = None,
        backoff: Backoff | None = None,
        name: str | None = None,
    ) -> Callable[[H], H]:
        """Register the decorated function for events.

        The function is async, or plain: a plain one runs in a worker thread. Several functions may
        be registered for one event; each has attempts of its own, and none waits for another.

        A pattern such as ``subscription.*`` matches events that can be read. ``*`` matches all, and
        the class ``UnknownEvent`` those that this version does not know or cannot read.

        Args:
            wanted: Event types, event classes, or patterns of names such as ``subscription.*``.
            ordered: Run for the events of one subscription, or one order, one after another as they
                came. An event that fails holds up the later ones until its last attempt.
            coalesce: Run for the newest of all events of one subscription, or one order, that wait,
                and not for the others. For handlers that read the present state.
            max_attempts: How many attempts the function gets for each event; the receiver's if left
                out.
            backoff: How long to wait between two of them; the receiver's if left out.
            name: The name that stands in the inbox; the function's own if left out. A name must
                stay the same as long as tasks wait for it.

        Returns:
            A decorator that returns the function unchanged.

        Raises:
            ConfigurationError: Nothing was named, or something that is no event; two handlers have
                the same name; the function yields; or an option breaks a rule.
        """
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

    def fallback(self, handler: H) -> H:
        """Register the decorated function for the events that no other handler wants.

        Events of types that this version does not know are among them; events that cannot be read
        are not, and wait in the inbox.
        """
        self._handlers.add(name_of(handler), handler, (), self._rules)
        return handler

    def feeds(self, learner: Learner) -> None:
        """Feed all events of subscriptions to a paywall, as a handler of this receiver.

        A paywall that cannot ask RMZ gets the event again later, like every handler.

        Args:
            learner: The paywall; a receiver may feed several.
        """
        number = sum(name.startswith(FEEDS) for name in self._handlers.names)
        rules = attrs.evolve(self._rules, grouping=grouping_of(ordered=False, coalesce=True))
        self._handlers.add(f"{FEEDS}{number}", learner.feed, ("subscription.*",), rules)

    def hand_off(self, enqueue: Enqueue) -> Enqueue:
        """Hand events over to a queue, in place of running their handlers here; a decorator.

        The queue's worker calls `run_one` with the number. A number may come twice, which does no
        harm. If the queue loses one, or its worker dies, ``working()`` hands the number over again.

        Args:
            enqueue: Gets the number of a delivery in the inbox; async, or plain.

        Raises:
            ConfigurationError: *enqueue* is no function.
        """
        if not callable(cast("object", enqueue)):
            raise ConfigurationError("hand_off: must be a function of a delivery's number")
        self._hand_over = HandOver(self._worker, enqueue)
        return enqueue

    def transaction(self, event: Event) -> Transaction:
        """Return a transaction in which the calling handler's effect happens once.

        ``async with`` in an async handler, ``with`` in a plain one. The context is the inbox's own
        connection: a ``sqlite3.Connection``, or SQLAlchemy's ``Connection`` for PostgreSQL. Its
        statements block. The effect and the mark that the handler is done are committed together.
        Keep it short, because it holds up the storing of deliveries in SQLite, and wait in it for
        no other handler: async handlers that follow each other share a commit there. A block
        returns when its effect is durable, and one that fails takes back its own effect only.

        Args:
            event: The event that the handler got.

        Raises:
            ConfigurationError: The caller is not a handler of *event*. Raised as the block begins:
                the handler is inside another one, or writes ``with`` in an event loop.
            TaskLostError: Raised as the block begins: another worker has the event's task now.
        """
        return transaction(self._inbox, event, self._commits)

    def mark_done(self, event: Event, cursor: Cursor) -> None:
        """Mark the calling handler as done, in a transaction of your own in the inbox's database.

        Args:
            event: The event that the handler got.
            cursor: A cursor of the database in which the inbox is, Django's for instance.

        Raises:
            ConfigurationError: The caller is not a handler of *event*.
            TaskLostError: Another worker has the event's task now: roll your transaction back.
        """
        mark_done(self._inbox, event, cursor)

    @asynccontextmanager
    async def _working(self, concurrency: int, grace: float) -> AsyncGenerator[None]:
        check_working(concurrency, grace)
        signal = Signal()
        background = Background(
            worker=self._worker,
            signal=signal,
            concurrency=concurrency,
            forget_after=self._forget_after,
            hand_over=None if self._hand_over is None else self._hand_over.hand_over_due,
        )
        self._signals.add(signal)
        try:
            async with working(background, grace):
                yield
        finally:
            self._signals.discard(signal)

    async def _drain(self) -> int:
        count = 0
        limiter = anyio.CapacityLimiter(1)
        async with self._worker.keeping_leases() as leased:
            while tasks := await self._worker.claim(1):
                for task in tasks:
                    await self._worker.run(task, leased, limiter)
                    count += 1
        return count

    async def _run_one(self, inbox_id: int) -> int:
        limiter = anyio.CapacityLimiter(1)
        async with self._worker.keeping_leases() as leased:
            tasks = await self._worker.claim(100, inbox_id)
            # All of them, because each waits until those before it have ended.
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
        found = replayed(self._inbox, self._handlers, inbox_id, dry_run=dry_run)
        self._wake()
        return found

    async def reconciled(self, rmz: Client, per_minute: int, feed_first: bool) -> Reconciliation:
        """Do the work of ``reconcile``, with a client of ``rmz_async``."""
        comparison = self._comparison(per_minute, feed_first)
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
            await self._clock.sleep(comparison.pause())
            comparison.ask()
            found = await anext(pages, None)
            if found is None:
                return True
            stored = await in_thread(partial(comparison.compare, found))
            if stored is None:
                return False
            await self._fed(stored)

    async def _fed(self, stored: Sequence[int]) -> None:
        for inbox_id in stored:
            if self._hand_over is not None:
                await self._hand_over.hand_over(inbox_id)
        self._wake()

    def _comparison(self, per_minute: int, feed_first: bool) -> Comparison:
        return Comparison(
            self._inbox,
            self._handlers,
            self._clock,
            per_minute=per_minute,
            feed_first=feed_first,
            delay=0.0 if self._hand_over is None else self._hand_over.delay,
        )

    def _answered(
        self, found: Arrival | Ack, ack: Ack, inbox_id: int | None, seconds: float
    ) -> Ack:
        self._monitor.answered(ack.status, seconds)
        if self._observer is not None:
            delivery = found.read() if isinstance(found, Arrival) else None
            self._observer.on_delivery(delivery_record(delivery, ack, inbox_id, seconds))
        return ack

    def _wake(self) -> None:
        for signal in tuple(self._signals):
            signal.set()

    def _add(self, arrivals: Sequence[Arrival]) -> Sequence[int | None]:
        delay = 0.0 if self._hand_over is None else self._hand_over.delay
        return self._inbox.add([arrival.read() for arrival in arrivals], delay=delay)


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
