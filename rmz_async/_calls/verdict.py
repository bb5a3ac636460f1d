"""Pure: what became of a call, and the error that its caller gets."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from rmz_async._calls.call import Call
from rmz_async._calls.outcome import AMBIGUOUS, Evidence, Failed, Failure, History, Window
from rmz_async.errors import (
    ConnectionFailedError,
    OutcomeUnknownError,
    PacingError,
    RMZError,
)
from rmz_async.operations import Operation, RetryRule

# Seconds by which RMZ's clock may be set during a call. With more, a change that another caller
# made before the call would be taken for the call's own.
CLOCK_STEP = 2


def window(answered_at: datetime | None, elapsed: float) -> Window | None:
    """Return when, on RMZ's own clock, a call can have been applied.

    Args:
        answered_at: RMZ's clock at the answer that brought the object, or None.
        elapsed: Seconds from the call's first attempt to that answer.
    """
    if answered_at is None:
        return None
    # RMZ names whole seconds, rounded down.
    return Window(
        since=answered_at - timedelta(seconds=math.ceil(elapsed) + CLOCK_STEP),
        until=answered_at + timedelta(seconds=1 + CLOCK_STEP),
    )


def weigh(evidence: Evidence, failure: Failure, *, caught_up: bool, explained: bool) -> Evidence:
    """Return what *evidence* is worth if the object may have been read from a replica that lags.

    Args:
        evidence: Whether the object shows the change.
        failure: The result of the call's last attempt.
        caught_up: Whether the object was read so late that each replica has caught up.
        explained: Whether the object's state is a reason for RMZ to refuse the call.
    """
    if evidence is not Evidence.NOT_APPLIED:
        return evidence
    # A refusal that the object does not explain proves that the object was read too early.
    contradicted = failure is Failure.CONFLICT and not explained
    return Evidence.UNSEEN if contradicted or not caught_up else evidence


def shows_success(
    operation: Operation, failure: Failure, history: History, evidence: Evidence
) -> bool:
    """Return whether the object that was read back is the call's result.

    The guard against duplicates refuses an extension because an equal one was made just before. If
    no earlier attempt of the call can have been that one, another caller's may.

    Args:
        operation: The call.
        failure: The result of its last attempt.
        history: The attempts before that one.
        evidence: Whether the object shows the change.
    """
    once = operation.retry is RetryRule.ONCE
    may_be_someone_elses = once and failure is Failure.REFUSED and not history.ambiguous
    return evidence is Evidence.APPLIED and not may_be_someone_elses


def error_for(
    call: Call[Any], failed: Failed, history: History, evidence: Evidence | None = None
) -> RMZError:
    """Return the error that says whether the call may have been applied.

    Args:
        call: The call, which is given up.
        failed: Its last attempt.
        history: All its attempts.
        evidence: Whether the object shows the change, if it was read back.
    """
    operation = call.operation
    changes = operation.retry is not RetryRule.SAFE
    if changes and _may_have_been_applied(failed.failure, history, evidence):
        error: RMZError = OutcomeUnknownError(
            f"{operation.name}{_on(call)} was sent and no trustworthy answer came back "
            f"({failed.reason}): it may have been applied. {operation.find_out}",
            operation=operation.name,
            object_id=call.object_id,
            sent_at=history.sent_at,
            attempts=history.attempts,
        )
        error.__cause__ = failed.error
        return error
    if failed.error is not None:
        return failed.error
    if failed.slot_in is not None:
        return PacingError(
            f"{operation.name}{_on(call)} was not sent: RMZ's {operation.per_minute} requests a "
            f"minute are used up; the next slot is in {_rounded_up(failed.slot_in)} s",
            operation=operation.name,
            attempts=history.attempts,
            retry_after=failed.slot_in,
        )
    attempts = "1 attempt" if history.attempts == 1 else f"{history.attempts} attempts"
    return ConnectionFailedError(
        f"{operation.name}{_on(call)} failed after {attempts} ({failed.reason}): nothing was "
        "changed, and a retry is safe",
        operation=operation.name,
        attempts=history.attempts,
    )


def _may_have_been_applied(failure: Failure, history: History, evidence: Evidence | None) -> bool:
    if failure in AMBIGUOUS:
        return True
    if failure is Failure.REFUSED and evidence is Evidence.APPLIED:
        return True
    if not history.ambiguous:
        return False
    # A refusal says nothing about an earlier attempt, which RMZ may still apply. But if the reason
    # is the object's state, which was the same before that attempt, RMZ refuses both attempts.
    return not (failure is Failure.CONFLICT and evidence is Evidence.NOT_APPLIED)


def _rounded_up(seconds: float) -> float:
    # A store of the caller's may name any number.
    return math.ceil(seconds) if math.isfinite(seconds) else seconds


def _on(call: Call[Any]) -> str:
    return "" if call.object_id is None else f" on {call.object_id}"
