"""An inbox on each database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rmz_async.webhooks.inbox.interface import Inbox
from tests.webhooks.storages import Storage, Time, sqlite_storage

STORAGES: dict[str, Callable[[Path], Storage]] = {"sqlite": sqlite_storage}


@pytest.fixture(params=STORAGES)
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """A database of one test."""
    return STORAGES[str(request.param)](tmp_path)


@pytest.fixture
def inbox(storage: Storage) -> Iterator[Inbox]:
    """An inbox on the database."""
    inbox = storage.open()
    inbox.create()
    yield inbox
    inbox.close()


@pytest.fixture
def other(storage: Storage, inbox: Inbox) -> Iterator[Inbox]:
    """The inbox of another process, on the same database."""
    other = storage.open()
    yield other
    other.close()


@pytest.fixture
def inbox_time(storage: Storage) -> Time:
    """The time in the database."""
    return storage.time
