"""An inbox in a SQLite file: many processes, a full disk, locks and forks."""

from __future__ import annotations

import math
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rmz_async.webhooks.inbox.sqlite import SQLiteInbox
from tests import seams
from tests.webhooks.storages import (
    LEASE,
    Storage,
    claim,
    claim_one,
    delivery,
    sqlite_storage,
    store,
)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    """A SQLite file."""
    return sqlite_storage(tmp_path)


@pytest.fixture
def inbox(storage: Storage) -> Iterator[SQLiteInbox]:
    """An inbox in the file."""
    inbox = storage.open()
    assert isinstance(inbox, SQLiteInbox)
    yield inbox
    inbox.close()


def run(program: str, *arguments: str) -> str:
    """Run a program that uses the inbox in a file, and return what it prints."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        check=True,
        capture_output=True,
        text=True,
        timeout=240,
    ).stdout


def test_a_file_in_a_folder_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    inbox = SQLiteInbox(str(tmp_path / "no" / "such" / "inbox.db"))

    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        inbox.create()


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
    """If a task cannot be stored, neither is any event of the transaction."""
    broken = delivery("b", handlers=(None,))  # type: ignore[arg-type] # NOT NULL
    with pytest.raises(sqlite3.IntegrityError):
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


def test_processes_share_a_file(inbox: SQLiteInbox, tmp_path: Path) -> None:
    """Each event is stored once, and each task is claimed once."""
    program = (
        "import sys\n"
        "from rmz_async.webhooks.inbox.sqlite import SQLiteInbox\n"
        "from tests import seams\n"
        "from tests.webhooks.storages import claim, delivery\n"
        "seams.be_patient()\n"
        "inbox = SQLiteInbox(sys.argv[1])\n"
        "new = [inbox.add([delivery(str(number))])[0] for number in range(50)]\n"
        "done = [task.task_id for _ in range(20) for task in claim(inbox, limit=3)]\n"
        "print(len(new) - new.count(None), *done)\n"
    )
    outputs: list[str] = []
    threads = [
        threading.Thread(target=lambda: outputs.append(run(program, str(tmp_path / "inbox.db"))))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    results = [output.split() for output in outputs]
    assert sum(int(new) for new, *_ in results) == 50
    claimed = [task for _, *tasks in results for task in tasks]
    assert len(set(claimed)) == len(claimed) == 100


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("point", ["claimed", "in the transaction"])
def test_a_task_of_a_killed_process_is_taken_up_when_its_lease_ends(
    inbox: SQLiteInbox, storage: Storage, tmp_path: Path, point: str
) -> None:
    """Its effect, which was not committed, is gone, and happens later."""
    store(inbox, "a")
    with sqlite3.connect(tmp_path / "inbox.db") as connection:
        connection.execute("CREATE TABLE effects (key TEXT)")
    connection.close()
    program = (
        "import sys\n"
        "from tests.webhooks.storages import claim_one, sqlite_storage\n"
        "from pathlib import Path\n"
        "inbox = sqlite_storage(Path(sys.argv[1])).open()\n"
        "task = claim_one(inbox)\n"
        "if sys.argv[2] == 'claimed':\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.read()\n"
        "with inbox.transaction(task) as connection:\n"
        "    connection.execute('INSERT INTO effects VALUES (?)', (task.key,))\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path), point],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        worker.send_signal(signal.SIGKILL)
    assert claim(inbox) == []
    storage.time.move(LEASE)
    with inbox.transaction(claim_one(inbox)) as connection:
        connection.execute("INSERT INTO effects VALUES ('second')")
        effects = connection.execute("SELECT key FROM effects").fetchall()

    assert effects == [("second",)]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_parent_and_child_of_a_fork_both_go_on(inbox: SQLiteInbox, tmp_path: Path) -> None:
    """The child opens the file for itself, even if another thread was using it."""
    program = (
        "import os, sys\n"
        "from rmz_async.webhooks.inbox.sqlite import SQLiteInbox\n"
        "from tests.webhooks.storages import claim_one, delivery, store\n"
        "inbox = SQLiteInbox(sys.argv[1])\n"
        "store(inbox, 'before')\n"
        "with inbox.transaction(claim_one(inbox)):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        assert inbox.stats().waiting == 1\n"
        "        os._exit(0)\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "store(inbox, 'after')\n"
    )
    run(program, str(tmp_path / "inbox.db"))

    assert inbox.stats().done == 1
    assert claim_one(inbox).key == "after"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_child_stores_for_good_though_its_parent_closes_the_inbox(
    inbox: SQLiteInbox, tmp_path: Path
) -> None:
    """A child without locks of its own would write to a log that the parent deletes."""
    program = (
        "import os, sys\n"
        "from rmz_async.webhooks.inbox.sqlite import SQLiteInbox\n"
        "from tests.webhooks.storages import store\n"
        "inbox = SQLiteInbox(sys.argv[1])\n"
        "store(inbox, 'parent')\n"
        "begun, begin = os.pipe()\n"
        "closed, close = os.pipe()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    store(inbox, 'child')\n"
        "    os.write(begin, b'.')\n"
        "    os.read(closed, 1)\n"
        "    store(inbox, 'child again')\n"
        "    os._exit(0)\n"
        "os.read(begun, 1)\n"
        "inbox.close()\n"
        "os.write(close, b'.')\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
    )
    run(program, str(tmp_path / "inbox.db"))

    assert [each.key for each in claim(inbox)] == ["parent", "child", "child again"]


def test_a_fork_waits_for_the_transaction_of_another_thread(inbox: SQLiteInbox) -> None:
    """The child would find the file locked for ever by a thread that it does not have."""
    store(inbox, "a")
    entered, forks = threading.Event(), threading.Event()

    def work() -> None:
        with inbox.transaction(claim_one(inbox)):
            entered.set()
            forks.wait()

    thread = threading.Thread(target=work)
    thread.start()
    entered.wait()
    forks.set()
    assert seams.rests(inbox, patience=60)
    seams.goes_on(inbox)
    thread.join()

    assert inbox.stats().done == 1


def test_a_file_is_closed_while_its_process_forks(inbox: SQLiteInbox) -> None:
    store(inbox, "a")
    before = seams.connection_of(inbox)
    seams.before_fork()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        before.execute("SELECT 1")
    seams.after_fork_in_parent()

    assert claim_one(inbox).key == "a"


def test_a_fork_does_not_wait_for_the_transaction_that_it_is_in(inbox: SQLiteInbox) -> None:
    """A transaction that the forking thread has begun goes on after the fork."""
    store(inbox, "a")
    with inbox.transaction(claim_one(inbox)) as connection:
        # Python refuses to wait for so long.
        assert not seams.rests(inbox, patience=math.nan)
        assert connection.execute("SELECT 1").fetchone() == (1,)

    assert inbox.stats().done == 1


def test_a_child_of_a_fork_leaves_the_connection_to_its_parent(inbox: SQLiteInbox) -> None:
    store(inbox, "a")
    parents = seams.connection_of(inbox)
    for _ in range(2):
        seams.after_fork()

    assert claim_one(inbox).key == "a"
    assert parents.execute("SELECT 1").fetchone() == (1,)
    seams.close_inherited()
