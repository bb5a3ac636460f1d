"""An inbox in a SQLite file is shared by processes, of which one is killed and another forks."""

from __future__ import annotations

import math
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rmz_async.webhooks.inbox.sqlite import SQLiteInbox
from tests import seams
from tests.webhooks import sqlite_file
from tests.webhooks.storages import LEASE, Storage, claim, claim_one, store

storage = sqlite_file.storage
inbox = sqlite_file.inbox


def run(program: str, *arguments: str) -> str:
    """Run a program that uses the inbox in a file, and return what it prints."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        check=True,
        capture_output=True,
        text=True,
        timeout=240,
    ).stdout


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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")
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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")
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
