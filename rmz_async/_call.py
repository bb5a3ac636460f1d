"""One call as data, and what came of it: handed from the resources to the transport."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

import anyio
import attrs

from rmz_async._retry import Failure, History
from rmz_async.errors import APIError, ConnectionFailedError, OutcomeUnknownError, RMZError
from rmz_async.operations import Operation, Repeat

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Waiting:
    """All that has to do with time and chance, for tests and the sandbox to replace."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = anyio.sleep
    draw: Callable[[], float] = random.random


@attrs.frozen(kw_only=True)
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
    query: Mapping[str, object] = attrs.field(factory=dict[str, object], repr=False)
    body: Mapping[str, object] | None = attrs.field(default=None, repr=False)
    settlement: Settlement[T] | None = None


@attrs.frozen(kw_only=True)
class Settlement(Generic[T]):
    """How to see whether a change was applied, after an answer that cannot be trusted.

    Attributes:
        read: The call that reads the changed object back.
        applied: Tells from that object whether the change was applied.
    """

    read: Call[T]
    applied: Callable[[T], bool] = attrs.field(repr=False)


@attrs.frozen
class Failed:
    """A try that brought no result.

    Attributes:
        failure: What that says about the call.
        reason: What happened, in a few words; never a secret.
        error: What RMZ answered, if it did.
    """

    failure: Failure
    reason: str
    error: APIError | None = None


def error_of(call: Call[T], failed: Failed, history: History) -> RMZError:
    """Return the error that tells the caller whether the call may have been applied.

    Args:
        call: The call, which is given up.
        failed: Its last try.
        history: All its tries.
    """
    operation = call.operation
    changes = operation.repeat is not Repeat.SAFE
    if changes and _may_have_been_applied(failed.failure, history):
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
    tries = "1 try" if history.attempts == 1 else f"{history.attempts} tries"
    return ConnectionFailedError(
        f"{operation.name}{_on(call)} failed after {tries} ({failed.reason}): nothing was changed, "
        "and repeating is safe",
        operation=operation.name,
        attempts=history.attempts,
    )


def _may_have_been_applied(failure: Failure, history: History) -> bool:
    if failure in (Failure.AMBIGUOUS, Failure.UNREADABLE):
        return True
    # A final answer speaks for the tries before it too; one that never began does not.
    return history.ambiguous and failure not in (Failure.CONFLICT, Failure.FINAL)


def _on(call: Call[T]) -> str:
    return "" if call.object_id is None else f" on {call.object_id}"
