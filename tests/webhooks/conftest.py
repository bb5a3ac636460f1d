"""An inbox on each database, and a receiver with an inbox in SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from rmz_async.webhooks import Receiver
from rmz_async.webhooks.inbox.interface import Inbox
from tests.webhooks.postgres import postgres_storage
from tests.webhooks.receiving import SECRET
from tests.webhooks.storages import Storage, Time, sqlite_storage

STORAGES: dict[str, Callable[[Path], Storage]] = {
    "sqlite": sqlite_storage,
    "postgres": postgres_storage,
}


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


@pytest.fixture
def time() -> Time:
    """Time that stands still."""
    return Time()


@pytest.fixture
def address(tmp_path: Path) -> str:
    """The address of the receiver's inbox."""
    return f"sqlite:///{tmp_path / 'inbox.db'}"


@pytest.fixture
async def receiver(address: str, time: Time) -> AsyncIterator[Receiver]:
    """A receiver with an inbox of its own and three attempts."""
    receiver = Receiver(secrets=[SECRET], inbox=address, max_attempts=3, _clock=time.clock())
    yield receiver
    await receiver.aclose()
