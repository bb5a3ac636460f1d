"""One call as data, and what came of it: handed from the resources to the transport."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import anyio
import attrs

from rmz_async._calls.retry import Evidence, Failure, History
from rmz_async.errors import (
    APIError,
    ConnectionFailedError,
    OutcomeUnknownError,
    PacingError,
    RMZError,
)
from rmz_async.operations import Operation, Repeat

T = TypeVar("T")
R = TypeVar("R")


def _today() -> datetime:
    return datetime.now(UTC)


# None of these is compared, and their reprs would show what a caller sent. The import is faster for
# it, too: attrs would write and compile those methods for each.
@attrs.frozen(kw_only=True, eq=False, repr=False)
class Waiting:
    """All that has to do with time and chance, for tests and the sandbox to replace."""

    clock: Callable[[], float] = time.monotonic
    today: Callable[[], datetime] = _today
    sleep: Callable[[float], Awaitable[object]] = anyio.sleep
    draw: Callable[[], float] = random.random


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Call(Generic[T]):
    """One call, as its resource describes it.

    Attributes:
        operation: Its row in the table.
        into: The class of its answer.
        object_id: What ``{id}`` in the path stands for.
        query: None values are left out.
        body: None values are left out; None for no body.
        settlement: How to see whether a change was applied; None where nothing would show it.
    """

    operation: Operation
    into: type[T]
    object_id: int | None = None
    query: Mapping[str, object] = attrs.field(factory=dict[str, object])
    body: Mapping[str, object] | None = None
    settlement: Settlement[Any, T] | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Settlement(Generic[R, T]):
    """How to see whether a change was applied, after an answer that cannot be trusted.

    Attributes:
        read: The call that reads the changed object back.
        judge: Tells from that object whether the change was applied, given a moment on RMZ's own
            clock before which that was not possible, or None.
        answer: Makes of that object what the call returns.
    """

    read: Call[R]
    judge: Callable[[R, datetime | None], Evidence]
    answer: Callable[[R], T]


@attrs.frozen(eq=False, repr=False)
class Failed:
    """A try that brought no result.

    Attributes:
        failure: What that says about the call.
        reason: What happened, in a few words; never a secret.
        error: What RMZ answered, if it did.
        slot_in: Seconds until the next slot, if there was none in time.
    """

    failure: Failure
    reason: str
    error: APIError | None = None
    slot_in: float | None = None


def error_of(
    call: Call[T], failed: Failed, history: History, evidence: Evidence | None = None
) -> RMZError:
    """Return the error that tells the caller whether the call may have been applied.

    Args:
        call: The call, which is given up.
        failed: Its last try.
        history: All its tries.
        evidence: What the object said that was read back, if one was.
    """
    operation = call.operation
    changes = operation.repeat is not Repeat.SAFE
    if changes and _may_have_been_applied(operation, failed.failure, history, evidence):
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
            f"minute are used up; the next slot is in {_up(failed.slot_in)} s",
            operation=operation.name,
            attempts=history.attempts,
            retry_after=failed.slot_in,
        )
    tries = "1 try" if history.attempts == 1 else f"{history.attempts} tries"
    return ConnectionFailedError(
        f"{operation.name}{_on(call)} failed after {tries} ({failed.reason}): nothing was changed, "
        "and repeating is safe",
        operation=operation.name,
        attempts=history.attempts,
    )


def _may_have_been_applied(
    operation: Operation, failure: Failure, history: History, evidence: Evidence | None
) -> bool:
    if failure in (Failure.AMBIGUOUS, Failure.UNREADABLE):
        return True
    if failure is Failure.REFUSED and evidence is Evidence.APPLIED:
        return True
    if not history.ambiguous:
        return False
    if failure in (Failure.CONFLICT, Failure.FINAL) and operation.repeat is Repeat.HARMLESS:
        return False
    # What was refused now says nothing of a try before it that may still be at work. But where its
    # object's state is the reason, and was so before that try, that one is refused like this one.
    return not (failure is Failure.CONFLICT and evidence is Evidence.NOT_APPLIED)


def _up(seconds: float) -> float:
    # A store of the caller's may name any number.
    return math.ceil(seconds) if math.isfinite(seconds) else seconds


def _on(call: Call[T]) -> str:
    return "" if call.object_id is None else f" on {call.object_id}"
