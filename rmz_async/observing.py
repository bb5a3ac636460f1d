"""Observe calls, attempts, decisions and deliveries: an `Observer` gets a record of each.

No record has a token, an id, or anything of a customer, and each string in one is of a small set.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar, cast

import attrs

from rmz_async.errors import ConfigurationError

__all__ = (
    "AttemptRecord",
    "CallRecord",
    "DecisionRecord",
    "Observer",
)

R = TypeVar("R")

logger: logging.Logger = logging.getLogger("rmz_async")


@attrs.frozen(kw_only=True)
class AttemptRecord:
    """An attempt of a call that has ended.

    Attributes:
        operation: The call, such as ``subscriptions.get``.
        method: The HTTP method.
        rule: The retry rule of the call, in lower case, such as ``safe``.
        number: Which attempt of the call it was, counted from 1.
        status: The HTTP status; None if no answer came.
        outcome: ``ok``, or the meaning of the failure: ``not_sent``, ``never_sent``, ``ambiguous``,
            ``unreadable``, ``throttled``, ``refused``, ``conflict`` or ``final``.
        seconds: How long it took, with the wait for a slot.
        waited: Seconds of them before the request was sent; all of them if none was.
    """

    operation: str
    method: str
    rule: str
    number: int
    status: int | None
    outcome: str
    seconds: float
    waited: float


@attrs.frozen(kw_only=True)
class CallRecord:
    """A call that has ended; a read-back is a call of its own.

    Attributes:
        operation: The call, such as ``subscriptions.get``.
        rule: The retry rule of the call, in lower case, such as ``safe``.
        attempts: How many attempts were made.
        outcome: ``ok``, ``cancelled``, or the name of the error's class.
        seconds: How long it took, over all its attempts.
    """

    operation: str
    rule: str
    attempts: int
    outcome: str
    seconds: float


@attrs.frozen(kw_only=True)
class DecisionRecord:
    """An answer of a paywall that memory did not have ready.

    Answers from memory are not reported one by one: ``paywall.status.handed_out`` counts them.

    Attributes:
        granted: Whether the user may in.
        reason: Why, or why not; a value of `Reason`.
        source: How the answer was learnt; a value of `Source`.
        age: Seconds since RMZ was asked.
    """

    granted: bool
    reason: str
    source: str
    age: float


class Observer:
    """Gets a record of what happens; override the methods that you need.

    The methods run in the event loop and must not block. If one raises an exception, the call
    is none the worse: the exception is logged once.
    """

    def on_attempt(self, record: AttemptRecord) -> None:
        """Take the record of an attempt that has ended."""

    def on_call(self, record: CallRecord) -> None:
        """Take the record of a call that has ended."""

    def on_decision(self, record: DecisionRecord) -> None:
        """Take the record of an answer of a paywall."""


class _Guarded(Observer):
    """Passes records on to an observer, whose failure costs one line of the log."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._has_failed = False

    def on_attempt(self, record: AttemptRecord) -> None:
        self._report(self._observer.on_attempt, record)

    def on_call(self, record: CallRecord) -> None:
        self._report(self._observer.on_call, record)

    def on_decision(self, record: DecisionRecord) -> None:
        self._report(self._observer.on_decision, record)

    def _report(self, method: Callable[[R], None], record: R) -> None:
        try:
            method(record)
        except Exception as error:  # noqa: BLE001 - an observer may raise anything
            if not self._has_failed:
                self._has_failed = True
                logger.warning(
                    "the observer failed, and its next failures are not logged: %s",
                    type(error).__name__,
                )


def guarded(observer: Observer | None) -> Observer | None:
    """Return an observer whose failures cost nothing; None for none.

    Raises:
        ConfigurationError: *observer* is no `Observer`.
    """
    if observer is None:
        return observer
    # A caller without a type checker may pass anything.
    if not isinstance(cast("object", observer), Observer):
        raise ConfigurationError("observer: must be an Observer, of a class of your own")
    return _Guarded(observer)
