"""Observe calls, attempts, decisions and deliveries: an `Observer` gets a record of each.

No record has a token, an id, or anything of a customer, and each string in it is from a small set.
`Observer.around` wraps work while it runs, for a trace.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from types import TracebackType
from typing import TypeVar, cast

from rmz_async._frozen import frozen
from rmz_async.errors import ConfigurationError

__all__ = (
    "AttemptRecord",
    "CallRecord",
    "DecisionRecord",
    "DeliveryRecord",
    "HandlerRecord",
    "Observer",
    "Work",
)

T = TypeVar("T")

logger: logging.Logger = logging.getLogger("rmz_async")


@frozen(kw_only=True)
class AttemptRecord:
    """An attempt of a call that has ended."""

    operation: str
    """The call, such as ``subscriptions.get``."""

    method: str
    """The HTTP method."""

    rule: str
    """The retry rule of the call, in lower case, such as ``safe``."""

    number: int
    """Which attempt of the call it was, counted from 1."""

    status: int | None
    """The HTTP status; None if no answer came."""

    outcome: str
    """``ok``, or the meaning of the failure: ``not_sent``, ``never_sent``, ``ambiguous``,
    ``unreadable``, ``throttled``, ``refused``, ``conflict`` or ``final``.
    """

    seconds: float
    """How long it took, with the wait for a slot."""

    waited: float
    """Seconds before the request was sent; all seconds of the attempt if none was."""


@frozen(kw_only=True)
class CallRecord:
    """A call that has ended; a read-back is a call of its own."""

    operation: str
    """The call, such as ``subscriptions.get``."""

    rule: str
    """The retry rule of the call, in lower case, such as ``safe``."""

    attempts: int
    """How many attempts were made."""

    outcome: str
    """``ok``, ``cancelled``, or the name of the error's class."""

    seconds: float
    """How long it took, over all its attempts."""


@frozen(kw_only=True)
class DecisionRecord:
    """An answer of a paywall that memory did not have ready, or a purchase that was confirmed.

    Answers from memory are not reported one by one: ``paywall.status.handed_out`` counts them.
    """

    granted: bool
    """Whether the user has access."""

    reason: str
    """The reason for the answer; a value of `Reason`."""

    source: str
    """The source of the answer; a value of `Source`."""

    age: float
    """Seconds since RMZ was asked."""


@frozen(kw_only=True)
class DeliveryRecord:
    """A delivery that a receiver has answered."""

    event: str | None
    """The event's name, such as ``subscription.renewed``; ``other`` for an event that this version
    does not know; None if nothing could be read, or nothing was to be trusted.
    """

    outcome: str
    """``genuine`` for a new event; ``duplicate`` for one that is stored already; ``unreadable`` for
    a signed body that waits for a person; ``refused`` if RMZ did not sign it; ``not_stored`` if the
    inbox failed; ``not_configured`` if the secrets cannot be used.
    """

    secret_index: int | None
    """The place of the secret that fitted, counted from 0; None if none did."""

    seconds: float
    """The time to answer."""


@frozen(kw_only=True)
class HandlerRecord:
    """An attempt of a handler that has ended."""

    event: str
    """The event's name; ``other`` for an event that this version does not know."""

    handler: str
    """The handler's name."""

    attempt: int
    """Which attempt of the handler for this event it was, counted from 1."""

    outcome: str
    """``ok``; ``failed`` if the handler is attempted again later; ``dead`` if it was the last
    attempt; ``lost`` if another worker has the task; ``cancelled`` if it was cut off, and runs
    again.
    """

    seconds: float
    """How long it took."""

    lag: float | None
    """Seconds between the storing of the delivery and the beginning of the attempt, with the waits
    between attempts; None if the inbox cannot say.
    """


class Work(StrEnum):
    """The kinds of work that an observer can wrap; later versions may add members."""

    CALL = "call"
    """A call, over all its attempts; named by its operation."""

    ATTEMPT = "attempt"
    """An attempt of a call, within the call; named by the operation."""

    DECISION = "decision"
    """An answer of a paywall that memory did not have ready; named ``check`` or ``refresh``."""

    HANDLER = "handler"
    """An attempt of a handler; named by the event."""


class Observer:
    """Gets a record of what happens; override the methods that you need.

    The methods run in the event loop, or in the thread that called, and must not block. Several
    threads may call them at the same time. If one raises an exception, the call, the answer or the
    delivery goes on as usual, and the exception is logged once.
    """

    def around(self, work: Work, name: str) -> AbstractContextManager[object]:
        """Return a context in which the work runs, such as a span.

        The record of the work is taken inside of the context, unless the work has none: an attempt
        that is cancelled, or a decision that raises.

        Args:
            work: The kind of work that begins.
            name: Its name, from a small set.
        """
        return nullcontext()

    def on_attempt(self, record: AttemptRecord) -> None:
        """Take the record of an attempt that has ended."""

    def on_call(self, record: CallRecord) -> None:
        """Take the record of a call that has ended."""

    def on_decision(self, record: DecisionRecord) -> None:
        """Take the record of an answer of a paywall."""

    def on_delivery(self, record: DeliveryRecord) -> None:
        """Take the record of a delivery that was answered."""

    def on_handler(self, record: HandlerRecord) -> None:
        """Take the record of an attempt of a handler that has ended."""


class _Guarded(Observer):
    """Passes all on to an observer, whose failure costs one line of the log."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._has_failed = False

    @contextmanager
    def around(self, work: Work, name: str) -> Generator[None]:
        context = self._result(lambda: self._entered(work, name))
        try:
            yield
        except BaseException as error:
            # The exception goes on, whatever the context makes of it.
            self._leave(context, type(error), error, error.__traceback__)
            raise
        # sys.exc_info() would be wrong: the caller may be handling an exception of its own.
        self._leave(context, None, None, None)

    def on_attempt(self, record: AttemptRecord) -> None:
        self._result(lambda: self._observer.on_attempt(record))

    def on_call(self, record: CallRecord) -> None:
        self._result(lambda: self._observer.on_call(record))

    def on_decision(self, record: DecisionRecord) -> None:
        self._result(lambda: self._observer.on_decision(record))

    def on_delivery(self, record: DeliveryRecord) -> None:
        self._result(lambda: self._observer.on_delivery(record))

    def on_handler(self, record: HandlerRecord) -> None:
        self._result(lambda: self._observer.on_handler(record))

    def _entered(self, work: Work, name: str) -> AbstractContextManager[object]:
        context = self._observer.around(work, name)
        context.__enter__()
        return context

    def _leave(
        self,
        context: AbstractContextManager[object] | None,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if context is not None:
            self._result(lambda: context.__exit__(kind, error, traceback))

    def _result(self, function: Callable[[], T]) -> T | None:
        try:
            return function()
        except Exception as error:  # noqa: BLE001 - an observer may raise anything
            if not self._has_failed:
                self._has_failed = True
                logger.warning(
                    "the observer failed, and its next failures are not logged: %s",
                    type(error).__name__,
                )
            return None


def guarded(observer: Observer | None) -> Observer | None:
    """Return an observer whose failures cost nothing; None for none.

    Raises:
        ConfigurationError: *observer* is no `Observer`.
    """
    if observer is None:
        return observer
    # A caller without a type checker may pass anything.
    if not isinstance(cast("object", observer), Observer):
        raise ConfigurationError(
            "observer: must be an instance of a class that inherits from Observer"
        )
    return _Guarded(observer)
