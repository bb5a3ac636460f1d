"""Store verified deliveries, answer RMZ, and run handlers for them afterwards."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar, cast

import attrs
from anyio import CapacityLimiter

from rmz_async._calls.clock import Clock
from rmz_async._calls.refusals import quoted
from rmz_async.errors import ConfigurationError, PayloadError, SignatureError
from rmz_async.webhooks._batching import Batches
from rmz_async.webhooks._hand_over import Enqueue, HandOver
from rmz_async.webhooks._handlers import (
    Backoff,
    Handler,
    Handlers,
    Rules,
    Wanted,
    default_backoff,
    grouping_of,
    name_of,
    subject_of,
)
from rmz_async.webhooks._headers import Headers
from rmz_async.webhooks._replaying import UNREADABLE, Replay, replayed
from rmz_async.webhooks._secrets import Keys, Secrets
from rmz_async.webhooks._threads import in_thread
from rmz_async.webhooks._transaction import Cursor, Transaction, mark_done, transaction
from rmz_async.webhooks._verifying import verified
from rmz_async.webhooks._worker import Worker
from rmz_async.webhooks._working import Background, Signal, working
from rmz_async.webhooks.events import Event, UnknownEvent
from rmz_async.webhooks.inbox.interface import Delivery, Inbox, Stats
from rmz_async.webhooks.inbox.opening import open_inbox

__all__ = ("Ack", "Receiver", "Replay")

logger: logging.Logger = logging.getLogger("rmz_async")

H = TypeVar("H", bound=Handler)

WEEK = 7 * 86_400.0


@attrs.frozen
class Ack:
    """The answer to RMZ.

    Attributes:
        status: The HTTP status.
        body: A short string, which RMZ ignores.
    """

    status: int
    body: str = ""


class Receiver:
    """Receives deliveries: each event is stored once, and each of its handlers succeeds once.

    A handler runs after the answer to RMZ. If it fails, it is attempted again later, and after the
    last attempt the error stays in the inbox. A process that dies in the middle of a handler makes
    the handler run again: use `transaction` so that its effect happens once.

    Register all handlers before the first delivery, in each process that receives.

    Args:
        secrets: See `verify`.
        inbox: ``sqlite:///`` and the path of a file, which all processes of one machine may share;
            ``postgresql://`` and the address of a database; or an `Inbox` of your own.
        max_attempts: How many attempts a handler gets for each event, 1 or more.
        backoff: Returns the seconds between an attempt, counted from 1, and the next one; up to a
            half of them is left out by chance. 5 seconds, 20, 80 and so on up to an hour if left
            out.
        forget_after: Seconds after which a delivery is forgotten, if all its handlers have
            succeeded; 7 days if left out, None for never. An event that was forgotten counts as new
            if somebody sends it again.
        handler_timeout: Seconds that an attempt of an async handler may take.
        allow_unsigned: See `verify`.

    Raises:
        ConfigurationError: The inbox's address is of no known kind, or an option breaks a rule.
    """

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
        _clock: Clock | None = None,
    ) -> None:
        self._keys = Keys(secrets)
        self._handlers = Handlers()
        if not callable(secrets):
            del secrets
            self._keys.check()
        self._rules = Rules(max_attempts=max_attempts, backoff=backoff)
        self._forget_after = forget_after
        self._allow_unsigned = allow_unsigned
        clock = Clock() if _clock is None else _clock
        self._inbox = open_inbox(inbox, clock) if isinstance(inbox, str) else inbox
        self._worker = Worker(self._inbox, self._handlers, clock, handler_timeout)
        self._hand_over: HandOver | None = None
        self._deliveries = Batches(self._add)
        self._signals: set[Signal] = set()

    def __repr__(self) -> str:
        # A traceback with variables shows a receiver whose options were refused, too.
        inbox = getattr(self, "_inbox", None)
        return f"Receiver(inbox={inbox!r}, handlers={len(self._handlers)})"

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
            ConfigurationError: Nothing was named, two handlers have the same name, or an option
                breaks a rule.
        """
        if not wanted:
            raise ConfigurationError("on: name an event, an event class or a pattern")
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

    def hand_off(self, enqueue: Enqueue) -> Enqueue:
        """Hand events over to a queue, in place of running their handlers here; a decorator.

        The queue's worker calls `run_one` with the number. A number may come twice, which does no
        harm. If the queue loses one, or its worker dies, ``working()`` hands the number over again.

        Args:
            enqueue: Gets the number of a delivery in the inbox; async, or plain.
        """
        self._hand_over = HandOver(self._worker, enqueue)
        return enqueue

    async def receive(self, body: bytes, headers: Headers | None) -> Ack:
        """Verify and store a delivery, and return the answer to RMZ.

        Args:
            body: The raw body of the request.
            headers: All headers of the request, as for `verify`.

        Returns:
            200 if the delivery is stored, or its event was known before. 401 if RMZ did not sign
            the body. 503 if it could not be stored, and 500 if the secrets cannot be used; RMZ
            delivers it again later. A signed body that cannot be read is stored, too.
        """
        if not isinstance(cast("object", body), bytes):
            logger.error("a delivery was not looked at: body must be the raw bytes of the request")
            return Ack(500, "not configured")
        try:
            event = verified(body, headers, self._keys, allow_unsigned=self._allow_unsigned)
        except SignatureError as error:
            logger.warning("a delivery was refused: %s", error)
            return Ack(401, "the signature does not match")
        except PayloadError as error:
            logger.warning("a signed delivery waits in the inbox: %s", error)
            return await self._store(
                Delivery(key=_digest(body), name=UNREADABLE, body=body, fault=quoted(str(error)))
            )
        except Exception as error:  # noqa: BLE001 - a callable for the secrets raises what it likes
            # The message of such an error, and its traceback, might show a secret.
            reason = error if isinstance(error, ConfigurationError) else type(error).__name__
            logger.error("a delivery was not looked at: %s", reason)  # noqa: TRY400 - see above
            return Ack(500, "not configured")
        handlers = self._handlers.wanting(event)
        unread = event.fault if isinstance(event, UnknownEvent) and not handlers else None
        return await self._store(
            Delivery(
                key=event.dedupe_key,
                name=quoted(event.event),
                body=body,
                request_id=event.request_id,
                secret_index=event.secret_index,
                subject=subject_of(event),
                fault=unread,
                handlers=handlers,
            )
        )

    @asynccontextmanager
    async def working(self, *, concurrency: int = 10, grace: float = 5.0) -> AsyncGenerator[None]:
        """Run the handlers in the background for as long as the block runs.

        Several processes may do so with one inbox. If one of them dies, the others take its events
        up as soon as its lease has ended.

        Args:
            concurrency: How many handlers may run at the same time, 1 or more.
            grace: Seconds that they may take to end after the block; then they are cancelled, and
                run again later. A plain handler cannot be cancelled and runs to its end.
        """
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

    async def drain(self) -> int:
        """Run all handlers that are due, one after another; for tests and for cron jobs.

        Returns:
            How many handlers ran.
        """
        count = 0
        limiter = CapacityLimiter(1)
        async with self._worker.keeping_leases() as leased:
            while tasks := await self._worker.claim(1):
                for task in tasks:
                    await self._worker.run(task, leased, limiter)
                    count += 1
        return count

    async def run_one(self, inbox_id: int) -> int:
        """Run the handlers of one delivery that wait, due or not; for the worker of a queue.

        Args:
            inbox_id: The number that was handed over.

        Returns:
            How many handlers ran; their errors are in the inbox, and they are handed over again.
        """
        limiter = CapacityLimiter(1)
        count = 0
        async with self._worker.keeping_leases() as leased:
            for task in await self._worker.claim(100, inbox_id):
                await self._worker.run(task, leased, limiter)
                count += 1
        return count

    def transaction(self, event: Event) -> Transaction:
        """Return a transaction in which the calling handler's effect happens once.

        ``async with`` in an async handler, ``with`` in a plain one. The context is the inbox's own
        connection: a ``sqlite3.Connection``, or SQLAlchemy's ``Connection`` for PostgreSQL. Its
        statements block. The effect and the mark that the handler is done are committed together.
        Keep it short, because it holds up the storing of deliveries in SQLite.

        Args:
            event: The event that the handler got.

        Raises:
            ConfigurationError: The caller is not a handler of *event*.
            TaskLostError: Raised as the block begins: another worker has the event's task now.
        """
        return transaction(self._inbox, event)

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

    async def replay(self, inbox_id: int, *, dry_run: bool = False) -> Sequence[Replay]:
        """Run the handlers of a delivery again, with all their attempts.

        Handlers that were registered after it came are among them. A handler that runs at this
        moment is left alone.

        Args:
            inbox_id: The delivery's number in the inbox.
            dry_run: Change nothing.

        Returns:
            The handlers that run again, or would; empty if there is no such delivery, if it is not
            an event, or if no handler wants it.
        """
        found = await in_thread(
            partial(replayed, self._inbox, self._handlers, inbox_id, dry_run=dry_run)
        )
        self._wake()
        return found

    async def stats(self) -> Stats:
        """Return how many deliveries and tasks the inbox holds."""
        return await in_thread(self._inbox.stats)

    async def aclose(self) -> None:
        """Close the inbox."""
        await in_thread(self._inbox.close)

    async def _store(self, delivery: Delivery) -> Ack:
        try:
            inbox_id = await self._deliveries.submit(delivery)
        except Exception as error:  # noqa: BLE001 - each database has errors of its own
            logger.error("a delivery was not stored: %s", quoted(str(error)))  # noqa: TRY400 - RMZ delivers it again
            return Ack(503, "not stored")
        if inbox_id is not None and delivery.handlers:
            if self._hand_over is not None:
                await self._hand_over.hand_over(inbox_id)
            self._wake()
        return Ack(200, "stored")

    def _add(self, deliveries: Sequence[Delivery]) -> Sequence[int | None]:
        delay = 0.0 if self._hand_over is None else self._hand_over.delay
        return self._inbox.add(deliveries, delay=delay)

    def _wake(self) -> None:
        for signal in tuple(self._signals):
            signal.set_if_local()


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
