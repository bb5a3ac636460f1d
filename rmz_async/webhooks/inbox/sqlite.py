"""An inbox in one SQLite file, for the processes of one machine. Its methods block."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager

import attrs

__all__ = ("SQLiteInbox", "StoredDelivery", "Task")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    key TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    body BLOB NOT NULL,
    request_id TEXT,
    secret_index INTEGER,
    received_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS tasks (
    key TEXT NOT NULL REFERENCES deliveries (key),
    handler TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL,
    leased_until REAL NOT NULL DEFAULT 0,
    error TEXT,
    PRIMARY KEY (key, handler)
);
CREATE INDEX IF NOT EXISTS tasks_due ON tasks (due) WHERE state = 'waiting';
"""


@attrs.frozen(kw_only=True)
class StoredDelivery:
    """A verified delivery.

    Attributes:
        key: The event's ``dedupe_key``.
        name: The event's name.
        body: The raw body; hidden in ``repr``.
        request_id: The delivery's number.
        secret_index: Which secret fitted.
    """

    key: str
    name: str
    body: bytes = attrs.field(repr=False)
    request_id: str | None = None
    secret_index: int | None = None


@attrs.frozen(kw_only=True)
class Task:
    """A run of a handler for a delivery.

    Attributes:
        handler: The handler's name.
        attempt: Which attempt this is, from 1 on.
        delivery: The delivery that the handler gets.
    """

    handler: str
    attempt: int
    delivery: StoredDelivery


class SQLiteInbox:
    """Keeps each event once, and a task for each of its handlers.

    Several threads and processes may share one file.

    Args:
        path: The file, which is created if it does not exist.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def add(self, delivery: StoredDelivery, handlers: Sequence[str], now: float) -> bool:
        """Store a delivery with a task for each handler, unless its event is known.

        Args:
            delivery: The delivery.
            handlers: The names of the handlers that want it.
            now: Unix time, in seconds.

        Returns:
            Whether the event is new.
        """
        with self._transaction() as connection:
            stored = connection.execute(
                "INSERT OR IGNORE INTO deliveries VALUES (?, ?, ?, ?, ?, ?)",
                (
                    delivery.key,
                    delivery.name,
                    delivery.body,
                    delivery.request_id,
                    delivery.secret_index,
                    now,
                ),
            )
            if stored.rowcount == 0:
                return False
            connection.executemany(
                "INSERT INTO tasks (key, handler, due) VALUES (?, ?, ?)",
                [(delivery.key, handler, now) for handler in handlers],
            )
            return True

    def claim(self, handlers: Sequence[str], now: float, lease: float) -> Task | None:
        """Take the task that has been due for the longest time.

        Args:
            handlers: The names of the handlers that the caller can run.
            now: Unix time, in seconds.
            lease: Seconds after which the task counts as abandoned, and others may take it.

        Returns:
            The task, or None if none is due.
        """
        names = ", ".join("?" * len(handlers))
        with self._transaction() as connection:
            found = connection.execute(
                f"""
                SELECT key, handler, attempts, name, body, request_id, secret_index
                FROM tasks JOIN deliveries USING (key)
                WHERE state = 'waiting' AND due <= ? AND leased_until <= ? AND handler IN ({names})
                ORDER BY due, received_at LIMIT 1
                """,  # noqa: S608 - question marks alone
                (now, now, *handlers),
            ).fetchone()
            if found is None:
                return None
            key, handler, attempts, name, body, request_id, secret_index = found
            connection.execute(
                "UPDATE tasks SET attempts = ?, leased_until = ? WHERE key = ? AND handler = ?",
                (attempts + 1, now + lease, key, handler),
            )
        delivery = StoredDelivery(
            key=key, name=name, body=body, request_id=request_id, secret_index=secret_index
        )
        return Task(handler=handler, attempt=attempts + 1, delivery=delivery)

    def done(self, task: Task) -> None:
        """Record that the handler has succeeded, unless others have taken the task since."""
        self._settle(task, "state = 'done', error = NULL", ())

    def failed(self, task: Task, error: str, retry_at: float | None) -> None:
        """Record that the handler has failed, unless others have taken the task since.

        Args:
            task: The task.
            error: The cause of the failure.
            retry_at: When the next attempt is due, as Unix time; None if there is none.
        """
        if retry_at is None:
            self._settle(task, "state = 'dead', error = ?", (error,))
        else:
            self._settle(task, "due = ?, leased_until = 0, error = ?", (retry_at, error))

    def counts(self) -> dict[str, int]:
        """Return how many tasks are ``waiting``, ``done`` and ``dead``."""
        with self._transaction() as connection:
            found = connection.execute("SELECT state, COUNT(*) FROM tasks GROUP BY state")
            return {"waiting": 0, "done": 0, "dead": 0} | dict(found.fetchall())

    def _settle(self, task: Task, change: str, values: tuple[object, ...]) -> None:
        with self._transaction() as connection:
            connection.execute(
                f"UPDATE tasks SET {change} "  # noqa: S608 - one of the constants above
                "WHERE key = ? AND handler = ? AND attempts = ? AND state = 'waiting'",
                (*values, task.delivery.key, task.handler, task.attempt),
            )

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        with self._lock:
            if self._connection is None:
                self._connection = _opened(self._path)
            connection = self._connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")


def _opened(path: str) -> sqlite3.Connection:
    # Without isolation_level=None, the module would begin transactions of its own.
    connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        # An answer to RMZ promises that the delivery is stored, even if the power fails.
        connection.execute("PRAGMA synchronous=FULL")
        connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection
