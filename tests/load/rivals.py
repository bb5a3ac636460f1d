"""The rivals of the inbox: a bare insert, work done by hand, and other libraries."""

from __future__ import annotations

import importlib
import importlib.util
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.load.deliveries import Sent

if TYPE_CHECKING:
    from tests.load.postgres import PostgresDatabase

Store = Callable[[Sent], object]

BARE = "CREATE TABLE bare (key TEXT PRIMARY KEY, body BLOB NOT NULL)"
WORK = """
CREATE TABLE work (id INTEGER PRIMARY KEY, key TEXT UNIQUE, state TEXT NOT NULL);
CREATE INDEX work_waiting ON work (id) WHERE state = 'waiting';
CREATE TABLE effects (key TEXT NOT NULL);
"""
_CLAIM = """
UPDATE work SET state = 'claimed'
WHERE id = (SELECT id FROM work WHERE state = 'waiting' ORDER BY id LIMIT 1) RETURNING id, key
"""
WORK_IN_POSTGRES = (
    "CREATE TABLE work (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key TEXT UNIQUE, "
    "state TEXT NOT NULL)",
    "CREATE INDEX work_waiting ON work (id) WHERE state = 'waiting'",
    "INSERT INTO work (key, state) SELECT key, 'waiting' FROM rmz_deliveries",
)
_CLAIM_IN_POSTGRES = """
UPDATE work SET state = 'claimed' WHERE id = (
    SELECT id FROM work WHERE state = 'waiting' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING id, key
"""


def durable(path: Path) -> sqlite3.Connection:
    """Return a connection whose commits last as long as the inbox's."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def by_hand_in_postgres(database: PostgresDatabase) -> None:
    """Work without a library until nothing waits: claim; effect and mark together."""
    with database.connection() as connection:
        while (found := connection.execute(_CLAIM_IN_POSTGRES).fetchone()) is not None:
            connection.commit()
            number, key = found
            connection.execute("INSERT INTO effects VALUES (%s, 'hand')", (key,))
            connection.execute("UPDATE work SET state = 'done' WHERE id = %s", (number,))
            connection.commit()


def _library(name: str) -> Any:
    # They have no types.
    return importlib.import_module(name)


def bare(folder: Path) -> Store:
    """Return a function that inserts one row, in a transaction of its own."""
    connection = durable(folder / "bare.db")
    connection.execute(BARE)
    return lambda sent: connection.execute(
        "INSERT OR IGNORE INTO bare VALUES (?, ?)", (sent.key, sent.body)
    )


def hookspool(folder: Path) -> Store:
    """Return hookspool's way to store an event before the answer."""
    spool = _library("hookspool").Store(str(folder / "hookspool.db"))
    spool.ensure_schema()

    def store(sent: Sent) -> object:
        payload = {"body": sent.body.decode()}
        return spool.enqueue("rmz", str(sent.key), "script:bench", payload, dedup_id=sent.key)

    return store


def ballast(folder: Path) -> Store:
    """Return ballast's way to keep a job, as its page shows: a connection for each; no key."""
    library = _library("ballast")
    database = library.Database(folder / "ballast.db")
    library.install(database)

    def store(sent: Sent) -> None:
        with database.transaction() as connection:
            library.queue.enqueue(connection, "rmz", {"key": sent.key, "body": sent.body.decode()})

    return store


OTHERS: dict[str, Callable[[Path], Store]] = {
    name: rival
    for name, rival in (("hookspool", hookspool), ("ballast", ballast))
    if importlib.util.find_spec(name) is not None
}
"""The other libraries that are installed."""


def by_hand(folder: Path, keys: list[str]) -> Callable[[], None]:
    """Return a worker without a library: claim; effect and mark together; one after another."""
    connection = durable(folder / "work.db")
    connection.executescript(WORK)
    connection.executemany("INSERT INTO work (key, state) VALUES (?, 'waiting')", zip(keys))

    def work() -> None:
        while (found := connection.execute(_CLAIM).fetchone()) is not None:
            number, key = found
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO effects VALUES (?)", (key,))
            connection.execute("UPDATE work SET state = 'done' WHERE id = ?", (number,))
            connection.execute("COMMIT")
        connection.close()

    return work
