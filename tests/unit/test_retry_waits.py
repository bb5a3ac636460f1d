"""Attempts that may be made again: whether, until when and after which wait."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from rmz_async import operations
from rmz_async._calls.outcome import Failed, Failure, History, Window
from rmz_async._calls.retry import (
    LAG_MARGIN,
    Decision,
    Step,
    backoff,
    caught_up_at,
    decide,
    next_look,
    resend_until,
)
from rmz_async._calls.verdict import window
from rmz_async.errors import RateLimitError
from rmz_async.operations import Operation, RetryRule
from rmz_async.options import RetryPolicy

ANSWERED = datetime(2026, 1, 1, 12, tzinfo=UTC)

CHANGES = [
    operations.SUBSCRIPTIONS_CANCEL,
    operations.SUBSCRIPTIONS_PAUSE,
    operations.SUBSCRIPTIONS_UNPAUSE,
]
every_change = pytest.mark.parametrize("operation", CHANGES, ids=lambda row: row.name)


def sent(*failures: Failure, attempts: int = 1) -> History:
    """A call whose first attempt began at second 100."""
    return History(attempts=attempts, failures=list(failures), first_sent=100.0)


FRESH = RetryPolicy(replica_lag=0)


def decided(
    operation: Operation,
    failure: Failure = Failure.AMBIGUOUS,
    history: History | None = None,
    policy: RetryPolicy = FRESH,
    *,
    now: float = 101.0,
    deadline: float = 1e9,
    suspended: float = 0.0,
    error: RateLimitError | None = None,
) -> Decision:
    """Decide with the longest jitter."""
    return decide(
        operation,
        Failed(failure, "a reason", error),
        sent() if history is None else history,
        policy,
        can_settle=operation.retry in (RetryRule.SETTLE, RetryRule.ONCE),
        now=now,
        deadline=deadline,
        suspended=suspended,
        draw=lambda: 1.0,
    )


@every_change
def test_a_change_that_is_seen_not_to_be_there_may_be_sent_once_more(operation: Operation) -> None:
    """The object is read back first."""
    decision = decided(operation)

    assert (decision.step, decision.may_resend) == (Step.READ_BACK, True)


@pytest.mark.parametrize(
    "operation",
    [row for row in operations.OPERATIONS if row not in CHANGES],
    ids=lambda row: row.name,
)
def test_only_what_can_be_settled_is_sent_again(operation: Operation) -> None:
    """An extension or an order's step is never sent again, whatever a read-back shows."""
    assert not decided(operation).may_resend


def test_a_time_alone_allows_nothing() -> None:
    """The rule forbids it first: no figure in a row makes an extension something to retry."""
    row = attrs.evolve(operations.SUBSCRIPTIONS_EXTEND, resend_within=30.0)

    assert not decided(row).may_resend


@pytest.mark.parametrize("failure", [kind for kind in Failure if kind is not Failure.AMBIGUOUS])
def test_only_an_ambiguous_attempt_is_sent_again(failure: Failure) -> None:
    """An answer that RMZ gave is not asked for again."""
    assert not decided(operations.SUBSCRIPTIONS_PAUSE, failure).may_resend


def test_a_change_is_never_sent_a_third_time() -> None:
    """A change has one retry, however many attempts the policy allows."""
    history = sent(Failure.AMBIGUOUS, attempts=2)
    policy = RetryPolicy(max_attempts=9)

    assert not decided(operations.SUBSCRIPTIONS_PAUSE, history=history, policy=policy).may_resend


@pytest.mark.parametrize(("most", "allowed"), [(1, False), (2, False), (3, True)])
def test_the_policy_bounds_this_retry_too(most: int, allowed: bool) -> None:
    """An attempt that surely did not arrive is counted by the policy, and by nothing else."""
    history = sent(Failure.NOT_SENT, attempts=2)
    policy = RetryPolicy(max_attempts=most)

    decision = decided(operations.SUBSCRIPTIONS_PAUSE, history=history, policy=policy)

    assert decision.may_resend is allowed


@every_change
@pytest.mark.parametrize("lag", [0, 0.5, 30])
def test_a_change_is_sent_again_within_half_a_minute_and_the_lag(
    operation: Operation, lag: float
) -> None:
    """Later than that the customer may have undone the change themselves."""
    decision = decided(operation, policy=RetryPolicy(replica_lag=lag))

    assert decision.send_before == 130.0 + (lag and lag + LAG_MARGIN)


def test_the_time_of_a_suspended_machine_counts() -> None:
    """RMZ's clock did not stand still."""
    assert decided(operations.SUBSCRIPTIONS_PAUSE, suspended=20.0).send_before == 110.0


def test_the_deadline_bounds_a_retry() -> None:
    """No attempt begins after the call's end."""
    assert decided(operations.SUBSCRIPTIONS_PAUSE, deadline=107.0).send_before == 107.0


@pytest.mark.parametrize(("deadline", "step"), [(101.6, Step.RETRY), (101.5, Step.RAISE)])
def test_a_retry_that_would_begin_too_late_is_none(deadline: float, step: Step) -> None:
    """The wait counts, too."""
    assert decided(operations.STORE_GET, deadline=deadline).step is step


def test_a_change_is_read_back_without_time_for_a_retry() -> None:
    """Only a retry needs time; reading back has some of its own."""
    assert decided(operations.SUBSCRIPTIONS_PAUSE, deadline=101.0).step is Step.READ_BACK


def test_a_retry_within_a_second_is_a_retry() -> None:
    """Any time at all in a row allows it."""
    row = attrs.evolve(operations.SUBSCRIPTIONS_PAUSE, resend_within=1.0)

    assert decided(row, now=100.5).may_resend


@pytest.mark.parametrize("failure", [Failure.AMBIGUOUS, Failure.UNREADABLE])
def test_an_order_is_retried_within_4_minutes(failure: Failure) -> None:
    """For 5 minutes RMZ takes it for the same order, and a minute is left for the way."""
    history, row = sent(failure, attempts=2), operations.ORDERS_CREATE
    assert resend_until(row, history, RetryPolicy(), ambiguous=True) == 340.0

    steps = [
        decided(row, Failure.NOT_SENT, history, now=now).step for now in (338.9, 339.0, 9999.0)
    ]

    assert steps == [Step.RETRY, Step.RAISE, Step.RAISE]


@pytest.mark.parametrize("operation", operations.OPERATIONS, ids=lambda row: row.name)
def test_an_unapplied_order_is_never_too_late(operation: Operation) -> None:
    """An order that RMZ surely did not make is a new one at any time."""
    assert resend_until(operation, sent(), RetryPolicy(), ambiguous=False) == math.inf


@pytest.mark.parametrize(
    "operation",
    [row for row in operations.OPERATIONS if row.retry in (RetryRule.SAFE, RetryRule.HARMLESS)],
    ids=lambda row: row.name,
)
def test_a_read_or_session_is_never_too_late(operation: Operation) -> None:
    """A read or a session may be retried at any time."""
    assert resend_until(operation, sent(), RetryPolicy(), ambiguous=True) == math.inf


def test_a_call_never_sent_is_never_too_late() -> None:
    """Without a first attempt there is nothing that RMZ could remember."""
    row = operations.ORDERS_CREATE

    assert resend_until(row, History(), RetryPolicy(), ambiguous=True) == math.inf


@pytest.mark.parametrize(
    ("asked", "slot", "wait"), [(7.0, None, 7.0), (7.0, 9.0, 9.0), (0.0, None, 0.0)]
)
def test_the_wait_is_as_rmz_asks_or_until_the_next_slot(
    asked: float, slot: float | None, wait: float
) -> None:
    """Whichever is later."""
    history = sent()
    history.next_slot_in = slot
    error = RateLimitError("no", retry_after=asked)

    decision = decided(operations.STORE_GET, Failure.THROTTLED, history, error=error)

    assert decision.wait == wait


@pytest.mark.parametrize(("lag", "at"), [(0, 105.0), (2, 107.0 + LAG_MARGIN)])
def test_a_replica_has_caught_up_after_its_lag(lag: float, at: float) -> None:
    """The lag counts from the end of the last attempt that may have been applied."""
    history = sent()
    history.note_end(Failure.AMBIGUOUS, 105.0)
    history.note_end(Failure.CONFLICT, 106.0)

    assert caught_up_at(history, RetryPolicy(replica_lag=lag)) == at
    assert caught_up_at(History(), RetryPolicy()) == -math.inf


def looks(lag: float, *, may_resend: bool = True, until: float = 170.0) -> list[float]:
    """Return when an object is read again whose change was lost at second 100."""
    history, policy = sent(), RetryPolicy(replica_lag=lag)
    history.note_end(Failure.AMBIGUOUS, 100.0)
    decision = Decision(Step.READ_BACK, 0.0, may_resend, 160.0)
    now, found = 100.5, list[float]()
    while True:
        wait = next_look(len(found) + 1, decision, history, policy, now=now, until=until)
        if wait is None:
            return found
        now += wait
        found.append(now)


def test_an_object_is_read_again_until_a_replica_has_caught_up() -> None:
    """Soon at first, because most replicas lag less, and last when the lag has passed."""
    assert looks(30) == [101.5, 104.5, 131.0]
    assert looks(0.2)[0] == 101.2


def next_look_at(now: float, number: int, *, lag: float, send_before: float = 160.0) -> object:
    """Return the wait for look *number* at a change that was lost at second 100."""
    history, policy = sent(), RetryPolicy(replica_lag=lag)
    history.note_end(Failure.AMBIGUOUS, 100.0)
    decision = Decision(Step.READ_BACK, 0.0, may_resend=True, send_before=send_before)
    return next_look(number, decision, history, policy, now=now, until=170.0)


def test_a_replica_that_has_just_caught_up_is_asked_again_later() -> None:
    """A look without any wait would show the same state."""
    assert next_look_at(101.5, 1, lag=0.5) == 1.0


def test_the_last_look_leaves_time_to_send_the_change_again() -> None:
    """A retry must begin before its time is over, and not at that moment."""
    assert next_look_at(130.5, 3, lag=30) == 0.5
    assert next_look_at(130.5, 3, lag=30, send_before=131.0) is None


@pytest.mark.parametrize("lag", [90, 30])
def test_the_whole_lag_is_waited_for_only_if_a_retry_may_follow(lag: float) -> None:
    """Otherwise the wait would bring the caller no news."""
    may_resend = lag == 90
    assert looks(lag, may_resend=may_resend) == [101.5, 104.5]


def test_an_object_is_read_again_in_time_only() -> None:
    """No look begins after the call's end."""
    assert looks(30, may_resend=False, until=101.5) == []


def test_reads_that_see_every_write_are_not_repeated() -> None:
    """Without a lag one look says all, and so does one after a refusal."""
    assert looks(0) == []
    decision = Decision(Step.READ_BACK, 0.0, may_resend=False, send_before=160.0)
    assert next_look(1, decision, sent(), RetryPolicy(), now=100.0, until=170.0) is None


@pytest.mark.parametrize(("failure", "wait"), [(Failure.REFUSED, 1.0), (Failure.AMBIGUOUS, 0.0)])
def test_a_refusal_that_names_no_time_is_met_with_a_second_of_patience(
    failure: Failure, wait: float
) -> None:
    """Also if the jitter would have sent the next attempt immediately."""
    policy = RetryPolicy(backoff=1e-9)

    for error in (None, RateLimitError("no")):
        decision = decided(operations.STORE_GET, failure, policy=policy, error=error)
        assert decision.wait == pytest.approx(wait, abs=1e-6)


@pytest.mark.parametrize(
    ("attempts", "longest"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (5, 8.0), (6, 8.0)]
)
def test_the_longest_wait_doubles_up_to_the_cap(attempts: int, longest: float) -> None:
    """The waits' upper ends are 0.5, 1, 2, 4, 8 and then 8 seconds."""
    assert backoff(RetryPolicy(), attempts, lambda: 1.0) == longest


def test_the_wait_is_a_random_part() -> None:
    """The jitter is full: from nothing to the longest."""
    assert backoff(RetryPolicy(), 2, lambda: 0.0) == 0.0
    assert backoff(RetryPolicy(), 2, lambda: 0.25) == 0.25


def test_the_policy_sets_the_wait() -> None:
    """The first wait and the cap are the caller's."""
    policy = RetryPolicy(backoff=3.0, max_backoff=5.0)

    assert [backoff(policy, attempts, lambda: 1.0) for attempts in (1, 2)] == [3.0, 5.0]


def test_many_attempts_do_not_overflow() -> None:
    """The hundred-thousandth wait is as long as the cap."""
    assert backoff(RetryPolicy(), 100_000, lambda: 1.0) == 8.0


def test_the_shortest_wait_doubles_as_often_as_it_takes() -> None:
    """No cap comes before that of the policy."""
    policy = RetryPolicy(backoff=2.0**-100)

    assert [backoff(policy, attempts, lambda: 1.0) for attempts in (101, 104, 105)] == [1, 8, 8]


@pytest.mark.parametrize(
    ("elapsed", "seconds"), [(0.0, 0), (0.001, 1), (1.0, 1), (1.001, 2), (59.5, 60)]
)
def test_when_a_call_can_have_been_applied(elapsed: float, seconds: int) -> None:
    """RMZ says whole seconds: the time that has passed is rounded up, and a little is added."""
    step = timedelta(seconds=2)

    found = window(ANSWERED, elapsed)

    since = ANSWERED - timedelta(seconds=seconds) - step
    assert found == Window(since=since, until=ANSWERED + timedelta(seconds=1) + step)


def test_no_time_in_the_answer() -> None:
    """Without RMZ's own clock nothing can be compared."""
    assert window(None, 1.0) is None
