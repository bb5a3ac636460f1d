"""An inbox in a SQLite file: its tables, a full disk, transactions and locks."""

from __future__ import annotations

import re
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

from rmz_async.webhooks.inbox.sqlite import SQLiteInbox
from tests import seams
from tests.webhooks import sqlite_file
from tests.webhooks.storages import claim, claim_one, delivery, store

storage = sqlite_file.storage
inbox = sqlite_file.inbox


@pytest.mark.parametrize("place", [("no", "such", "inbox.db"), ()])
def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, place: tuple[str, ...]) -> None:
    """Its folder does not exist, or it is a folder itself."""
    path = str(tmp_path.joinpath(*place))

    with pytest.raises(sqlite3.OperationalError, match=re.escape(path)):
        SQLiteInbox(path).create()


def test_a_file_that_is_no_database_is_an_error_each_time(tmp_path: Path) -> None:
    """No connection is left open behind the error."""
    (tmp_path / "inbox.db").write_bytes(b"something else entirely, of some length" * 50)
    inbox = SQLiteInbox(str(tmp_path / "inbox.db"))

    for _ in range(2):
        with pytest.raises(sqlite3.DatabaseError):
            inbox.stats()


def test_the_printed_schema_makes_the_same_tables(inbox: SQLiteInbox, tmp_path: Path) -> None:
    """An inbox works on tables that a migration has made."""
    with sqlite3.connect(tmp_path / "inbox.db") as connection:
        connection.executescript(inbox.schema())
    connection.close()

    store(inbox, "a")
    assert claim_one(inbox).key == "a"


def test_a_name_of_the_file_is_all_that_is_shown(tmp_path: Path) -> None:
    assert repr(SQLiteInbox("rmz.db")) == "SQLiteInbox('rmz.db')"


def test_half_a_delivery_is_never_stored(inbox: SQLiteInbox) -> None:
    """If one event cannot be stored, neither is any other of the transaction."""
    broken = attrs.evolve(delivery("b"), secret_index=1 << 64)
    with pytest.raises(OverflowError):
        inbox.add([delivery("a"), broken])

    assert inbox.stats().deliveries == 0


def test_a_full_disk_stores_nothing_and_loses_nothing(inbox: SQLiteInbox) -> None:
    """As soon as there is room again, the same deliveries are stored."""
    store(inbox, "a")
    many = [delivery(f"b-{number}") for number in range(200)]
    seams.fill_disk(inbox, full=True)
    with pytest.raises(sqlite3.OperationalError, match="disk is full"):
        inbox.add(many)
    assert inbox.stats().deliveries == 1

    seams.fill_disk(inbox, full=False)
    assert None not in inbox.add(many)


def test_a_connection_that_cannot_be_rolled_back_is_replaced(inbox: SQLiteInbox) -> None:
    store(inbox, "a")
    task = claim_one(inbox)
    with pytest.raises(sqlite3.ProgrammingError), inbox.transaction(task) as connection:
        connection.close()

    with inbox.transaction(task):
        pass
    assert inbox.stats().done == 1


class Interrupted(sqlite3.Connection):
    """A connection whose first ROLLBACK is interrupted before it begins."""

    is_interrupted = False

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        """Run a statement."""
        if sql == "ROLLBACK" and not self.is_interrupted:
            self.is_interrupted = True
            raise KeyboardInterrupt
        return super().execute(sql, *arguments)


def test_a_second_interrupt_leaves_no_transaction_open(
    inbox: SQLiteInbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deliveries would be answered with 200, and none of them would be on the disk."""
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Interrupted))
    store(inbox, "a")
    task = claim_one(inbox)
    with pytest.raises(KeyboardInterrupt), inbox.transaction(task):
        raise KeyboardInterrupt

    store(inbox, "b")

    after = SQLiteInbox(str(tmp_path / "inbox.db"))
    assert [entry.key for entry in after.entries()] == ["b", "a"]
    assert after.stats().done == 0
    after.close()


def test_a_handler_that_commits_by_itself_is_an_error(inbox: SQLiteInbox) -> None:
    """The receiver could no longer take its effect back."""
    store(inbox, "a")
    task = claim_one(inbox)

    with (
        pytest.raises(sqlite3.ProgrammingError, match="leave COMMIT and ROLLBACK"),
        inbox.transaction(task) as connection,
    ):
        connection.execute("COMMIT")


def test_a_delivery_does_not_wait_for_ever_for_a_lock(
    inbox: SQLiteInbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RMZ gets an answer in time, and delivers again."""
    seams.set_patience(monkeypatch, 0.01)
    inbox.create()
    other = sqlite3.connect(tmp_path / "inbox.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        inbox.add([delivery()])
    other.execute("ROLLBACK")
    other.close()
    store(inbox, "a")
    with (
        inbox.transaction(claim_one(inbox)),
        pytest.raises(sqlite3.OperationalError, match="another thread"),
    ):
        inbox.add([delivery()])

    assert inbox.add([delivery()]) == [2]


def test_close_does_not_wait_for_ever_for_a_transaction(
    inbox: SQLiteInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a handler's transaction, in this very thread, never ended."""
    seams.set_patience(monkeypatch, 0.01)
    store(inbox, "e-1")
    task = claim_one(inbox)

    with inbox.transaction(task):
        inbox.close()
        connection = seams.connection_of(inbox)
        assert connection.in_transaction

    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
    assert inbox.stats().done == 1


def test_a_transaction_begins_immediately_or_not_at_all(inbox: SQLiteInbox, tmp_path: Path) -> None:
    store(inbox, "e-1")
    task = claim_one(inbox)
    other = sqlite3.connect(tmp_path / "inbox.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert inbox.begin_now() is None
    other.execute("ROLLBACK")
    other.close()

    blocks = inbox.begin_now()
    assert blocks is not None
    connection = blocks.begin(inbox.done_statement(task))
    assert connection is not None
    assert connection.in_transaction
    # A thread of this process would wait, too.
    assert inbox.begin_now() is None
    blocks.keep()
    blocks.commit()

    assert inbox.stats().done == 1


def test_a_worker_that_finds_nothing_needs_no_lock(inbox: SQLiteInbox, tmp_path: Path) -> None:
    inbox.create()
    other = sqlite3.connect(tmp_path / "inbox.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    assert claim(inbox) == []
    assert inbox.postpone(("first",), limit=1, delay=1.0) == []
    other.execute("ROLLBACK")
    other.close()


def test_a_file_that_another_process_makes_is_opened_a_moment_later(
    inbox: SQLiteInbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite does not wait for the other process by itself."""
    other = sqlite3.connect(tmp_path / "inbox.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            other.execute("ROLLBACK")

    seams.set_pause(monkeypatch, pause)
    inbox.create()
    assert len(pauses) == 3
    other.close()


def test_a_file_that_stays_locked_is_an_error(
    inbox: SQLiteInbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(tmp_path / "inbox.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    seams.set_pause(monkeypatch, lambda seconds: None)

    with pytest.raises(sqlite3.OperationalError, match="locked"):
        inbox.create()
    other.close()
