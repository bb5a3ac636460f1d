"""Each database keeps what is known of subscriptions, and how far RMZ's list was compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from rmz_async.webhooks.inbox.known import KnownStates, Seen, Walk
from rmz_async.webhooks.inbox.records import Delivery
from tests.webhooks.storages import BOTH, LEASE, Storage, Time, claim, delivery

HOUR = 3_600.0
NEW = {"status": "paused", "start": "2026-05-01"}


@pytest.fixture
def states(storage: Storage) -> KnownStates:
    """An inbox on each database."""
    inbox = storage.open()
    inbox.create()
    assert isinstance(inbox, KnownStates)
    return inbox


@pytest.fixture(autouse=True)
def closing(states: KnownStates) -> Any:
    """Close the inbox after the test."""
    yield
    states.close()


class Asked:
    """Is asked what follows from a page, and remembers what was known."""

    def __init__(self, *found: Delivery) -> None:
        self.found = found
        self.known: dict[str, Mapping[str, Any]] = {}

    def __call__(self, seen: Seen, known: Mapping[str, Any]) -> Sequence[Delivery]:
        """Return the deliveries."""
        self.known[seen.subject] = dict(known)
        return self.found


def resumed(states: KnownStates) -> Walk:
    """Take the walk up, which must be free."""
    walk = states.resume(lease=LEASE)
    assert walk is not None
    return walk


def compare(
    states: KnownStates, walk: Walk, asked: Asked, *subjects: str, ago: float = 0.0
) -> Sequence[int] | None:
    """Compare a page of subscriptions, all in the same state."""
    page = [Seen(subject=subject, state=NEW, source=None) for subject in subjects or ("s:1",)]
    return states.compare(walk, page, asked, asked=ago, lease=LEASE)


def known(states: KnownStates, subject: str = "s:1") -> Mapping[str, Any]:
    """Return what is known of a subscription, which an empty page and the next one leave alone."""
    asked = Asked()
    walk = resumed(states)
    compare(states, walk, asked, subject)
    states.leave(walk, is_complete=False)
    return asked.known[subject]


def event(key: str, **state: str) -> Delivery:
    """Return a delivery that shows a state."""
    return Delivery(key=key, name="n", body=b"{}", subject="s:1", state=state)


def test_a_page_is_remembered(states: KnownStates, inbox_time: Time) -> None:
    assert known(states) == {}
    inbox_time.move(1)

    assert known(states) == NEW


def test_a_state_keeps_what_the_list_leaves_out(states: KnownStates, inbox_time: Time) -> None:
    states.add([event("a", status="active", plan="pro")])
    inbox_time.move(1)
    assert known(states) == {"status": "active", "plan": "pro"}
    inbox_time.move(1)

    assert known(states) == {**NEW, "plan": "pro"}


def test_events_are_known_as_they_are_stored(states: KnownStates, inbox_time: Time) -> None:
    """Two of one subscription may be stored together; one that comes again changes nothing."""
    states.add([event("b", status="b", start="2026-05-01"), event("c", status="c", end="later")])
    states.add([event("b", status="b", start="2026-05-01")])
    inbox_time.move(1)

    assert known(states) == {"status": "c", "start": "2026-05-01", "end": "later"}


def test_a_late_event_changes_no_known_state(states: KnownStates, inbox_time: Time) -> None:
    """Its period began before the known one."""
    states.add([event("new", status="active", start="2026-06-01")])
    states.add([event("late", status="past_due", start="2026-05-01")])
    inbox_time.move(1)

    assert known(states)["status"] == "active"


def test_an_event_without_a_state_or_a_subject_makes_nothing_known(states: KnownStates) -> None:
    states.add([Delivery(key="a", name="n", body=b"", subject="s:1")])
    states.add([Delivery(key="b", name="n", body=b"", state=NEW)])

    assert known(states) == {}


def test_a_state_that_came_after_the_question_is_newer(
    states: KnownStates, inbox_time: Time
) -> None:
    """RMZ's answer may not know of the event yet."""
    states.add([event("a", status="active")])
    inbox_time.move(10)
    walk, asked = resumed(states), Asked(delivery())
    assert compare(states, walk, asked, ago=20) == []
    assert asked.known == {}

    assert compare(states, walk, asked, ago=5) == [2]


def test_what_follows_from_a_page_is_stored_with_it(states: KnownStates) -> None:
    """A delivery that is there already is not stored again."""
    walk = resumed(states)
    found = compare(states, walk, Asked(delivery("e-1"), delivery("e-2")))

    assert found == [1, 2]
    assert compare(states, walk, Asked(delivery("e-1")), "s:2") == []
    assert {task.handler for task in claim(states)} == set(BOTH)


def test_a_page_whose_events_cannot_be_made_is_not_remembered(states: KnownStates) -> None:
    def fail(seen: Seen, known: Mapping[str, Any]) -> Sequence[Delivery]:
        raise ValueError(seen.subject)

    walk = resumed(states)
    page = [Seen(subject="s:1", state=NEW, source=None)]
    with pytest.raises(ValueError, match="s:1"):
        states.compare(walk, page, fail, asked=0.0, lease=LEASE)

    assert known_after(states, walk) == {}


def known_after(states: KnownStates, walk: Walk) -> Mapping[str, Any]:
    """Return what is known once the walk is given back."""
    states.leave(walk, is_complete=False)
    return known(states)


def test_tasks_of_a_page_can_be_delayed(states: KnownStates, inbox_time: Time) -> None:
    """A queue gets them first."""
    page = [Seen(subject="s:1", state=NEW, source=None)]
    asked = Asked(delivery())
    states.compare(resumed(states), page, asked, asked=0.0, lease=LEASE, delay=30.0)
    assert claim(states) == []
    inbox_time.move(30)

    assert len(claim(states)) == len(BOTH)


def test_an_empty_page_is_a_page(states: KnownStates) -> None:
    walk = resumed(states)

    assert states.compare(walk, [], Asked(), asked=0.0, lease=LEASE) == []
    states.leave(walk, is_complete=False)
    assert resumed(states).page == 2


def test_one_process_walks_at_a_time(states: KnownStates, inbox_time: Time) -> None:
    """The walk of one that was killed goes on at the next page, and it cannot come back."""
    killed = resumed(states)
    compare(states, killed, Asked())
    inbox_time.move(LEASE - 1)
    assert states.resume(lease=LEASE) is None
    inbox_time.move(1)
    heir = resumed(states)

    assert (killed.page, heir.page) == (1, 2)
    assert compare(states, killed, Asked(delivery()), "s:2") is None
    states.leave(killed, is_complete=True)
    assert states.resume(lease=LEASE) is None
    assert states.stats().deliveries == 0


def test_a_walk_that_was_left_long_ago_begins_at_the_first_page(
    states: KnownStates, inbox_time: Time
) -> None:
    walk = resumed(states)
    compare(states, walk, Asked())
    states.leave(walk, is_complete=False)
    inbox_time.move(HOUR)
    walk = resumed(states)
    assert walk.page == 2
    states.leave(walk, is_complete=False)
    inbox_time.move(HOUR + 1)

    assert resumed(states).page == 1


def test_the_first_walk_is_the_first_until_its_end(states: KnownStates) -> None:
    walk = resumed(states)
    compare(states, walk, Asked())
    states.leave(walk, is_complete=False)
    again = resumed(states)
    assert (walk.is_first, again.is_first) == (True, True)
    states.leave(again, is_complete=True)

    assert resumed(states) == Walk(page=1, fence=again.fence + 1, is_first=False)
