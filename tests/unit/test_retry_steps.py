"""The whole decision table, written out: who reads it need not read the code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import attrs
import pytest

from rmz_async import operations
from rmz_async._calls.outcome import Evidence, Failed, Failure, History
from rmz_async._calls.retry import Decision, Step, decide
from rmz_async._calls.verdict import shows_success
from rmz_async.operations import Operation, RetryRule
from rmz_async.options import RetryPolicy

BY_RULE = {
    RetryRule.SAFE: operations.SUBSCRIPTIONS_GET,
    RetryRule.SETTLE: operations.SUBSCRIPTIONS_PAUSE,
    RetryRule.DEDUPED: operations.ORDERS_CREATE,
    RetryRule.HARMLESS: operations.CHECKOUT_SESSIONS_CREATE,
    RetryRule.ONCE: operations.SUBSCRIPTIONS_EXTEND,
}

# Each cell is nine letters: the decisions after attempt 1, 2 and 3 of 3 if nothing of note went
# before; the same if an earlier attempt may have been applied; and if one was refused with a 429
# that was not the throttle's. P retries, S settles by reading back, and R raises; if there is no
# way to read back, each S is R.
TABLE = {
    #                      SAFE           SETTLE         DEDUPED        HARMLESS       ONCE
    Failure.NOT_SENT:   ("PPR PPS PPR", "PPR SSS PPR", "PPR PPS PPR", "PPR PPS PPR", "PPR PPS PPR"),
    Failure.NEVER_SENT: ("RRR SSS RRR", "RRR SSS RRR", "RRR SSS RRR", "RRR SSS RRR", "RRR SSS RRR"),
    Failure.AMBIGUOUS:  ("PPR PPS PPR", "SSS SSS SSS", "PPR PPS PPR", "PPR SSS PPR", "SSS SSS SSS"),
    Failure.UNREADABLE: ("SSS SSS SSS", "SSS SSS SSS", "SSS SSS SSS", "SSS SSS SSS", "SSS SSS SSS"),
    Failure.THROTTLED:  ("PPR PPS PPR", "PPR SSS PPR", "PPR PPS PPR", "PPR PPS PPR", "RRR SSS RRR"),
    Failure.REFUSED:    ("PPR PPS RRR", "SSS SSS SSS", "RRR SSS RRR", "PPR PPS RRR", "SSS SSS SSS"),
    Failure.CONFLICT:   ("RRR SSS RRR", "RRR SSS RRR", "RRR SSS RRR", "RRR SSS RRR", "RRR SSS RRR"),
    Failure.FINAL:      ("RRR SSS RRR", "RRR SSS RRR", "RRR SSS RRR", "RRR SSS RRR", "RRR SSS RRR"),
}  # fmt: skip
STEPS = {"P": Step.RETRY, "S": Step.READ_BACK, "R": Step.RAISE}
EARLIER: tuple[tuple[tuple[Failure, ...], ...], ...] = (
    ((), (Failure.NOT_SENT,), (Failure.THROTTLED,), (Failure.NOT_SENT, Failure.THROTTLED)),
    ((Failure.AMBIGUOUS,), (Failure.NOT_SENT, Failure.AMBIGUOUS)),
    ((Failure.REFUSED,), (Failure.REFUSED, Failure.NOT_SENT)),
)


def cases() -> list[tuple[RetryRule, Failure, tuple[tuple[Failure, ...], ...], str]]:
    """Read the table."""
    return [
        (rule, failure, group, letters)
        for failure, row in TABLE.items()
        for rule, cell in zip(BY_RULE, row, strict=True)
        for group, letters in zip(EARLIER, cell.split(), strict=True)
    ]


def decided(
    operation: Operation,
    failure: Failure,
    history: History | None = None,
    policy: RetryPolicy | None = None,
    *,
    can_settle: bool = False,
) -> Decision:
    """Decide with all the time in the world."""
    return decide(
        operation,
        Failed(failure, "a reason"),
        History(attempts=1) if history is None else history,
        RetryPolicy() if policy is None else policy,
        can_settle=can_settle,
        now=100.0,
        deadline=1e9,
        suspended=0.0,
        draw=lambda: 1.0,
    )


def name(value: object) -> str:
    """Name a case after its parts."""
    if isinstance(value, tuple):
        return "+".join(map(name, value)) or "nothing"
    return value.name if isinstance(value, RetryRule | Failure) else str(value)


def test_the_table_is_complete() -> None:
    """Every rule and every failure has its cell."""
    assert set(TABLE) == set(Failure)
    assert set(BY_RULE) == set(RetryRule)
    assert all(row.retry is rule for rule, row in BY_RULE.items())


@pytest.mark.parametrize(("rule", "failure", "group", "letters"), cases(), ids=name)
@pytest.mark.parametrize("can_settle", [True, False])
def test_the_table_decides_the_next_step(
    rule: RetryRule,
    failure: Failure,
    group: tuple[tuple[Failure, ...], ...],
    letters: str,
    can_settle: bool,
) -> None:
    """A failed attempt is followed by what the table says."""
    for earlier, (attempts, letter) in product(group, enumerate(letters, 1)):
        history = History(attempts=attempts, failures=list(earlier))

        step = decided(
            BY_RULE[rule],
            failure,
            history,
            RetryPolicy(max_attempts=3),
            can_settle=can_settle,
        ).step

        blind = Step.RAISE if letter == "S" else STEPS[letter]
        assert step is (STEPS[letter] if can_settle else blind), (earlier, attempts)


@pytest.mark.parametrize("failure", Failure, ids=name)
@pytest.mark.parametrize("operation", operations.OPERATIONS, ids=lambda row: row.name)
def test_one_attempt_means_one(operation: Operation, failure: Failure) -> None:
    """With one attempt allowed nothing is ever retried."""
    decision = decided(operation, failure, policy=RetryPolicy(max_attempts=1))

    assert decision.step is Step.RAISE
    assert not decision.may_resend


@pytest.mark.parametrize("failure", Failure, ids=name)
def test_a_session_is_asked_for_once_if_the_policy_says_so(failure: Failure) -> None:
    """If the policy says so, a session that may be there is not asked for again; only that."""
    policies = RetryPolicy(retry_sessions=False), RetryPolicy()
    row = operations.PORTAL_SESSIONS_CREATE

    without, with_ = (decided(row, failure, policy=policy).step for policy in policies)

    if failure is Failure.AMBIGUOUS:
        assert (without, with_) == (Step.RAISE, Step.RETRY)
    else:
        assert without is with_


@pytest.mark.parametrize(
    "rule",
    [rule for rule in RetryRule if rule is not RetryRule.HARMLESS],
    ids=lambda rule: rule.name,
)
def test_that_choice_changes_no_other_call(rule: RetryRule) -> None:
    """All other calls are retried, or not, as without the option."""
    steps = {
        decided(
            BY_RULE[rule],
            Failure.AMBIGUOUS,
            policy=RetryPolicy(retry_sessions=retried),
            can_settle=True,
        ).step
        for retried in (True, False)
    }

    assert len(steps) == 1


def test_the_rule_decides_and_not_the_name() -> None:
    """A call is retried by its row's rule, whatever else the row says."""
    row = attrs.evolve(operations.SUBSCRIPTIONS_EXTEND, retry=RetryRule.SAFE)

    assert decided(row, Failure.AMBIGUOUS).step is Step.RETRY


def test_a_call_that_has_not_begun() -> None:
    """No attempt is counted before there is one."""
    assert History().attempts == 0


@pytest.mark.parametrize("failure", Failure, ids=name)
def test_an_attempt_without_a_readable_answer_is_ambiguous(failure: Failure) -> None:
    """No answer, or one that cannot be read: the attempt may have been applied. Else it was not."""
    expected = failure in (Failure.AMBIGUOUS, Failure.UNREADABLE)

    assert History(failures=[Failure.NOT_SENT, failure]).ambiguous is expected
    assert not History().ambiguous


TODAY = datetime(2026, 1, 1, tzinfo=UTC)
LATER = TODAY + timedelta(seconds=5)


@pytest.mark.parametrize("failure", [None, *Failure], ids=lambda one: one and one.name)
def test_when_a_call_was_sent_first(failure: Failure | None) -> None:
    """From the first attempt on that may have been applied; the last one is noted in any case."""
    tries = History(attempts=1)
    tries.note_sending(100.0, TODAY)
    assert (tries.first_sent, tries.last_sent, tries.sent_at) == (100.0, 100.0, TODAY)
    tries.failures = [] if failure is None else [failure]

    tries.note_sending(105.0, LATER)

    kept = failure in (Failure.AMBIGUOUS, Failure.UNREADABLE)
    first = (100.0, TODAY) if kept else (105.0, LATER)
    assert (tries.first_sent, tries.sent_at) == first
    assert tries.last_sent == 105.0


def test_whether_a_request_is_at_work() -> None:
    """From when it is sent until it is known what it has ended in."""
    tries = History(attempts=1)
    found = [tries.under_way]
    tries.note_sending(100.0, TODAY)
    found.append(tries.under_way)
    tries.note_failure(Failure.THROTTLED)
    found.append(tries.under_way)

    assert found == [False, True, False]
    assert tries.failures == [Failure.THROTTLED]


@pytest.mark.parametrize("evidence", Evidence, ids=lambda one: one.name)
@pytest.mark.parametrize("failure", Failure, ids=name)
@pytest.mark.parametrize("operation", operations.OPERATIONS, ids=lambda row: row.name)
def test_only_an_applied_change_of_its_own_is_a_success(
    operation: Operation, failure: Failure, evidence: Evidence
) -> None:
    """An extension that the guard refused without an earlier attempt may be somebody else's."""
    first, later = History(attempts=1), History(attempts=2, failures=[Failure.AMBIGUOUS])

    guarded = operation.retry is RetryRule.ONCE and failure is Failure.REFUSED
    applied = evidence is Evidence.APPLIED
    assert shows_success(operation, failure, first, evidence) is (applied and not guarded)
    assert shows_success(operation, failure, later, evidence) is applied
