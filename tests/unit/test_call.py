from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rmz_async import operations
from rmz_async._calls.call import Call, Settlement
from rmz_async._calls.outcome import Evidence, Failed, Failure, History
from rmz_async._calls.verdict import error_for
from rmz_async.errors import (
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    OutcomeUnknownError,
    PacingError,
    RateLimitError,
    ServerError,
)
from rmz_async.models import CheckoutSession, Subscription
from rmz_async.operations import Operation

WRITES = [row for row in operations.OPERATIONS if row.retry is not operations.RetryRule.SAFE]
READS = [row for row in operations.OPERATIONS if row.retry is operations.RetryRule.SAFE]
SENT_AT = datetime(2026, 1, 1, tzinfo=UTC)


def call_of(operation: Operation) -> Call[Subscription]:
    """A call on subscription 501, or on none if the path names none."""
    object_id = 501 if "{id}" in operation.path else None
    return Call(operation=operation, returns=Subscription, object_id=object_id)


def history(*, ambiguous: bool = False, attempts: int = 1) -> History:
    """Make the history of the attempts so far."""
    failures = [Failure.AMBIGUOUS] if ambiguous else []
    return History(attempts=attempts, failures=failures, first_sent=5.0, sent_at=SENT_AT)


@pytest.mark.parametrize("failure", [Failure.AMBIGUOUS, Failure.UNREADABLE])
@pytest.mark.parametrize("operation", WRITES, ids=lambda row: row.name)
def test_a_write_without_an_answer_is_unknown(operation: Operation, failure: Failure) -> None:
    """A change that may have been applied is never reported as failed."""
    error = error_for(call_of(operation), Failed(failure, "ReadTimeout"), history(attempts=2))

    assert type(error) is OutcomeUnknownError
    assert error.operation == operation.name
    assert error.object_id == call_of(operation).object_id
    assert error.sent_at == SENT_AT
    assert error.attempts == 2
    assert error.__cause__ is None


def test_an_unknown_outcome_says_how_to_find_out() -> None:
    """The message names the call, the object, what happened and the way to learn more."""
    call = call_of(operations.SUBSCRIPTIONS_EXTEND)

    error = error_for(call, Failed(Failure.AMBIGUOUS, "ReadTimeout"), history())

    assert str(error) == (
        "subscriptions.extend on 501 was sent and no trustworthy answer came back (ReadTimeout): "
        "it may have been applied. Read the subscription with subscriptions.get and compare "
        "current_period_end with what it was; extending again adds up"
    )


def test_an_unknown_outcome_may_name_no_object() -> None:
    """A call on no object names none."""
    call = call_of(operations.CHECKOUT_SESSIONS_CREATE)

    error = error_for(call, Failed(Failure.AMBIGUOUS, "ReadTimeout"), history())

    assert str(error).startswith("checkout_sessions.create was sent and")


def test_the_answer_is_the_cause() -> None:
    """If RMZ did answer, its error is kept."""
    answer = ServerError("boom", status=500)
    call = call_of(operations.SUBSCRIPTIONS_PAUSE)

    error = error_for(call, Failed(Failure.AMBIGUOUS, "RMZ answered 500", answer), history())

    assert type(error) is OutcomeUnknownError
    assert error.__cause__ is answer


@pytest.mark.parametrize("failure", [Failure.NOT_SENT, Failure.NEVER_SENT, Failure.THROTTLED])
@pytest.mark.parametrize("operation", WRITES, ids=lambda row: row.name)
def test_an_earlier_attempt_keeps_it_unknown(operation: Operation, failure: Failure) -> None:
    """A last attempt that never began says nothing about the one before it."""
    error = error_for(
        call_of(operation), Failed(failure, "ConnectError"), history(ambiguous=True, attempts=2)
    )

    assert type(error) is OutcomeUnknownError


def test_a_refusal_after_an_earlier_try_is_unknown() -> None:
    """The duplicate guard may have answered because of the first attempt."""
    call = call_of(operations.SUBSCRIPTIONS_PAUSE)

    error = error_for(call, Failed(Failure.REFUSED, "429"), history(ambiguous=True, attempts=2))

    assert type(error) is OutcomeUnknownError


@pytest.mark.parametrize("evidence", [None, *Evidence])
def test_a_refused_change_that_is_there_is_unknown(evidence: Evidence | None) -> None:
    """The guard refused it, and the change is there: perhaps by another caller."""
    answer = RateLimitError("no", status=429)
    failed = Failed(Failure.REFUSED, "429", answer)

    error = error_for(call_of(operations.SUBSCRIPTIONS_EXTEND), failed, history(), evidence)

    if evidence is Evidence.APPLIED:
        assert type(error) is OutcomeUnknownError
        assert error.__cause__ is answer
    else:
        assert error is answer


@pytest.mark.parametrize("failure", [Failure.CONFLICT, Failure.FINAL])
@pytest.mark.parametrize("operation", WRITES, ids=lambda row: row.name)
def test_a_final_answer_is_told(operation: Operation, failure: Failure) -> None:
    """RMZ's answer to a first attempt is raised as it is."""
    answer = ConflictError("no", status=409)

    assert error_for(call_of(operation), Failed(failure, "409", answer), history()) is answer


@pytest.mark.parametrize("evidence", [None, *Evidence])
def test_a_conflict_may_echo_the_first_attempt(evidence: Evidence | None) -> None:
    """A conflict may echo the first attempt, unless the object is unchanged since before it."""
    answer = ConflictError("no", status=409)
    failed = Failed(Failure.CONFLICT, "409", answer)
    call = call_of(operations.SUBSCRIPTIONS_PAUSE)

    error = error_for(call, failed, history(ambiguous=True, attempts=2), evidence)

    if evidence is Evidence.NOT_APPLIED:
        assert error is answer
    else:
        assert type(error) is OutcomeUnknownError
        assert error.__cause__ is answer


@pytest.mark.parametrize(
    "failure",
    [
        kind
        for kind in Failure
        if kind not in (Failure.CONFLICT, Failure.AMBIGUOUS, Failure.UNREADABLE)
    ],
)
def test_unchanged_is_not_yet_not_applied(failure: Failure) -> None:
    """A change that cannot be seen yet may still come, whatever the last attempt ended in."""
    call = call_of(operations.SUBSCRIPTIONS_PAUSE)

    error = error_for(
        call, Failed(failure, "no"), history(ambiguous=True, attempts=2), Evidence.NOT_APPLIED
    )

    assert type(error) is OutcomeUnknownError


@pytest.mark.parametrize("failure", [Failure.CONFLICT, Failure.FINAL])
def test_a_refused_order_says_nothing_of_the_try_before(failure: Failure) -> None:
    """An order that may have been made is unknown, though its retry was refused."""
    answer = ConflictError("no stock", status=400)
    call = call_of(operations.ORDERS_CREATE)

    error = error_for(call, Failed(failure, "400", answer), history(ambiguous=True, attempts=2))

    assert type(error) is OutcomeUnknownError
    assert error.__cause__ is answer


def test_a_late_slot_is_an_error_that_says_when() -> None:
    """The message says what is used up, and when the next slot is."""
    call = call_of(operations.SUBSCRIPTIONS_PAUSE)

    error = error_for(
        call, Failed(Failure.NEVER_SENT, "no slot", slot_in=12.4), history(attempts=2)
    )

    assert type(error) is PacingError
    assert str(error) == (
        "subscriptions.pause on 501 was not sent: RMZ's 60 requests a minute are used up; the next "
        "slot is in 13 s"
    )
    assert (error.operation, error.attempts, error.retry_after) == ("subscriptions.pause", 2, 12.4)


def test_a_slot_that_would_come_in_zero_seconds_is_a_pacing_error() -> None:
    """Even a wait of no time at all is reported as a wait."""
    call = call_of(operations.SUBSCRIPTIONS_LOOKUP)

    error = error_for(call, Failed(Failure.NEVER_SENT, "no slot", slot_in=0.0), history())

    assert type(error) is PacingError
    assert "RMZ's 120 requests a minute" in str(error)


def test_a_late_slot_for_a_retry_leaves_the_outcome_unknown() -> None:
    """The first attempt may have been applied."""
    call = call_of(operations.SUBSCRIPTIONS_PAUSE)

    error = error_for(
        call, Failed(Failure.NEVER_SENT, "no slot", slot_in=12.4), history(ambiguous=True)
    )

    assert type(error) is OutcomeUnknownError


def test_a_refused_token_says_nothing_of_the_try_before() -> None:
    """A change that may still be at work is unknown, though RMZ now refuses the token."""
    answer = AuthenticationError("no", status=401)
    failed = Failed(Failure.FINAL, "RMZ answered 401", answer)

    change = error_for(call_of(operations.SUBSCRIPTIONS_PAUSE), failed, history(ambiguous=True))
    refused = Failed(Failure.CONFLICT, "RMZ answered 422", answer)
    other = error_for(call_of(operations.PORTAL_SESSIONS_CREATE), refused, history(ambiguous=True))
    session = error_for(call_of(operations.PORTAL_SESSIONS_CREATE), failed, history(ambiguous=True))

    for error in (change, session, other):
        assert type(error) is OutcomeUnknownError
        assert error.__cause__ is answer


@pytest.mark.parametrize("failure", [Failure.THROTTLED, Failure.REFUSED])
def test_a_refusal_of_a_first_try_is_told(failure: Failure) -> None:
    """A 429 that nothing went before changed nothing."""
    answer = ServerError("no", status=429)
    call = call_of(operations.SUBSCRIPTIONS_EXTEND)

    assert error_for(call, Failed(failure, "429", answer), history()) is answer


@pytest.mark.parametrize("failure", list(Failure))
@pytest.mark.parametrize("operation", READS, ids=lambda row: row.name)
def test_a_read_is_never_unknown(operation: Operation, failure: Failure) -> None:
    """A call that only reads changed nothing, whatever happened to it."""
    error = error_for(call_of(operation), Failed(failure, "ReadTimeout"), history(ambiguous=True))

    assert type(error) is ConnectionFailedError


def test_a_read_that_was_answered() -> None:
    """A read's error is RMZ's own if there is one."""
    answer = ServerError("boom", status=500)
    call = call_of(operations.SUBSCRIPTIONS_GET)

    assert error_for(call, Failed(Failure.AMBIGUOUS, "500", answer), history()) is answer


@pytest.mark.parametrize(
    ("attempts", "counted"),
    [(1, "after 1 attempt "), (2, "after 2 attempts "), (3, "after 3 attempts ")],
)
def test_an_unsent_call_changed_nothing(attempts: int, counted: str) -> None:
    """The message says that nothing was changed, and how many attempts there were."""
    call = call_of(operations.SUBSCRIPTIONS_EXTEND)

    error = error_for(call, Failed(Failure.NOT_SENT, "ConnectError"), history(attempts=attempts))

    assert type(error) is ConnectionFailedError
    assert str(error) == (
        f"subscriptions.extend on 501 failed {counted}(ConnectError): nothing was changed, "
        "and a retry is safe"
    )
    assert error.operation == "subscriptions.extend"
    assert error.attempts == attempts


def test_a_calls_repr_hides_what_is_sent() -> None:
    """Bodies and queries hold personal data, and a repr lands in logs."""
    call = Call(
        operation=operations.CHECKOUT_SESSIONS_CREATE,
        returns=CheckoutSession,
        query={"email": "sara@example.com"},
        body={"email": "sara@example.com"},
    )

    assert "sara" not in repr(call)


def test_a_settlements_repr_hides_the_comparison() -> None:
    """The values that are compared are the caller's data too."""
    settlement = Settlement(
        read=call_of(operations.SUBSCRIPTIONS_GET),
        compare=lambda found, _: Evidence.APPLIED if found.id == 987654 else Evidence.UNCLEAR,
        result=lambda found: found,
        explains=lambda _: False,
    )

    assert "lambda" not in repr(settlement)


def test_calls_do_not_share_a_query() -> None:
    """Each call has its own, empty unless it is given."""
    one, two = call_of(operations.SUBSCRIPTIONS_GET), call_of(operations.SUBSCRIPTIONS_GET)

    assert one.query == {}
    assert one.query is not two.query
