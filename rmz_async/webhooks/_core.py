"""The parts of a receiver that are the same with and without an event loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from rmz_async.webhooks._backoff import Backoff, default_backoff
from rmz_async.webhooks._secrets import CurrentKeys, Secrets

if TYPE_CHECKING:
    from rmz_async._calls.clock import Clock
    from rmz_async.client import Client
    from rmz_async.observing import Observer
    from rmz_async.webhooks._hand_over import Enqueue
    from rmz_async.webhooks._handlers import Handler, Wanted
    from rmz_async.webhooks._replaying import Replay
    from rmz_async.webhooks._transaction import Cursor, Transaction
    from rmz_async.webhooks.events import Event
    from rmz_async.webhooks.inbox.interface import Inbox
    from rmz_async.webhooks.reconciliation import Reconciliation

H = TypeVar("H", bound="Handler")

WEEK = 7 * 86_400.0


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
            # Before all that can raise, because a traceback may show the variables of its frames.
            del secrets
            keys.checked()
        # A program without a receiver starts faster, because it does not import these.
        from rmz_async.webhooks._parts import Parts

        self._parts = Parts(
            keys,
            inbox,
            max_attempts=max_attempts,
            backoff=backoff,
            forget_after=forget_after,
            handler_timeout=handler_timeout,
            allow_unsigned=allow_unsigned,
            observer=observer,
            clock=_clock,
        )

    def __repr__(self) -> str:
        # A traceback with variables shows a receiver whose options were refused, too.
        parts = getattr(self, "_parts", None)
        return f"Receiver(inbox={None if parts is None else parts.inbox!r})"

    @property
    def inbox(self) -> Inbox:
        """The inbox, whose methods block."""
        return self._parts.inbox

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
            ordered: Handle the events of one subscription, or of one order, one after the other, in
                the order in which they came. An event that fails holds up the later ones until its
                last attempt.
            coalesce: If several events of one subscription, or of one order, are waiting, handle
                only the newest. For handlers that read the present state from RMZ.
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
        return self._parts.registering(
            wanted,
            ordered=ordered,
            coalesce=coalesce,
            max_attempts=max_attempts,
            backoff=backoff,
            name=name,
        )

    def fallback(self, handler: H) -> H:
        """Register the decorated function for the events that no other handler wants.

        Events of types that this version does not know are among them; events that cannot be read
        are not, and wait in the inbox.
        """
        self._parts.register_fallback(handler)
        return handler

    def feeds(self, learner: Learner) -> None:
        """Feed all events of subscriptions to a paywall, as a handler of this receiver.

        A paywall that cannot ask RMZ gets the event again later, like every handler.

        Args:
            learner: The paywall; a receiver may feed several.
        """
        self._parts.register_feed(learner.feed)

    def hand_off(self, enqueue: Enqueue) -> Enqueue:
        """Hand events over to a queue, in place of running their handlers here; a decorator.

        The queue's worker calls `run_one` with the number. A number may come twice, which does no
        harm. If the queue loses one, or its worker dies, ``working()`` hands the number over again.

        Args:
            enqueue: Gets the number of a delivery in the inbox; async, or plain.

        Raises:
            ConfigurationError: *enqueue* is no function.
        """
        self._parts.hand_off(enqueue)
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
        return self._parts.transaction(event)

    def mark_done(self, event: Event, cursor: Cursor) -> None:
        """Mark the calling handler as done, in a transaction of your own in the inbox's database.

        Args:
            event: The event that the handler got.
            cursor: A cursor of the database in which the inbox is, Django's for instance.

        Raises:
            ConfigurationError: The caller is not a handler of *event*.
            TaskLostError: Another worker has the event's task now: roll your transaction back.
        """
        self._parts.mark_done(event, cursor)

    def replayed(self, inbox_id: int, *, dry_run: bool) -> Sequence[Replay]:
        """Do the work of ``replay``; this blocks."""
        return self._parts.replayed(inbox_id, dry_run=dry_run)

    async def reconciled(self, rmz: Client, per_minute: int, feed_first: bool) -> Reconciliation:
        """Do the work of ``reconcile``, with a client of ``rmz_async``."""
        return await self._parts.reconciled(rmz, per_minute, feed_first)
