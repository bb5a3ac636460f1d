"""An object that was read back, and what it says about a change, in all cases."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from rmz_async._calls.outcome import Evidence, Failure, Window
from rmz_async._calls.verdict import weigh
from rmz_async.models import Order, OrderStatus, Subscription, SubscriptionStatus
from rmz_async.resources._settling import (
    Compare,
    canceled,
    extended,
    moved_to,
    never,
    paused,
    refuses_cancel,
    refuses_pause,
    refuses_unpause,
    unpaused,
)

SINCE = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WINDOW = Window(since=SINCE, until=SINCE + 100 * SECOND)
# When the object was changed last, by whether that was since the call.
CHANGED = {
    "changed just then": (SINCE, WINDOW),
    "changed later": (SINCE + 100 * SECOND, WINDOW),
    "changed in the future": (SINCE + 101 * SECOND, WINDOW),
    "unchanged": (SINCE - SECOND, WINDOW),
    "unchanged for 10 minutes": (SINCE - 600 * SECOND, WINDOW),
    "unchanged for long": (SINCE - 600 * SECOND - SECOND, WINDOW),
    "no time of the change": (None, WINDOW),
    "no time of the answer": (SINCE, None),
    "no time at all": (None, None),
}
UNCHANGED = [name for name in CHANGED if "unchanged" in name]
UNKNOWN = [name for name in CHANGED if name.startswith("no")]

# Each comparison, with an object that is as it was to become, and others.
STATES: dict[str, tuple[Compare, dict[str, object], list[dict[str, object]]]] = {
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


def before(when: str) -> Evidence:
    """Return what an object says that was last changed before the call."""
    return Evidence.NOT_APPLIED if when == "unchanged for long" else Evidence.UNSEEN


def subscription(fields: dict[str, object], updated_at: datetime | None) -> Subscription:
    """Subscription 501, with its status as the wire gives it."""
    known = {**fields}
    status = known.pop("status")
    with suppress(ValueError):
        status = SubscriptionStatus(str(status))
    return Subscription(id=501, status=status, updated_at=updated_at, **known)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - fields by name


@every_time
@every_change
def test_a_change_was_applied_if_the_object_has_changed_since(name: str, when: str) -> None:
    """If that is not known, its state decides; a time in the future shows that the clocks differ.

    A change that is dated within 10 minutes before may have happened since, by another
    server's clock.
    """
    compare, wanted, _ = STATES[name]
    updated_at, window = CHANGED[when]

    evidence = compare(subscription(wanted, updated_at), window)

    if when in UNCHANGED:
        assert evidence is before(when)
    elif when == "changed in the future" or (when in UNKNOWN and name == "unpause"):
        # The latter may never have been paused.
        assert evidence is Evidence.UNCLEAR
    else:
        assert evidence is Evidence.APPLIED


@every_time
@every_change
def test_a_change_was_not_applied_only_if_the_object_has_not_changed(name: str, when: str) -> None:
    """Otherwise somebody may have undone it."""
    compare, _, others = STATES[name]
    updated_at, window = CHANGED[when]

    for fields in others:
        evidence = compare(subscription(fields, updated_at), window)
        assert evidence is (before(when) if when in UNCHANGED else Evidence.UNCLEAR)


# The time at which RMZ brought about the state that each call wants.
STATE_SINCE = {
    "cancel": "canceled_at",
    "cancel at once": "canceled_at",
    "pause": "paused_at",
    "unpause": "current_period_start",
}


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (SINCE - SECOND, Evidence.UNCLEAR),
        (SINCE, Evidence.APPLIED),
        (SINCE + 100 * SECOND, Evidence.APPLIED),
        (SINCE + 101 * SECOND, Evidence.UNCLEAR),
        (None, Evidence.APPLIED),
    ],
)
@every_change
def test_a_state_that_is_older_than_the_call_is_not_of_the_call(
    name: str, since: datetime | None, expected: Evidence
) -> None:
    """Even if the object has changed since: that change was another one."""
    compare, wanted, _ = STATES[name]
    found = subscription({**wanted, STATE_SINCE[name]: since}, SINCE + SECOND)
    assert compare(found, WINDOW) is expected
    assert compare(found, None) is (Evidence.UNCLEAR if name == "unpause" else Evidence.APPLIED)


ALLOWED = {
    "pause": (refuses_pause, "active"),
    "unpause": (refuses_unpause, "paused"),
}


@pytest.mark.parametrize("status", SubscriptionStatus)
@pytest.mark.parametrize("name", ALLOWED)
def test_only_another_status_explains_a_refusal(name: str, status: SubscriptionStatus) -> None:
    """A refusal of a change that the status allows proves that the object was read too early."""
    explains, allowed = ALLOWED[name]

    assert explains(subscription({"status": status}, None)) is (status != allowed)


@pytest.mark.parametrize("ending", [True, False, None])
@pytest.mark.parametrize("status", SubscriptionStatus)
@pytest.mark.parametrize("effective", ["end_of_period", "immediate"])
def test_only_an_end_explains_that_a_cancellation_is_refused(
    effective: str, status: SubscriptionStatus, ending: bool | None
) -> None:
    """A subscription that ends with its period may still be ended immediately."""
    found = subscription({"status": status, "cancel_at_period_end": ending}, None)

    over = status in (SubscriptionStatus.CANCELED, SubscriptionStatus.EXPIRED)
    expected = over or (effective == "end_of_period" and ending is True)
    assert refuses_cancel(effective)(found) is expected
    assert not never(found)


@pytest.mark.parametrize("explained", [True, False])
@pytest.mark.parametrize("caught_up", [True, False])
@pytest.mark.parametrize("failure", Failure)
@pytest.mark.parametrize("evidence", Evidence)
def test_not_applied_is_believed_only_of_a_late_read_that_explains_the_refusal(
    evidence: Evidence, failure: Failure, caught_up: bool, explained: bool
) -> None:
    """Every other evidence is worth what it says."""
    weighed = weigh(evidence, failure, caught_up=caught_up, explained=explained)

    stale = not caught_up or (failure is Failure.CONFLICT and not explained)
    if evidence is Evidence.NOT_APPLIED and stale:
        assert weighed is Evidence.UNSEEN
    else:
        assert weighed is evidence


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
    """Compare for an extension of `BEFORE` by 7 days."""
    updated_at, window = CHANGED[when]
    compare = extended(BEFORE, WEEK)
    assert compare is not None
    found = Subscription(
        id=501,
        status=SubscriptionStatus.ACTIVE,
        current_period_start=start,
        current_period_end=end,
        updated_at=updated_at,
    )
    return compare(found, window)


@every_time
def test_an_end_that_moved_just_so_shows_that_it_was_applied(when: str) -> None:
    """The extension was applied, unless the end had moved before it was sent."""
    other = when in UNCHANGED or when == "changed in the future"
    expected = Evidence.UNCLEAR if other else Evidence.APPLIED

    assert later(END + WEEK, START, when) is expected


@every_time
def test_an_end_that_stayed_shows_that_nothing_was_applied(when: str) -> None:
    """The extension was not applied, whatever else has changed."""
    assert later(END, START, when) is Evidence.NOT_APPLIED


@every_time
@pytest.mark.parametrize("end", [END + 2 * WEEK, END + WEEK + SECOND, END - WEEK, None])
def test_an_end_that_moved_otherwise_is_unclear(end: datetime | None, when: str) -> None:
    """Somebody else moved it, and this call may have a part in that."""
    assert later(end, START, when) is Evidence.UNCLEAR


@every_time
@pytest.mark.parametrize("end", [END, END + WEEK, END + timedelta(days=30)])
@pytest.mark.parametrize("start", [END, None])
def test_a_renewal_in_between_is_unclear(end: datetime, start: datetime | None, when: str) -> None:
    """Another period has begun: its end says nothing, even if it is the one expected."""
    assert later(end, start, when) is Evidence.UNCLEAR


def test_an_extension_without_a_known_end_cannot_be_compared() -> None:
    """If the end was not known before, there is nothing to compare with."""
    assert extended(Subscription(id=501, status=SubscriptionStatus.ACTIVE), WEEK) is None


def test_an_extension_of_a_period_that_never_ends_cannot_be_compared() -> None:
    """Shops write the year 9999 for "for ever", and no later one can be written."""
    for_ever = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    before = Subscription(id=501, status=SubscriptionStatus.ACTIVE, current_period_end=for_ever)

    assert extended(before, WEEK) is None


def order(status: object, updated_at: datetime | None) -> Order:
    """An order in a status."""
    return Order(id=78901, current_status=status, updated_at=updated_at)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - new numbers too


@every_time
@pytest.mark.parametrize("wanted", OrderStatus)
def test_an_order_in_the_wanted_place_was_moved(wanted: OrderStatus, when: str) -> None:
    """The order's place counts, not when it got there, nor who moved it."""
    updated_at, window = CHANGED[when]

    assert moved_to(int(wanted))(order(wanted, updated_at), window) is Evidence.APPLIED


@every_time
@pytest.mark.parametrize("status", [OrderStatus(2), 99, None])
def test_an_order_elsewhere_was_not_moved_unless_it_has_changed(status: object, when: str) -> None:
    """The order was not moved if it has not changed since; else it may have gone on from there."""
    updated_at, window = CHANGED[when]
    expected = before(when) if when in UNCHANGED else Evidence.UNCLEAR

    assert moved_to(3)(order(status, updated_at), window) is expected
