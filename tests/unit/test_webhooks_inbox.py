"""The inbox by itself: each event once, a task for each handler, and leases."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rmz_async.webhooks.inbox.sqlite import SQLiteInbox, StoredDelivery, Task

NOW = 1_800_000_000.0
LEASE = 60.0
BOTH = ("first", "second")


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[SQLiteInbox]:
    """An inbox in a file of its own."""
    inbox = SQLiteInbox(str(tmp_path / "inbox.db"))
    yield inbox
    inbox.close()


def delivery(key: str = "e-1") -> StoredDelivery:
    """A delivery of one event."""
    return StoredDelivery(key=key, name="order.created", body=b"{}", request_id="7", secret_index=0)


def claimed(inbox: SQLiteInbox, now: float = NOW, handlers: tuple[str, ...] = BOTH) -> Task:
    """Take a task that must be there."""
    task = inbox.claim(handlers, now, LEASE)
    assert task is not None
    return task


def test_an_event_is_stored_once(inbox: SQLiteInbox) -> None:
    """A repeated delivery adds no task."""
    assert inbox.add(delivery(), BOTH, NOW)
    assert not inbox.add(delivery(), BOTH, NOW + 5)
    assert inbox.counts() == {"waiting": 2, "done": 0, "dead": 0}


def test_a_known_event_stays_known_after_its_tasks_are_done(inbox: SQLiteInbox) -> None:
    """A late duplicate must not run the handlers again."""
    inbox.add(delivery(), ["first"], NOW)
    inbox.done(claimed(inbox))

    assert not inbox.add(delivery(), ["first"], NOW + 86_400)
    assert inbox.claim(BOTH, NOW + 86_400, LEASE) is None


def test_a_task_has_all_that_the_delivery_had(inbox: SQLiteInbox) -> None:
    """Nothing is lost on the way through the file."""
    inbox.add(delivery(), ["first"], NOW)

    assert claimed(inbox) == Task(handler="first", attempt=1, delivery=delivery())


def test_a_task_is_taken_once(inbox: SQLiteInbox) -> None:
    """Two workers share the tasks."""
    inbox.add(delivery(), BOTH, NOW)

    assert {claimed(inbox).handler, claimed(inbox).handler} == set(BOTH)
    assert inbox.claim(BOTH, NOW, LEASE) is None


def test_the_oldest_task_comes_first(inbox: SQLiteInbox) -> None:
    """Nobody waits behind what came later."""
    inbox.add(delivery("b"), ["first"], NOW + 1)
    inbox.add(delivery("a"), ["first"], NOW)

    assert [claimed(inbox, NOW + 2).delivery.key for _ in "ab"] == ["a", "b"]


@pytest.mark.parametrize(("after", "is_free"), [(LEASE - 1, False), (LEASE, True)])
def test_an_abandoned_task_is_taken_when_its_lease_ends(
    inbox: SQLiteInbox, after: float, is_free: bool
) -> None:
    """A worker that was killed says nothing."""
    inbox.add(delivery(), ["first"], NOW)
    claimed(inbox)

    task = inbox.claim(BOTH, NOW + after, LEASE)

    assert (task is not None) == is_free
    assert task is None or task.attempt == 2


def test_a_worker_whose_lease_ended_changes_nothing(inbox: SQLiteInbox) -> None:
    """The task belongs to the one that took it last."""
    inbox.add(delivery(), ["first"], NOW)
    late = claimed(inbox)
    current = claimed(inbox, NOW + LEASE)
    inbox.done(late)
    inbox.failed(late, "late", None)

    assert inbox.counts() == {"waiting": 1, "done": 0, "dead": 0}
    inbox.done(current)
    assert inbox.counts() == {"waiting": 0, "done": 1, "dead": 0}


def test_a_failed_task_waits_for_its_next_attempt(inbox: SQLiteInbox) -> None:
    """Its lease ends at the same moment."""
    inbox.add(delivery(), ["first"], NOW)
    inbox.failed(claimed(inbox), "ValueError", NOW + 5)

    assert inbox.claim(BOTH, NOW + 4, LEASE) is None
    assert claimed(inbox, NOW + 5).attempt == 2


def test_a_task_without_another_attempt_is_dead(inbox: SQLiteInbox) -> None:
    """Nobody takes it, and it is counted."""
    inbox.add(delivery(), BOTH, NOW)
    inbox.failed(claimed(inbox), "ValueError", None)

    assert claimed(inbox, NOW + 1e6).handler == "second"
    assert inbox.claim(BOTH, NOW + 1e6, LEASE) is None
    assert inbox.counts() == {"waiting": 1, "done": 0, "dead": 1}


def test_a_worker_takes_only_what_it_can_run(inbox: SQLiteInbox) -> None:
    """Two versions of a program may share an inbox."""
    inbox.add(delivery(), BOTH, NOW)

    assert claimed(inbox, handlers=("second",)).handler == "second"
    assert inbox.claim(("second",), NOW, LEASE) is None
    assert inbox.claim((), NOW, LEASE) is None


def test_two_processes_share_a_file(tmp_path: Path, inbox: SQLiteInbox) -> None:
    """An event that one process has stored is known to the other."""
    other = SQLiteInbox(str(tmp_path / "inbox.db"))
    inbox.add(delivery(), ["first"], NOW)

    assert not other.add(delivery(), ["first"], NOW)
    assert claimed(other).attempt == 1
    assert inbox.claim(BOTH, NOW, LEASE) is None
    other.close()


def test_threads_share_an_inbox(inbox: SQLiteInbox) -> None:
    """Among many threads that store the same event, only one is first."""
    results: list[bool] = []

    def add() -> None:
        results.append(inbox.add(delivery(), BOTH, NOW))

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False] * 7 + [True]


def test_half_a_delivery_is_never_stored(inbox: SQLiteInbox) -> None:
    """If a task cannot be stored, neither is the event, so that a retry stores both."""
    with pytest.raises(sqlite3.IntegrityError):
        inbox.add(delivery(), ["first", "first"], NOW)

    assert inbox.add(delivery(), ["first"], NOW)


def test_a_closed_inbox_opens_again(inbox: SQLiteInbox) -> None:
    """Its file has all that was stored."""
    inbox.add(delivery(), ["first"], NOW)
    inbox.close()
    inbox.close()

    assert inbox.counts()["waiting"] == 1


def test_a_file_that_is_no_database_is_an_error_each_time(tmp_path: Path) -> None:
    """No connection is left open behind the error."""
    (tmp_path / "inbox.db").write_bytes(b"something else entirely, of some length" * 50)
    inbox = SQLiteInbox(str(tmp_path / "inbox.db"))

    for _ in range(2):
        with pytest.raises(sqlite3.DatabaseError):
            inbox.counts()


def test_a_delivery_does_not_show_its_body() -> None:
    """A body may hold personal data, and a repr lands in logs."""
    assert "body" not in repr(delivery())
