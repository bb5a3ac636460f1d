"""Each database keeps the promises of the interface."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from rmz_async import TaskLostError
from rmz_async.webhooks.inbox.interface import Grouping, Inbox, Stats, TaskState
from rmz_async.webhooks.inbox.records import Delivery
from tests.webhooks.storages import (
    BOTH,
    LEASE,
    Time,
    claim,
    claim_one,
    delivery,
    states,
    store,
)

DAY = 86_400.0


def test_an_inbox_fits_the_interface(inbox: Inbox) -> None:
    assert isinstance(inbox, Inbox)


def test_an_event_is_stored_once(inbox: Inbox) -> None:
    """A repeated delivery adds no task."""
    assert inbox.add([delivery()]) == [1]
    assert inbox.add([delivery()]) == [None]
    assert inbox.stats().waiting == 2


def test_deliveries_of_one_event_that_are_stored_together_are_stored_once(inbox: Inbox) -> None:
    stored = inbox.add([delivery("a"), delivery("b"), delivery("a"), delivery("c", ())])

    assert [number is None for number in stored] == [False, False, True, False]
    assert inbox.stats() == Stats(deliveries=3, waiting=4)


def test_a_known_event_stays_known_after_its_tasks_are_done(inbox: Inbox) -> None:
    """A late duplicate must not run the handlers again."""
    inbox.add([delivery()])
    inbox.done(claim(inbox))

    assert inbox.add([delivery()]) == [None]
    assert claim(inbox) == []


def test_a_task_has_all_that_the_delivery_had(inbox: Inbox) -> None:
    """Nothing is lost on the way through the database."""
    inbox.add([delivery(handlers=("first",))])
    task = claim_one(inbox)

    stored = delivery()
    assert (task.key, task.name, task.body) == (stored.key, stored.name, stored.body)
    assert (task.request_id, task.secret_index) == ("7", 0)
    assert (task.inbox_id, task.handler, task.attempt) == (1, "first", 1)


def test_a_task_says_how_old_its_delivery_is(inbox: Inbox, inbox_time: Time) -> None:
    inbox.add([delivery(handlers=("first",))])
    inbox_time.move(7.5)

    assert claim_one(inbox).age == 7.5


def test_an_effect_is_committed_with_the_mark_that_it_is_done(inbox: Inbox) -> None:
    """A transaction that fails leaves the task as it was."""
    store(inbox, "a")
    task = claim_one(inbox)
    with pytest.raises(LookupError), inbox.transaction(task):
        raise LookupError
    assert states(inbox) == ["waiting"]

    with inbox.transaction(task) as connection:
        assert connection is not None
    assert states(inbox) == ["done"]
    with pytest.raises(TaskLostError), inbox.transaction(task):
        pytest.fail("the effect must not happen twice")


def test_a_transaction_may_be_left_in_another_thread(inbox: Inbox) -> None:
    """An async handler enters it in one worker thread and leaves it in another."""
    store(inbox, "a")
    transaction = inbox.transaction(claim_one(inbox))
    transaction.__enter__()
    thread = threading.Thread(target=transaction.__exit__, args=(None, None, None))
    thread.start()
    thread.join()

    assert states(inbox) == ["done"]


def test_threads_share_an_inbox(inbox: Inbox) -> None:
    """Among many threads that store the same event, one is first."""
    results: list[int | None] = []
    threads = [
        threading.Thread(target=lambda: results.extend(inbox.add([delivery()]))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results, key=str) == [1] + [None] * 7


def test_stats_count_each_state(inbox: Inbox, inbox_time: Time) -> None:
    store(inbox, "a", "b", "c", "d")
    inbox.add([Delivery(key="e", name="(unreadable)", body=b"", fault="not JSON")])
    done, dead, _ = claim(inbox, limit=3)
    inbox.done([done])
    inbox.failed(dead, "no", retry_after=None)
    inbox_time.move(10)

    assert inbox.stats() == Stats(
        deliveries=5, unreadable=1, waiting=2, running=1, done=1, dead=1, oldest_waiting=10.0
    )


def test_deliveries_are_listed_the_newest_first(inbox: Inbox) -> None:
    store(inbox, "a", "b", "c")
    inbox.failed(claim_one(inbox), "no", retry_after=None)

    def keys(**wanted: object) -> list[str]:
        return [entry.key for entry in inbox.entries(**wanted)]  # type: ignore[arg-type] # any of them

    assert keys() == ["c", "b", "a"]
    assert keys(before=3, limit=1) == ["b"]
    assert keys(state=TaskState.DEAD) == ["a"]


def test_an_entry_shows_all_but_the_body(inbox: Inbox, inbox_time: Time) -> None:
    """A body may hold personal data, and a repr lands in logs."""
    inbox.add([delivery()])
    claim(inbox, "first")
    entry = inbox.entry(1)
    assert entry is not None

    assert entry.body == delivery().body
    assert entry.received_at == inbox_time.now.timestamp()
    assert [(task.handler, task.is_running) for task in entry.tasks] == [
        ("first", True),
        ("second", False),
    ]
    assert "xd8" not in repr(entry) + repr(delivery())
    assert inbox.entry(2) is None


def test_a_requeued_delivery_runs_with_all_its_attempts(inbox: Inbox) -> None:
    """Also for a handler that did not exist when the delivery came, and once it can be read."""
    inbox.add([delivery(handlers=("first",), fault="no status")])
    inbox.failed(claim_one(inbox), "no", retry_after=None)

    assert inbox.requeue(1, dict.fromkeys(BOTH, Grouping.ORDERED))
    assert [(task.handler, task.attempt) for task in claim(inbox)] == [("first", 1), ("second", 1)]
    assert inbox.stats().unreadable == 0
    assert not inbox.requeue(7, {})


def test_a_task_that_runs_is_not_requeued(inbox: Inbox) -> None:
    store(inbox, "a")
    task = claim_one(inbox)
    inbox.requeue(1, {"first": Grouping.EACH, "second": Grouping.EACH})
    inbox.done([task])

    assert states(inbox) == ["done", "waiting"]


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        (["done"], {"waiting", "dead", "unreadable"}),
        (["dead"], {"waiting", "done", "merged"}),
        (["done", "dead"], {"waiting"}),
    ],
)
def test_a_purge_forgets_what_is_over(
    inbox: Inbox, inbox_time: Time, wanted: Sequence[str], left: set[str]
) -> None:
    """A delivery that still waits is never forgotten."""
    store(inbox, "merged", "done", grouping=Grouping.COALESCED)
    inbox.done(claim(inbox))
    store(inbox, "dead")
    inbox.failed(claim_one(inbox), "no", retry_after=None)
    store(inbox, "waiting")
    inbox.add([Delivery(key="unreadable", name="(unreadable)", body=b"", fault="not JSON")])
    inbox_time.move(7 * DAY)
    inbox.add([delivery("young", ())])

    assert inbox.purge(older_than=7 * DAY + 1) == 0
    inbox_time.move(2)
    states = [TaskState(state) for state in wanted]
    inbox.purge(older_than=7 * DAY + 1, states=states)
    # A delivery without a task is done.
    if "done" in wanted:
        assert inbox.purge(older_than=-1.0, states=states) == 1
        left |= set()
    else:
        left |= {"young"}
    assert {entry.key for entry in inbox.entries()} == left


def test_an_event_that_was_forgotten_is_new_again(inbox: Inbox, inbox_time: Time) -> None:
    inbox.add([delivery(handlers=())])
    inbox_time.move(1)
    assert inbox.purge(older_than=0.5) == 1

    assert inbox.add([delivery(handlers=())]) != [None]


def test_a_closed_inbox_opens_again(inbox: Inbox) -> None:
    store(inbox, "a")
    inbox.close()
    inbox.close()

    assert inbox.stats().waiting == 1


def test_the_schema_makes_an_inbox(inbox: Inbox) -> None:
    """For migrations of one's own."""
    assert "CREATE TABLE" in inbox.schema()


def test_nobody_needs_to_be_woken_for_ever(inbox: Inbox) -> None:
    """The function that listen returns may be called at any time."""
    stop = inbox.listen(lambda: None)
    stop()


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_no_row_has_a_number_that_no_database_takes(inbox: Inbox, number: int) -> None:
    """Such a number may stand in the address of a page, or come from a queue."""
    store(inbox, "a")

    assert inbox.entry(number) is None
    assert len(inbox.entries(before=number)) == (number > 0)
    assert not inbox.requeue(number, {})
    assert inbox.claim(["first"], limit=1, lease=LEASE, inbox_id=number) == []
