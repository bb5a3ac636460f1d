"""The events that must have happened between two states of a subscription."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest

from rmz_async import from_dict
from rmz_async.models import Subscription
from rmz_async.webhooks import Event, EventType, sample
from tests.seams import RECONCILED, body_of, changes, event_of, state_of, state_of_event

MAY, JUNE, JULY = (f"2026-0{month}-01T09:00:00+00:00" for month in (5, 6, 7))
AUGUST = "2026-08-01T09:00:00+00:00"
PAID: dict[str, Any] = {
    "status": "active",
    "start": MAY,
    "end": JUNE,
    "months": 1,
    "auto_renew": True,
    "variant": 15,
    "is_ending": False,
}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, ""),
        ({}, {"status": "past_due"}, "past_due"),
        ({}, {"status": "paused"}, "paused"),
        ({}, {"status": "canceled", "is_ending": True}, "canceled"),
        ({}, {"status": "expired"}, "expired"),
        ({}, {"status": "dormant"}, "updated"),
        ({"status": "dormant"}, {}, "updated"),
        ({"status": "paused"}, {"start": "2026-06-09T09:00:00+00:00"}, "unpaused"),
        ({"status": "canceled"}, {}, "resumed"),
        ({"status": "past_due"}, {}, "renewed"),
        ({"status": "past_due"}, {"start": JUNE, "end": JULY}, "renewed"),
        ({"status": "trialing"}, {"start": JUNE, "end": JULY}, "activated"),
        ({}, {"start": JUNE, "end": JULY}, "renewed"),
        ({}, {"start": JULY, "end": AUGUST}, "renewed"),
        ({}, {"start": JUNE, "end": JULY, "status": "paused"}, "renewed paused"),
        ({}, {"start": JUNE, "end": JULY, "is_ending": True}, "renewed canceled"),
        ({}, {"start": JUNE, "end": JULY, "variant": 16}, "renewed updated"),
        ({}, {"end": JULY}, "updated"),
        ({}, {"auto_renew": False}, "updated"),
        ({}, {"auto_renew": False, "is_ending": True}, "canceled"),
        ({"is_ending": True}, {}, "resumed"),
    ],
)
def test_each_change_has_its_events(
    before: dict[str, Any], after: dict[str, Any], expected: str
) -> None:
    kinds = changes({**PAID, **before}, {**PAID, **after})

    assert [kind.removeprefix("subscription.") for kind in kinds] == expected.split()


@pytest.mark.parametrize("start", ["2026-05-10T09:00:00+00:00", "2026-06-10T09:00:00+00:00"])
def test_a_period_that_a_pause_has_cut_is_no_renewal(start: str) -> None:
    """A program that adds a month for each renewal would give days away."""
    state = {**PAID, "start": start, "end": "2026-06-30T09:00:00+00:00"}

    assert changes(PAID, state) == (EventType.SUBSCRIPTION_UPDATED,)


@pytest.mark.parametrize("key", ["start", "end", "auto_renew", "variant", "is_ending"])
def test_a_key_that_rmz_leaves_out_is_no_change(key: str) -> None:
    """Only the id and the status are always there."""
    state = {**PAID, "start": JUNE, "end": JULY}
    del state[key]

    assert EventType.SUBSCRIPTION_CANCELED not in changes(PAID, state)
    assert changes(PAID, {"status": "active"}) == ()


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("start", "renewed"),
        ("end", "updated"),
        ("auto_renew", "renewed"),
        ("variant", "renewed"),
        ("is_ending", "renewed"),
    ],
)
def test_a_key_that_was_not_known_before_is_no_change(key: str, expected: str) -> None:
    """RMZ may show more of a subscription later; without the last end, no period is a renewal."""
    known = dict(PAID)
    del known[key]

    kinds = changes(known, {**PAID, "start": JUNE, "end": JULY})

    assert [kind.removeprefix("subscription.") for kind in kinds] == [expected]


@pytest.mark.parametrize(
    ("status", "expected"), [("active", "created"), ("expired", "created expired")]
)
def test_a_new_subscription_was_created_first(status: str, expected: str) -> None:
    kinds = changes({}, {**PAID, "status": status})

    assert [kind.removeprefix("subscription.") for kind in kinds] == expected.split()


@pytest.mark.parametrize(
    ("kind", "auto_renew", "expected"),
    [
        (EventType.SUBSCRIPTION_CANCELED, False, True),
        (EventType.SUBSCRIPTION_CREATED, False, False),
        (EventType.SUBSCRIPTION_ACTIVATED, False, False),
        (EventType.SUBSCRIPTION_RENEWED, False, False),
        (EventType.SUBSCRIPTION_RESUMED, False, False),
        (EventType.SUBSCRIPTION_UPDATED, True, False),
        (EventType.SUBSCRIPTION_UPDATED, False, None),
        (EventType.ORDER_CREATED, False, None),
    ],
)
def test_an_event_implies_whether_the_subscription_ends(
    kind: EventType, auto_renew: bool, expected: bool | None
) -> None:
    """RMZ's list says so, and its events do not."""
    event = event_of(sample(kind, auto_renew=auto_renew), None, 0)

    assert state_of_event(event).get("is_ending") is expected


def test_an_event_and_the_list_show_the_same_state() -> None:
    """Else each comparison would find changes that never happened."""
    event = event_of(sample(EventType.SUBSCRIPTION_RENEWED), None, 0)
    listed = from_dict(
        Subscription,
        {
            "id": 501,
            "status": "active",
            "duration": "monthly",
            "current_period_start": "2026-05-01 09:00:00",
            "current_period_end": "2026-06-01T09:00:00.000000Z",
            "auto_renew": 1,
            "variant": {"id": "15"},
            "cancel_at_period_end": 0,
        },
    )

    assert state_of_event(event) == state_of(listed)
    assert state_of(from_dict(Subscription, {"id": 1, "status": "new\0", "duration": "days"})) == {
        "status": "new\\x00"
    }


LISTED: dict[str, Any] = {
    "id": 501,
    "status": "active",
    "duration": "monthly",
    "current_period_start": MAY,
    "current_period_end": JUNE,
    "auto_renew": True,
    "variant": {"id": 15},
    "cancel_at_period_end": False,
}
CUT = {"current_period_start": "2026-06-10T09:00:00+00:00", "current_period_end": AUGUST}


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ({"current_period_start": JUNE, "current_period_end": JULY}, "renewed"),
        (CUT, "renewed"),
        ({**CUT, "duration": "quarterly"}, "updated"),
        ({"current_period_start": "2026-05-02T09:00:00+00:00"}, "updated"),
        ({"current_period_end": JULY}, "updated"),
        ({"auto_renew": False}, "updated"),
        ({"variant": {"id": 16}}, "updated"),
        ({"cancel_at_period_end": True}, "canceled"),
        ({"status": "paused"}, "paused"),
    ],
)
def test_a_change_of_what_rmz_lists_is_found(later: dict[str, Any], expected: str) -> None:
    """Whichever field shows it."""
    before, after = (
        state_of(from_dict(Subscription, fields)) for fields in (LISTED, {**LISTED, **later})
    )

    assert changes(before, after) == (f"subscription.{expected}",)


FOUND: dict[str, Any] = {
    "id": 501,
    "status": "canceled",
    "product": {"id": 102, "name": "Pro"},
    "current_period_end": JUNE,
    "updated_at": MAY,
}


def found_event(kind: EventType = EventType.SUBSCRIPTION_CANCELED, **fields: Any) -> Event:
    """Return the event of a change that a comparison has found."""
    subscription = from_dict(Subscription, {**FOUND, **fields})
    state = state_of(subscription)
    assert body_of(kind, subscription, dict(reversed(state.items()))) == body_of(
        kind, subscription, state
    )
    return event_of(body_of(kind, subscription, state), None, RECONCILED)


def test_a_change_that_was_found_is_an_event_as_rmz_sends_it() -> None:
    """Handlers see no other shape."""
    event = found_event()

    assert event.event == "subscription.canceled"
    assert event.is_reconciled
    assert re.fullmatch("reconciled:subscription.canceled:501:[0-9a-f]{32}", event.dedupe_key)
    shown = event.subscription
    assert shown is not None
    assert (shown.id, shown.status) == (501, "canceled")
    assert (shown.product_id, shown.product_name) == (102, "Pro")
    assert shown.current_period_end == datetime.fromisoformat(JUNE)
    bare = found_event(product=None).subscription
    assert bare is not None
    assert (bare.product_id, bare.product_name) == (None, None)


@pytest.mark.parametrize(
    "later",
    [
        {"updated_at": JUNE},
        {"canceled_at": MAY},
        {"paused_at": MAY},
        {"current_period_end": JULY},
        {"status": "expired"},
        {"id": 502},
        {"kind": EventType.SUBSCRIPTION_UPDATED},
    ],
)
def test_a_change_that_comes_again_later_takes_effect_again(later: dict[str, Any]) -> None:
    """A customer may cancel, resume and cancel."""
    assert found_event(**later).dedupe_key != found_event().dedupe_key


@pytest.mark.parametrize(
    ("end", "months", "renewed"),
    [
        ("2026-06-29T09:00:00+00:00", None, True),
        ("2026-06-28T09:00:00+00:00", None, False),
        ("2026-06-29T09:00:00+00:00", 1, True),
        ("2026-07-27T09:00:00+00:00", 2, True),
        ("2026-07-26T09:00:00+00:00", 2, False),
    ],
)
def test_a_late_period_as_long_as_its_shortest_months_was_paid_for(
    end: str, months: int | None, renewed: bool
) -> None:
    """A period that a pause has cut is shorter; a February has 28 days."""
    state = {**PAID, "start": "2026-06-01T09:00:01+00:00", "end": end.replace("00+", "01+")}
    del state["months"]
    if months is not None:
        state["months"] = months

    assert (EventType.SUBSCRIPTION_RENEWED in changes(PAID, state)) is renewed


def test_a_period_that_begins_when_the_last_one_ends_was_paid_for_if_it_has_any_length() -> None:
    """A plan may be shorter than a month."""
    empty = {**PAID, "start": JUNE, "end": JUNE}
    short = {**empty, "end": "2026-06-02T09:00:00+00:00"}

    assert changes(PAID, short) == (EventType.SUBSCRIPTION_RENEWED,)
    assert EventType.SUBSCRIPTION_RENEWED not in changes(PAID, empty)
