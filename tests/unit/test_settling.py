"""What an object that was read back says about a change, in all cases."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from rmz_async._calls.retry import Evidence
from rmz_async.models import Order, OrderStatus, Subscription, SubscriptionStatus
from rmz_async.resources._settling import (
    Judge,
    canceled,
    extended,
    moved_to,
    paused,
    unpaused,
)

SINCE = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
# When the object was changed last, by whether that was since the call.
CHANGED = {
    "changed just then": (SINCE, SINCE),
    "changed later": (SINCE + 100 * SECOND, SINCE),
    "unchanged": (SINCE - SECOND, SINCE),
    "nearly unchanged for a minute": (SINCE - MINUTE, SINCE),
    "unchanged for a minute": (SINCE - MINUTE - SECOND, SINCE),
    "no time of the change": (None, SINCE),
    "no time of the answer": (SINCE, None),
    "no time at all": (None, None),
}
UNCHANGED = [name for name in CHANGED if "unchanged" in name]
UNKNOWN = [name for name in CHANGED if name.startswith("no")]

# Each judge, with an object that is as it was to become, and others.
STATES: dict[str, tuple[Judge, dict[str, object], list[dict[str, object]]]] = {
    "cancel": (
        canceled("end_of_period"),
        {"status": "active", "cancel_at_period_end": True},
        [
            {"status": "active", "cancel_at_period_end": False},
            {"status": "active"},
            {"status": "canceled"},
        ],
    ),
    "cancel at once": (
        canceled("immediate"),
        {"status": "canceled"},
        [{"status": "active", "cancel_at_period_end": True}, {"status": "expired"}],
    ),
    "pause": (paused, {"status": "paused"}, [{"status": "active"}, {"status": "canceled"}]),
    "unpause": (unpaused, {"status": "active"}, [{"status": "paused"}, {"status": "new word"}]),
}

every_change = pytest.mark.parametrize("name", STATES)
every_time = pytest.mark.parametrize("when", CHANGED)


def subscription(fields: dict[str, object], updated_at: datetime | None) -> Subscription:
    """Subscription 501, with its status as the wire gives it."""
    known = {**fields}
    status = known.pop("status")
    with suppress(ValueError):
        status = SubscriptionStatus(str(status))
    return Subscription(id=501, status=status, updated_at=updated_at, **known)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - fields by name


@every_time
@every_change
def test_as_it_was_to_become(name: str, when: str) -> None:
    """It was applied if it has changed since; where nobody knows that, its state decides.

    What is said to have changed shortly before may have changed since, by another server's clock.
    """
    judge, wanted, _ = STATES[name]
    updated_at, since = CHANGED[when]

    evidence = judge(subscription(wanted, updated_at), since)

    if when == "unchanged for a minute":
        assert evidence is Evidence.NOT_APPLIED
    elif when in UNCHANGED or (when in UNKNOWN and name == "unpause"):
        # Of the latter: it may never have been paused.
        assert evidence is Evidence.UNCLEAR
    else:
        assert evidence is Evidence.APPLIED


@every_time
@every_change
def test_otherwise(name: str, when: str) -> None:
    """It was not applied only if it has not changed since: else somebody may have undone it."""
    judge, _, others = STATES[name]
    updated_at, since = CHANGED[when]

    for fields in others:
        evidence = judge(subscription(fields, updated_at), since)
        assert evidence is (Evidence.NOT_APPLIED if when in UNCHANGED else Evidence.UNCLEAR)


START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2026, 2, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
BEFORE = Subscription(
    id=501,
    status=SubscriptionStatus.ACTIVE,
    current_period_start=START,
    current_period_end=END,
)


def later(end: datetime | None, start: datetime | None, when: str) -> Evidence:
    """Judge an extension of `BEFORE` by 7 days."""
    updated_at, since = CHANGED[when]
    judge = extended(BEFORE, WEEK)
    assert judge is not None
    found = Subscription(
        id=501,
        status=SubscriptionStatus.ACTIVE,
        current_period_start=start,
        current_period_end=end,
        updated_at=updated_at,
    )
    return judge(found, since)


@every_time
def test_an_end_that_moved_just_so(when: str) -> None:
    """The extension was applied, unless the end had moved before it was sent."""
    expected = Evidence.UNCLEAR if when in UNCHANGED else Evidence.APPLIED

    assert later(END + WEEK, START, when) is expected


@every_time
def test_an_end_that_stayed(when: str) -> None:
    """The extension was not applied, whatever else has changed."""
    assert later(END, START, when) is Evidence.NOT_APPLIED


@every_time
@pytest.mark.parametrize("end", [END + 2 * WEEK, END + WEEK + SECOND, END - WEEK, None])
def test_an_end_that_moved_otherwise(end: datetime | None, when: str) -> None:
    """Somebody else moved it: nobody can tell whose part is in it."""
    assert later(end, START, when) is Evidence.UNCLEAR


@every_time
@pytest.mark.parametrize("end", [END, END + WEEK, END + timedelta(days=30)])
@pytest.mark.parametrize("start", [END, None])
def test_a_renewal_in_between(end: datetime, start: datetime | None, when: str) -> None:
    """Another period has begun: its end says nothing, even where it is the one expected."""
    assert later(end, start, when) is Evidence.UNCLEAR


def test_a_subscription_without_an_end() -> None:
    """Where the end was not known before, there is nothing to compare with."""
    assert extended(Subscription(id=501, status=SubscriptionStatus.ACTIVE), WEEK) is None


def order(status: object, updated_at: datetime | None) -> Order:
    """An order in a status."""
    return Order(id=78901, current_status=status, updated_at=updated_at)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - new numbers too


@every_time
@pytest.mark.parametrize("wanted", OrderStatus)
def test_an_order_that_is_there(wanted: OrderStatus, when: str) -> None:
    """What counts is where the order is, not when it got there, and who moved it."""
    updated_at, since = CHANGED[when]

    assert moved_to(int(wanted))(order(wanted, updated_at), since) is Evidence.APPLIED


@every_time
@pytest.mark.parametrize("status", [OrderStatus(2), 99, None])
def test_an_order_that_is_elsewhere(status: object, when: str) -> None:
    """It was not moved if it has not changed since; else it may have gone on from there."""
    updated_at, since = CHANGED[when]
    expected = Evidence.NOT_APPLIED if when in UNCHANGED else Evidence.UNCLEAR

    assert moved_to(3)(order(status, updated_at), since) is expected
