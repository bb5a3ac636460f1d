from __future__ import annotations

import math
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from rmz_async import operations
from rmz_async._calls.retry import (
    CLOCK_STEP,
    REFUSED_WAIT,
    Failure,
    History,
    backoff,
    earliest,
    is_certificate_error,
    is_too_late,
    may_resend,
    resend_until,
    retry_after,
)
from rmz_async.operations import Operation, Repeat
from rmz_async.options import RetryPolicy

# Wednesday, 21 October 2015, 07:28:00 GMT.
MOMENT = 1445412480.0
ANSWERED = datetime(2026, 1, 1, 12, tzinfo=UTC)

CHANGES = [
    operations.SUBSCRIPTIONS_CANCEL,
    operations.SUBSCRIPTIONS_PAUSE,
    operations.SUBSCRIPTIONS_UNPAUSE,
]
every_change = pytest.mark.parametrize("operation", CHANGES, ids=lambda row: row.name)


def sent(*failures: Failure, attempts: int = 1) -> History:
    """A call whose first try began at second 100."""
    return History(attempts=attempts, failures=list(failures), first_sent=100.0)


@every_change
def test_a_change_is_sent_once_more(operation: Operation) -> None:
    """A change that is seen not to be there may be sent a second time."""
    assert may_resend(operation, Failure.AMBIGUOUS, sent(), RetryPolicy(), 101.0)


@pytest.mark.parametrize(
    "operation",
    [row for row in operations.OPERATIONS if row not in CHANGES],
    ids=lambda row: row.name,
)
def test_only_what_can_be_settled_is_sent_again(operation: Operation) -> None:
    """An extension or an order's step is never sent again, whatever a read-back shows."""
    assert not may_resend(operation, Failure.AMBIGUOUS, sent(), RetryPolicy(), 100.0)


def test_a_time_alone_allows_nothing() -> None:
    """The rule forbids it first: no figure in a row makes an extension something to repeat."""
    row = attrs.evolve(operations.SUBSCRIPTIONS_EXTEND, resend_within=30.0)

    assert not may_resend(row, Failure.AMBIGUOUS, sent(), RetryPolicy(), 101.0)


@pytest.mark.parametrize("failure", [kind for kind in Failure if kind is not Failure.AMBIGUOUS])
def test_only_after_an_ambiguous_try(failure: Failure) -> None:
    """An answer that RMZ gave is not asked for again."""
    assert not may_resend(operations.SUBSCRIPTIONS_PAUSE, failure, sent(), RetryPolicy(), 101.0)


def test_never_a_third_time() -> None:
    """One repeat, however many attempts the policy allows."""
    assert not may_resend(
        operations.SUBSCRIPTIONS_PAUSE,
        Failure.AMBIGUOUS,
        sent(Failure.AMBIGUOUS, attempts=2),
        RetryPolicy(max_attempts=9),
        101.0,
    )


def test_what_was_not_sent_does_not_count() -> None:
    """A try that surely did not arrive leaves the one repeat as it is."""
    assert may_resend(
        operations.SUBSCRIPTIONS_PAUSE,
        Failure.AMBIGUOUS,
        sent(Failure.NOT_SENT, attempts=2),
        RetryPolicy(),
        101.0,
    )


@pytest.mark.parametrize(("most", "allowed"), [(1, False), (2, False), (3, True)])
def test_the_policy_bounds_this_repeat_too(most: int, allowed: bool) -> None:
    """After as many tries as the policy allows there is no other."""
    history = sent(Failure.NOT_SENT, attempts=2)

    assert (
        may_resend(
            operations.SUBSCRIPTIONS_PAUSE,
            Failure.AMBIGUOUS,
            history,
            RetryPolicy(max_attempts=most),
            101.0,
        )
        is allowed
    )


@every_change
@pytest.mark.parametrize(("now", "allowed"), [(129.999, True), (130.0, False)])
def test_only_within_half_a_minute(operation: Operation, now: float, allowed: bool) -> None:
    """Later than that the customer may have undone the change themselves."""
    assert may_resend(operation, Failure.AMBIGUOUS, sent(), RetryPolicy(), now) is allowed


def test_not_where_nothing_was_sent() -> None:
    """Without a first try there is nothing to repeat."""
    history = History(attempts=1)

    assert not may_resend(
        operations.SUBSCRIPTIONS_PAUSE, Failure.AMBIGUOUS, history, RetryPolicy(), 1.0
    )


@pytest.mark.parametrize("failure", [Failure.AMBIGUOUS, Failure.UNREADABLE])
@pytest.mark.parametrize(("at", "late"), [(339.999, False), (340.0, True), (9999.0, True)])
def test_an_order_is_repeated_within_4_minutes(at: float, late: bool, failure: Failure) -> None:
    """For 5 minutes RMZ takes it for the same order, and a minute is left for the way."""
    assert is_too_late(operations.ORDERS_CREATE, sent(failure), at) is late
    assert resend_until(operations.ORDERS_CREATE, sent(failure)) == 340.0


@every_change
def test_a_change_that_waits_for_its_turn(operation: Operation) -> None:
    """Whatever it waits for, a repeat begins within half a minute of the first try."""
    assert resend_until(operation, sent(Failure.AMBIGUOUS)) == 130.0


@pytest.mark.parametrize(
    "history",
    [sent(), sent(Failure.NOT_SENT), sent(Failure.THROTTLED), sent(Failure.REFUSED)],
    ids=lambda history: str(history.failures),
)
@pytest.mark.parametrize("operation", operations.OPERATIONS, ids=lambda row: row.name)
def test_what_was_not_applied_is_never_too_late(operation: Operation, history: History) -> None:
    """An order that RMZ surely did not make is a new one at any time."""
    assert resend_until(operation, history) == math.inf
    assert not is_too_late(operation, history, 1e9)


@pytest.mark.parametrize(
    "operation",
    [row for row in operations.OPERATIONS if row.repeat in (Repeat.SAFE, Repeat.HARMLESS)],
    ids=lambda row: row.name,
)
def test_what_costs_nothing_is_never_too_late(operation: Operation) -> None:
    """A read or a session may be repeated at any time."""
    assert not is_too_late(operation, sent(Failure.AMBIGUOUS), 1e9)


def test_what_was_never_sent_is_never_too_late() -> None:
    """Without a first try there is nothing that RMZ could remember."""
    history = History(failures=[Failure.AMBIGUOUS])

    assert not is_too_late(operations.ORDERS_CREATE, history, 1e9)


def test_a_429_without_a_time() -> None:
    """A 429 that names no time is met with a second of patience."""
    assert REFUSED_WAIT == 1.0


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


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("007", 7.0),
        ("999999999", 999_999_999.0),
    ],
)
def test_retry_after_in_seconds(written: str, seconds: float) -> None:
    """A whole number is seconds, up to nine digits."""
    found = retry_after(written, MOMENT)

    assert found == seconds
    assert type(found) is float


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "soon",
        "-5",
        "1.5",
        "1e3",
        "1000000000",
        "9" * 400,
        "٧",
        "nan",
        "inf",
        "Wed, 99 Oct 2015 07:28:00 GMT",
        "Wed, 21 Oct 99999 07:28:00 GMT",
    ],
)
def test_retry_after_without_sense(written: str) -> None:
    """What is neither seconds nor a date counts as missing."""
    assert retry_after(written, MOMENT) is None


def test_no_retry_after() -> None:
    """A missing header gives no wait."""
    assert retry_after(None, MOMENT) is None


def test_retry_after_as_a_date() -> None:
    """A date gives the time until then."""
    assert retry_after("Wed, 21 Oct 2015 07:28:30 GMT", MOMENT) == 30.0


def test_retry_after_as_a_date_elsewhere() -> None:
    """A date that names another zone is read in that zone."""
    assert retry_after("Wed, 21 Oct 2015 10:28:30 +0300", MOMENT) == 30.0


def test_retry_after_in_the_past() -> None:
    """A date that is over gives no negative wait."""
    assert retry_after("Wed, 21 Oct 2015 07:27:00 GMT", MOMENT) == 0.0


@pytest.fixture
def far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose local time is not GMT."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_from_greenwich")
@pytest.mark.parametrize("written", ["Wed Oct 21 07:28:30 2015", "Wed, 21 Oct 2015 07:28:30 -0000"])
def test_a_date_without_a_zone_is_gmt(written: str) -> None:
    """HTTP's old form of a date names no zone, and means GMT on every machine."""
    assert retry_after(written, MOMENT) == 30.0


@pytest.mark.parametrize("link", ["__cause__", "__context__"])
def test_a_certificate_behind_an_error(link: str) -> None:
    """It is found however deep it lies, and nothing else is taken for it."""
    outer, inner = OSError("outer"), OSError("inner")
    setattr(outer, link, inner)

    assert not is_certificate_error(outer)
    setattr(inner, link, ssl.SSLCertVerificationError())
    assert is_certificate_error(outer)
    assert not is_certificate_error(None)
    assert not is_certificate_error(ssl.SSLError())


def test_errors_in_a_circle() -> None:
    """Two errors that stand behind each other hold nobody up."""
    one, two = OSError("one"), OSError("two")
    one.__context__, two.__context__ = two, one

    assert not is_certificate_error(one)


@pytest.mark.parametrize(
    ("elapsed", "seconds"), [(0.0, 2), (0.001, 3), (1.0, 3), (1.001, 4), (59.5, 62)]
)
def test_when_a_call_can_have_been_applied_first(elapsed: float, seconds: int) -> None:
    """RMZ says whole seconds: the time that has passed is rounded up, and a little is added."""
    assert CLOCK_STEP == 2
    assert earliest(ANSWERED, elapsed) == ANSWERED - timedelta(seconds=seconds)


def test_no_time_in_the_answer() -> None:
    """Without RMZ's own clock nothing can be compared."""
    assert earliest(None, 1.0) is None
