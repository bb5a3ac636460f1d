"""A call whose outcome is unknown, and how to find it out later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rmz_async._calls import retry as _retry
from rmz_async._calls import verdict as _verdict
from rmz_async._calls.outcome import Evidence, Failure, History
from rmz_async._execution import UnclearCall
from rmz_async.errors import (
    UNCLEAR_CALL,
    ConfigurationError,
    ConnectionFailedError,
    OutcomeUnknownError,
)
from rmz_async.operations import RetryRule
from rmz_async.options import RetryPolicy

if TYPE_CHECKING:
    from rmz_async._transport import Transport

# Seconds that RMZ may take to apply a request: until then, "not applied" may be "not yet".
MAX_PROCESSING_TIME = 60.0

_NOTHING_TO_COMPARE = (
    "resolve has nothing to compare with, now or later: look for the change yourself"
)


async def resolve(transport: Transport, error: OutcomeUnknownError) -> Any:
    """Find out whether the call of *error* was applied, and return what it would have returned.

    Args:
        transport: Carries what is still to be sent.
        error: Raised again if the outcome is still unknown.

    Raises:
        RMZError: As `Client.resolve` says.
    """
    unclear = _call_of(error, transport.options.base_url)
    call, prepared, history = unclear.call, unclear.prepared, unclear.history
    operation, policy = call.operation, transport.options.retry
    execution = transport.execution(transport, call, prepared=prepared, history=history)
    transport.connections.open()
    now = transport.clock.clock() + execution.suspended_for()
    if operation.retry is RetryRule.HARMLESS and prepared.can_be_sent:
        return await transport.execution(transport, call, prepared=prepared).run()
    until = _retry.resend_until(operation, history, policy, ambiguous=True)
    if operation.retry is RetryRule.DEDUPED and now < until:
        again = History(
            failures=[Failure.AMBIGUOUS], first_sent=history.first_sent, sent_at=history.sent_at
        )
        return await transport.execution(transport, call, prepared=prepared, history=again).run()
    if call.settlement is None:
        if _NOTHING_TO_COMPARE not in getattr(error, "__notes__", ()):
            error.add_note(_NOTHING_TO_COMPARE)
        raise error.with_traceback(None)
    assert history.last_sent is not None  # or its outcome would be known
    # A call that was cut off in its first attempt has no failure.
    last = history.failures[-1] if history.failures else Failure.AMBIGUOUS
    done_at = history.last_sent + certain_after(policy)
    evidence, found = await execution.read_back(
        call.settlement, last, execution.deadline, caught_up=now >= done_at
    )
    if _verdict.shows_success(operation, last, history, evidence):
        return call.settlement.result(found)
    if evidence is Evidence.NOT_APPLIED:
        raise ConnectionFailedError(
            f"{operation.name}: it was not applied, and a retry is safe",
            operation=operation.name,
            attempts=history.attempts,
        )
    # The traceback would otherwise grow each time that the error is raised.
    raise error.with_traceback(None)


def certain_after(policy: RetryPolicy) -> float:
    """Return how long after an attempt a change that cannot be seen was not applied; seconds."""
    return MAX_PROCESSING_TIME + _retry.lag_of(policy)


def _call_of(error: OutcomeUnknownError, base_url: str) -> UnclearCall[Any]:
    if not isinstance(cast("object", error), OutcomeUnknownError):
        raise ConfigurationError(
            "error: must be an OutcomeUnknownError, because after any other the outcome is known"
        )
    unclear: UnclearCall[Any] | None = vars(error).get(UNCLEAR_CALL)
    if unclear is None:
        raise ConfigurationError(
            f"{error.operation}: this error was pickled or copied, and has lost its call; look "
            "for the change yourself, as its message says"
        )
    if unclear.base_url != base_url:
        raise ConfigurationError(
            f"{error.operation}: this error is of a call to another base URL; resolve it with "
            "a client of that one"
        )
    return unclear
