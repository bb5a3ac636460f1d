"""The file of an inbox in SQLite: deleted, replaced, of an older version, in another folder."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from rmz_async.webhooks.inbox.sqlite import SQLiteInbox
from tests.webhooks.storages import claim, store


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_file_that_is_deleted_or_replaced_takes_no_further_delivery(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    is_replaced: bool,
) -> None:
    """A deployment that cleans its folder up must not lose what is answered from then on."""
    inbox = SQLiteInbox(str(tmp_path / "inbox.db"))
    store(inbox, "e-1")
    other = SQLiteInbox(str(tmp_path / "other.db"))
    store(other, "e-2")
    other.close()
    for path in tmp_path.glob("inbox.db*"):
        path.unlink()
    if is_replaced:
        (tmp_path / "other.db").rename(tmp_path / "inbox.db")

    store(inbox, "e-3")

    after = SQLiteInbox(str(tmp_path / "inbox.db"))
    found = [entry.key for entry in after.entries()]
    assert found == ["e-3", *["e-2"] * is_replaced]
    assert [message.split(" was ")[0] for message in caplog.messages] == ["the file of the inbox"]
    after.close()
    inbox.close()


def test_a_file_that_is_replaced_while_it_is_opened_takes_no_further_delivery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = SQLiteInbox(str(tmp_path / "inbox.db"))

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        opened = sqlite3.Connection(*arguments, **options)
        monkeypatch.undo()
        (tmp_path / "inbox.db").unlink()
        (tmp_path / "inbox.db").touch()
        return opened

    monkeypatch.setattr(sqlite3, "connect", connect)
    inbox.create()

    store(inbox, "e-1")

    after = SQLiteInbox(str(tmp_path / "inbox.db"))
    assert [entry.key for entry in after.entries()] == ["e-1"]
    after.close()
    inbox.close()


def test_a_process_that_changes_its_folder_goes_on_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As a daemon does."""
    monkeypatch.chdir(tmp_path)
    inbox = SQLiteInbox("inbox.db")
    store(inbox, "e-1")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    store(inbox, "e-2")

    assert [entry.key for entry in inbox.entries()] == ["e-2", "e-1"]
    assert list(elsewhere.iterdir()) == []
    assert caplog.messages == []
    inbox.close()


def test_an_inbox_in_memory_keeps_what_is_stored(caplog: pytest.LogCaptureFixture) -> None:
    inbox = SQLiteInbox(":memory:")
    store(inbox, "e-1")
    store(inbox, "e-2")

    assert inbox.stats().deliveries == 2
    assert caplog.messages == []
    inbox.close()


OF_STATES = ("    subject_state TEXT,\n", ",\n    taken_over INTEGER NOT NULL DEFAULT 0")


@pytest.mark.parametrize("has_states", [False, True])
def test_a_file_of_an_older_version_is_used_as_it_is(tmp_path: Path, has_states: bool) -> None:
    """The first version kept no states beside deliveries, and later ones made tasks with them."""
    old = sqlite3.connect(tmp_path / "inbox.db")
    current = SQLiteInbox(str(tmp_path / "inbox.db"))
    lacking = current.schema().partition("CREATE VIEW")[0]
    for column in (
        ",\n    handlers TEXT,\n    due REAL NOT NULL DEFAULT 0",
        ",\n    tasks_until INTEGER NOT NULL DEFAULT 0",
        *["    subject_state TEXT,\n", ",\n    taken_over INTEGER NOT NULL DEFAULT 0"][
            has_states * 2 :
        ],
    ):
        assert column in lacking
        lacking = lacking.replace(column, "")
    old.executescript(lacking)
    old.execute(
        "INSERT INTO rmz_deliveries (key, name, body, received_at) VALUES ('e-1', '', '', 0)"
    )
    old.execute(
        "INSERT INTO rmz_tasks (delivery_id, handler, grouping, due) VALUES (1, 'first', 'each', 0)"
    )
    old.commit()
    old.close()

    store(current, "e-2")

    assert [entry.key for entry in current.entries()] == ["e-2", "e-1"]
    assert [task.key for task in claim(current)] == ["e-1", "e-2"]
    current.close()


def modes(folder: Path) -> dict[str, int]:
    """Return the mode of each file in a folder."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The file and those beside it hold personal data, whatever the umask allows."""
    inbox = SQLiteInbox(str(tmp_path / "inbox.db"))
    store(inbox, "e-1")

    assert modes(tmp_path) == dict.fromkeys(("inbox.db", "inbox.db-wal", "inbox.db-shm"), 0o600)
    inbox.close()


def test_a_new_file_behind_a_link_is_for_its_owner_alone(tmp_path: Path) -> None:
    """A deployment may link to a file on another disk that does not exist yet."""
    disk = tmp_path / "disk"
    disk.mkdir()
    (tmp_path / "inbox.db").symlink_to(disk / "inbox.db")
    inbox = SQLiteInbox(str(tmp_path / "inbox.db"))
    store(inbox, "e-1")

    assert set(modes(disk).values()) == {0o600}
    inbox.close()


def test_a_file_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    """Another user's service may read the inbox, if its owner wants that."""
    (tmp_path / "inbox.db").touch()
    (tmp_path / "inbox.db").chmod(0o640)
    inbox = SQLiteInbox(str(tmp_path / "inbox.db"))
    store(inbox, "e-1")

    assert set(modes(tmp_path).values()) == {0o640}
    inbox.close()


def test_a_file_with_other_tables_of_these_names_is_an_error(tmp_path: Path) -> None:
    """Another attempt would not help, and nothing of theirs is changed."""
    other = sqlite3.connect(tmp_path / "inbox.db")
    other.execute("CREATE VIEW rmz_deliveries AS SELECT 1 AS id")

    with pytest.raises(sqlite3.OperationalError, match="view"):
        SQLiteInbox(str(tmp_path / "inbox.db")).create()

    assert other.execute("SELECT name FROM sqlite_schema").fetchall() == [("rmz_deliveries",)]
    other.close()
