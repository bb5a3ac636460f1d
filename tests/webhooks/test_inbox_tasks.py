"""The tasks of a SQLite inbox, which are made when a worker looks for them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rmz_async.webhooks.inbox.interface import Grouping, TaskState
from rmz_async.webhooks.inbox.sqlite import SQLiteInbox
from tests.seams import Setting, replace
from tests.webhooks.storages import BOTH, claim, claim_one, delivery, sqlite_storage, store


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[SQLiteInbox]:
    """An inbox in a file."""
    inbox = sqlite_storage(tmp_path).open()
    assert isinstance(inbox, SQLiteInbox)
    yield inbox
    inbox.close()


def delete(folder: Path, key: str) -> None:
    """Delete a delivery as somebody does by hand."""
    with closing(sqlite3.connect(folder / "inbox.db")) as connection, connection:
        connection.execute("DELETE FROM rmz_deliveries WHERE key = ?", (key,))


def test_an_inbox_looks_the_same_before_and_after_a_worker_has_looked(inbox: SQLiteInbox) -> None:
    inbox.add([delivery("a")], delay=60.0)
    inbox.add([delivery("b", handlers=())])
    stats, entries = inbox.stats(), inbox.entries()
    waiting = inbox.entries(state=TaskState.WAITING)

    assert claim(inbox) == []

    assert inbox.stats() == stats
    assert inbox.entries() == entries
    assert inbox.entries(state=TaskState.WAITING) == waiting
    assert [task.handler for entry in waiting for task in entry.tasks] == list(BOTH)
    assert stats.waiting == 2


def test_a_backlog_of_any_size_is_coalesced_as_a_whole(
    inbox: SQLiteInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tasks of many deliveries are made in several transactions."""
    replace(monkeypatch, Setting.MOST_DELIVERIES, 2)
    store(inbox, *"abcde", grouping=Grouping.COALESCED)

    assert [task.key for task in claim(inbox)] == ["e"]
    assert inbox.stats().merged == 4


def test_a_delivery_that_gets_the_number_of_a_deleted_one_is_handled(
    inbox: SQLiteInbox, tmp_path: Path
) -> None:
    store(inbox, "a", "b", "c")
    assert len(claim(inbox)) == 3
    for key in ("b", "c"):
        delete(tmp_path, key)

    store(inbox, "d")

    assert claim_one(inbox).key == "d"


def test_a_delivery_that_is_deleted_before_a_worker_looks_runs_nothing(
    inbox: SQLiteInbox, tmp_path: Path
) -> None:
    store(inbox, "a", "b", "c")
    delete(tmp_path, "b")

    assert [task.key for task in claim(inbox)] == ["a", "c"]


def test_a_task_is_made_once_by_two_processes(inbox: SQLiteInbox, tmp_path: Path) -> None:
    other = sqlite_storage(tmp_path).open()
    store(inbox, "a")
    assert len(claim(inbox)) == 1
    store(other, "b")

    assert [task.key for task in claim(other)] == ["b"]
    assert claim(inbox) == []
    assert inbox.stats().waiting == 2
    other.close()
