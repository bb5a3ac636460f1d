"""An inbox in a SQLite file of one test, not yet created; a test file takes the fixtures over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rmz_async.webhooks.inbox.sqlite import SQLiteInbox
from tests.webhooks.storages import Storage, sqlite_storage


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
