"""Each task is claimed by one worker at a time and in its turn, on each database."""

from __future__ import annotations

import pytest

from rmz_async import TaskLostError
from rmz_async.webhooks.inbox.interface import Grouping, Inbox, TaskState
from tests.webhooks.storages import (
    BOTH,
    LEASE,
    Storage,
    Time,
    claim,
    claim_one,
    claimed_keys,
    delivery,
    states,
    store,
)


def test_a_task_is_claimed_once(inbox: Inbox, other: Inbox) -> None:
    """Two workers share the tasks."""
    inbox.add([delivery()])
    first, second = claim(inbox, limit=1), claim(other, limit=1)

    assert {task.handler for task in (*first, *second)} == set(BOTH)
    assert claim(inbox) == claim(other) == []


def test_the_oldest_task_comes_first(inbox: Inbox) -> None:
    """No task waits behind those that came later."""
    store(inbox, "b", "a", "c")

    assert claimed_keys(inbox) == ["b", "a", "c"]


def test_a_worker_claims_only_tasks_that_it_can_run(inbox: Inbox) -> None:
    """Two versions of a program may share an inbox."""
    inbox.add([delivery()])

    assert [task.handler for task in claim(inbox, "second", "third")] == ["second"]
    assert inbox.claim((), limit=1, lease=LEASE) == []


@pytest.mark.parametrize(("after", "is_free"), [(LEASE - 1, False), (LEASE, True)])
def test_an_abandoned_task_is_claimed_when_its_lease_ends(
    inbox: Inbox, other: Inbox, inbox_time: Time, after: float, is_free: bool
) -> None:
    """A worker that was killed gives nothing back."""
    store(inbox, "a")
    claim_one(inbox)
    inbox_time.move(after)

    assert [task.attempt for task in claim(other)] == ([2] if is_free else [])


def test_a_renewed_lease_ends_later(inbox: Inbox, inbox_time: Time) -> None:
    store(inbox, "a")
    task = claim_one(inbox)
    inbox_time.move(LEASE - 1)
    inbox.renew([task], lease=LEASE)
    inbox_time.move(LEASE - 1)
    assert claim(inbox) == []

    inbox_time.move(1)
    assert len(claim(inbox)) == 1


def test_a_worker_that_has_lost_a_task_changes_nothing(
    inbox: Inbox, other: Inbox, inbox_time: Time
) -> None:
    """The task belongs to the worker that claimed it last."""
    store(inbox, "a")
    late = claim_one(inbox)
    inbox_time.move(LEASE)
    current = claim_one(other)
    inbox.done([late])
    inbox.failed(late, "late", retry_after=None)
    inbox.release([late])
    inbox_time.move(1)
    inbox.renew([late], lease=10 * LEASE)
    with pytest.raises(TaskLostError, match="nothing was changed"), inbox.transaction(late):
        pytest.fail("the effect must not happen")

    assert states(inbox) == ["waiting"]
    inbox_time.move(LEASE - 1)
    assert claim_one(inbox).attempt == current.attempt + 1


def test_a_failed_task_waits_for_its_next_attempt(inbox: Inbox, inbox_time: Time) -> None:
    """Its lease ends with the attempt."""
    store(inbox, "a")
    inbox.failed(claim_one(inbox), "ValueError: no", retry_after=5.0)
    entry = inbox.entry(1)
    assert entry is not None
    assert (entry.tasks[0].error, entry.tasks[0].due_in) == ("ValueError: no", 5.0)
    inbox_time.move(4)
    assert claim(inbox) == []

    inbox_time.move(1)
    assert claim_one(inbox).attempt == 2


def test_a_task_without_another_attempt_is_dead(inbox: Inbox, inbox_time: Time) -> None:
    """No worker claims it, and it keeps the error."""
    store(inbox, "a")
    inbox.failed(claim_one(inbox), "ValueError: no", retry_after=None)
    inbox_time.move(1e6)

    assert claim(inbox) == []
    entry = inbox.entry(1)
    assert entry is not None
    assert (entry.tasks[0].state, entry.tasks[0].error) == ("dead", "ValueError: no")


def test_a_released_task_is_free_and_its_attempt_does_not_count(inbox: Inbox) -> None:
    store(inbox, "a")
    first = claim_one(inbox)
    inbox.release([first])
    again = claim_one(inbox)

    assert again.attempt == first.attempt
    assert again.fence > first.fence


@pytest.mark.parametrize("is_given_back", [False, True])
def test_a_renewal_that_comes_after_the_attempt_has_ended_changes_nothing(
    inbox: Inbox, inbox_time: Time, is_given_back: bool
) -> None:
    """A worker renews its leases in another thread than the one in which it notes a failure."""
    store(inbox, "a")
    task = claim_one(inbox)
    if is_given_back:
        inbox.release([task])
    else:
        inbox.failed(task, "ValueError: no", retry_after=5.0)
    inbox.renew([task], lease=LEASE)
    inbox_time.move(5)

    assert len(claim(inbox)) == 1


def test_an_attempt_that_has_ended_does_not_end_again(inbox: Inbox) -> None:
    """A task that is given back twice has no attempt more than one that is given back once."""
    store(inbox, "a")
    task = claim_one(inbox)
    inbox.release([task])
    inbox.release([task])
    inbox.failed(task, "ValueError: no", retry_after=None)

    assert states(inbox) == ["waiting"]
    assert claim_one(inbox).attempt == 1


def test_a_delayed_task_can_be_claimed_early_by_its_number(inbox: Inbox, inbox_time: Time) -> None:
    """A queue hands the number over; without the queue, the task becomes due later."""
    inbox.add([delivery("a")], delay=30.0)
    inbox.add([delivery("b")], delay=30.0)
    assert claim(inbox) == []
    early = inbox.claim(BOTH, limit=10, lease=LEASE, inbox_id=1)
    assert [(task.key, task.handler) for task in early] == [("a", "first"), ("a", "second")]
    assert inbox.claim(BOTH, limit=10, lease=LEASE, inbox_id=1) == []

    inbox_time.move(30)
    assert set(claimed_keys(inbox)) == {"b"}


def test_postponed_tasks_are_due_later(inbox: Inbox, inbox_time: Time) -> None:
    """Each delivery is named once, however many handlers it has."""
    inbox.add([delivery("a")])
    inbox.add([delivery("b")])
    claim(inbox, "first", limit=1)

    assert inbox.postpone(BOTH, limit=10, delay=30.0) == [1, 2]
    assert inbox.postpone(BOTH, limit=10, delay=30.0) == []
    inbox_time.move(30)
    assert inbox.postpone(BOTH, limit=1, delay=30.0) == [1]


def test_ordered_tasks_of_a_subject_run_one_after_another(inbox: Inbox, inbox_time: Time) -> None:
    """A task that is to be retried holds up the later ones, and no other subject."""
    store(inbox, "a", "b", grouping=Grouping.ORDERED)
    inbox.add([delivery("x", ("first",), Grouping.ORDERED, subject="subscription:502")])
    first, foreign = claim(inbox)
    assert (first.key, foreign.key) == ("a", "x")
    assert claim(inbox) == []
    inbox.failed(first, "no", retry_after=5.0)
    assert claim(inbox) == []

    inbox_time.move(5)
    inbox.failed(claim_one(inbox), "no", retry_after=None)
    assert claimed_keys(inbox) == ["b"]


def test_ordered_tasks_of_different_handlers_do_not_wait_for_each_other(inbox: Inbox) -> None:
    for key in "ab":
        inbox.add([delivery(key, BOTH, Grouping.ORDERED)])

    assert {(task.key, task.handler) for task in claim(inbox)} == {("a", "first"), ("a", "second")}


def test_coalesced_tasks_of_a_subject_become_the_newest_one(inbox: Inbox) -> None:
    store(inbox, "a", "b", "c", grouping=Grouping.COALESCED)
    task = claim_one(inbox)
    assert task.key == "c"
    store(inbox, "d", grouping=Grouping.COALESCED)
    assert claim(inbox) == []

    inbox.done([task])
    assert claimed_keys(inbox) == ["d"]
    assert [states(inbox, number)[0] for number in (1, 2, 3)] == ["merged", "merged", "done"]


def test_events_without_a_subject_are_never_grouped(inbox: Inbox) -> None:
    for key in "ab":
        inbox.add([delivery(key, ("first",), Grouping.ORDERED, subject=None)])

    assert claimed_keys(inbox) == ["a", "b"]


def test_a_clock_that_is_put_back_holds_up_no_task(
    inbox: Inbox, other: Inbox, inbox_time: Time
) -> None:
    """Neither the end of a lease nor the next attempt comes an hour later."""
    store(inbox, "abandoned", "failed")
    abandoned, failed = claim(inbox)
    inbox.failed(failed, "no", retry_after=5.0)
    inbox_time.put_clock(-3600)
    inbox_time.move(5)
    assert claimed_keys(other) == ["failed"]

    inbox_time.move(LEASE - 5)
    assert [task.key for task in claim(other)] == [abandoned.key]


def test_a_process_that_starts_after_the_clock_was_put_back_takes_part(
    storage: Storage, inbox: Inbox, inbox_time: Time
) -> None:
    store(inbox, "a")
    claim_one(inbox)
    inbox_time.put_clock(-3600)
    late = storage.open()
    assert claim(late) == []
    store(late, "b")
    assert claimed_keys(inbox) == ["b"]

    inbox_time.move(LEASE)
    assert claimed_keys(late) == ["a", "b"]
    late.close()


def test_a_clock_that_was_ahead_for_a_moment_delays_no_new_event(
    inbox: Inbox, other: Inbox, inbox_time: Time
) -> None:
    """A process has seen it, and the other has not."""
    inbox_time.put_clock(3600)
    store(inbox, "a")
    inbox_time.put_clock(-3600)

    assert claimed_keys(other) == ["a"]


def test_a_worker_that_has_lost_a_forgotten_task_ends_no_new_one(
    inbox: Inbox, other: Inbox, inbox_time: Time
) -> None:
    """SQLite uses the number of a row that was deleted again."""
    store(inbox, "old")
    lost = claim_one(inbox)
    inbox_time.move(LEASE + 1)
    other.done(claim(other))
    inbox_time.move(1)
    assert other.purge(older_than=0.0) == 1
    store(other, "new")
    new = claim_one(other)
    inbox.done([lost])

    with other.transaction(new):
        pass
    assert states(other, new.inbox_id) == [TaskState.DONE]


def test_a_clock_that_was_ahead_makes_no_new_event_old(
    inbox: Inbox, other: Inbox, inbox_time: Time
) -> None:
    """Its duplicates would count as new."""
    week = 7 * 86_400.0
    inbox_time.put_clock(2 * week)
    store(other, "before")
    other.done(claim(other))
    inbox_time.put_clock(-2 * week)

    store(inbox, "new")
    other.done(claim(other))

    assert other.purge(older_than=week) == 0
    assert inbox.add([delivery("new")]) == [None]
