"""Pure: an attempt and a call as records for an observer."""

from __future__ import annotations

from rmz_async._calls.outcome import Failed, History
from rmz_async.observing import AttemptRecord, CallRecord
from rmz_async.operations import Operation


def attempt_record(
    operation: Operation, history: History, result: object, began: float, now: float
) -> AttemptRecord:
    """Return the record of the last attempt in *history*.

    Args:
        operation: The call.
        history: Its attempts.
        result: The outcome of the attempt.
        began: When the attempt began; seconds, monotonic.
        now: When it ended; seconds, monotonic.
    """
    sent = history.last_sent
    # An earlier attempt may have been sent, and this one not.
    sent = now if sent is None or sent < began else sent
    return AttemptRecord(
        operation=operation.name,
        method=operation.method,
        rule=operation.retry.name.lower(),
        number=history.attempts,
        status=history.status,
        outcome=result.failure.name.lower() if isinstance(result, Failed) else "ok",
        seconds=now - began,
        waited=sent - began,
    )


def call_record(operation: Operation, history: History, outcome: str, seconds: float) -> CallRecord:
    """Return the record of a call that has ended in *outcome* after *seconds*."""
    return CallRecord(
        operation=operation.name,
        rule=operation.retry.name.lower(),
        attempts=history.attempts,
        outcome=outcome,
        seconds=seconds,
    )
