"""The states that deliveries show stay known, for the comparison with RMZ's list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rmz_async.webhooks.inbox.interface import Inbox, TaskState
from rmz_async.webhooks.inbox.known import KnownStates, Seen
from rmz_async.webhooks.inbox.records import Delivery
from tests.webhooks.storages import Time

SUBJECT = "subscription:501"


def add(inbox: Inbox, key: str, **state: object) -> None:
    """Store a delivery that shows a state."""
    body = b"{}"
    delivery = Delivery(key=key, name="bench", body=body, subject=SUBJECT, state=state)
    assert inbox.add([delivery]) != [None]


def known(inbox: Inbox) -> Mapping[str, Any]:
    """Return what the comparison of a page knows of the subscription."""
    assert isinstance(inbox, KnownStates)
    found: list[Mapping[str, Any]] = []

    def decide(_: Seen, state: Mapping[str, Any]) -> Sequence[Delivery]:
        found.append(state)
        return ()

    walk = inbox.resume(lease=1.0)
    assert walk is not None
    page = [Seen(subject=SUBJECT, state={}, source=None)]
    assert inbox.compare(walk, page, decide, asked=0.0, lease=1.0) == []
    inbox.leave(walk, is_complete=True)
    return found[0]


def test_a_comparison_knows_what_the_latest_deliveries_have_shown(
    inbox: Inbox, inbox_time: Time
) -> None:
    add(inbox, "a", status="active", start="2026-01-01", months=1)
    add(inbox, "b", status="past_due", start="2026-01-01")
    inbox_time.move(1)
    assert known(inbox) == {"status": "past_due", "start": "2026-01-01", "months": 1}

    add(inbox, "c", status="active", start="2026-02-01")
    inbox_time.move(1)
    assert known(inbox) == {"status": "active", "start": "2026-02-01", "months": 1}


def test_a_delivery_of_an_earlier_period_is_late(inbox: Inbox, inbox_time: Time) -> None:
    add(inbox, "a", status="active", start="2026-02-01")
    add(inbox, "b", status="past_due", start="2026-01-01")
    inbox_time.move(1)

    assert known(inbox) == {"status": "active", "start": "2026-02-01"}


def test_the_state_of_a_forgotten_delivery_stays_known(inbox: Inbox, inbox_time: Time) -> None:
    """SQLite gives the number of a forgotten delivery again."""
    for status in ("active", "past_due", "expired"):
        add(inbox, status, status=status)
        inbox_time.move(10)
        assert inbox.purge(older_than=5.0, states=[TaskState.DONE]) == 1
        assert inbox.entries() == []
        if status != "active":
            assert known(inbox) == {"status": status}


def test_a_delivery_behind_a_forgotten_one_becomes_known(inbox: Inbox, inbox_time: Time) -> None:
    add(inbox, "a", status="active")
    inbox_time.move(10)
    assert inbox.purge(older_than=5.0) == 1
    add(inbox, "b", status="expired")
    inbox_time.move(1)

    assert known(inbox) == {"status": "expired"}
