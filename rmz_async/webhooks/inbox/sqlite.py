"""An inbox in one SQLite file, for the processes of one machine."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rmz_async._calls.clock import Clock
from rmz_async.webhooks.inbox import _sqlite_entries, _sqlite_known, _sqlite_tasks
from rmz_async.webhooks.inbox._cleaning import cleaned
from rmz_async.webhooks.inbox._lost import lost
from rmz_async.webhooks.inbox._numbers import fitting
from rmz_async.webhooks.inbox._sqlite_blocks import SQLiteBlocks
from rmz_async.webhooks.inbox._sqlite_file import SQLiteFile
from rmz_async.webhooks.inbox._sqlite_schema import SCHEMA
from rmz_async.webhooks.inbox._steady_time import SteadyTime
from rmz_async.webhooks.inbox.interface import Grouping, Stats, TaskState
from rmz_async.webhooks.inbox.known import Decide, Seen, Walk
from rmz_async.webhooks.inbox.records import Delivery, Entry, Task

__all__ = ("SQLiteInbox",)

# Seconds to wait for other threads, and as long again for other processes. RMZ waits 3 seconds for
# an answer, and a handler can wait for longer.
STORING = 1.2
WORKING = 10.0

_INSERT_DELIVERY = """
INSERT OR IGNORE INTO rmz_deliveries
(key, name, body, request_id, secret_index, subject, fault, subject_state, received_at, handlers,
due)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
# The handlers are a JSON array, so that the text of the statement is always the same.
_CLAIMABLE = """
FROM rmz_tasks AS task
WHERE state = 'waiting' AND {due} AND leased_until <= :now
AND handler IN (SELECT value FROM json_each(:handlers))
AND (subject IS NULL OR NOT EXISTS (
    SELECT 1 FROM rmz_tasks AS other
    WHERE other.subject = task.subject AND other.handler = task.handler
    AND other.state = 'waiting' AND other.id <> task.id
    AND (
        other.leased_until > :now
        OR task.grouping = 'ordered' AND other.id < task.id
        OR task.grouping = 'coalesced' AND other.id > task.id
    )
))
ORDER BY due, id LIMIT :limit
"""
_DUE = _CLAIMABLE.format(due="due <= :now")
_OF_ONE = _CLAIMABLE.format(due="delivery_id = :inbox_id")
# A queue has delivered the number before these tasks were due: they are handed over when they are.
_TOO_EARLY = """
{what} WHERE delivery_id = :inbox_id AND state = 'waiting' AND leased_until <= :now
AND due > :now AND handler IN (SELECT value FROM json_each(:handlers))
"""
_EARLY = _TOO_EARLY.format(what="SELECT id FROM rmz_tasks")
_LET_BE_DUE = _TOO_EARLY.format(what="UPDATE rmz_tasks SET due = :now")
# SQLite uses the number of a task that was forgotten again. The fence follows the time, so that a
# worker that has lost the old task cannot end the new one.
_CLAIM = """
UPDATE rmz_tasks
SET attempts = attempts + 1, fence = max(fence + 1, CAST(:now * 1000 AS INTEGER)), due = :until,
    leased_until = :until
WHERE id = :id
"""
_MERGE = """
UPDATE rmz_tasks SET state = 'merged'
WHERE subject = ? AND handler = ? AND id < ? AND state = 'waiting'
"""
_READ_CLAIMED = """
SELECT task.id, delivery_id, handler, attempts, fence, key, name, body, request_id, secret_index,
    :now - received_at
FROM rmz_tasks AS task JOIN rmz_deliveries AS delivery ON delivery.id = delivery_id
WHERE task.id = :id
"""
# Each statement changes nothing if another worker has claimed the task since. The first three also
# change nothing after the attempt has ended: a renewal may come a moment late.
_RENEW = """
UPDATE rmz_tasks SET due = :until, leased_until = :until
WHERE id = :id AND fence = :fence AND state = 'waiting' AND leased_until > 0
"""
_FAIL = """
UPDATE rmz_tasks SET state = :state, due = :due, leased_until = 0, error = :error
WHERE id = :id AND fence = :fence AND state = 'waiting' AND leased_until > 0
"""
_RELEASE = """
UPDATE rmz_tasks SET due = 0, leased_until = 0, attempts = attempts - 1
WHERE id = :id AND fence = :fence AND state = 'waiting' AND leased_until > 0
"""
_DONE = """
UPDATE rmz_tasks SET state = 'done', leased_until = 0, error = NULL
WHERE id = {task_id:d} AND fence = {fence:d} AND state = 'waiting'
"""


class SQLiteInbox:
    """Stores deliveries in a SQLite file, as `Inbox` says.

    Threads and processes of one machine may share the file, and a process may fork. The tables are
    made when the file is opened.

    Args:
        path: The file, which is created if it does not exist.
    """

    def __init__(self, path: str, *, _clock: Clock | None = None) -> None:
        self._path = path
        self._file = SQLiteFile(path, SCHEMA)
        self._time = SteadyTime(Clock() if _clock is None else _clock)

    def __repr__(self) -> str:
        return f"SQLiteInbox({self._path!r})"

    def create(self) -> None:
        """Make the tables, unless they are there."""
        with self._file.statement(WORKING):
            pass

    def schema(self) -> str:
        """Return the tables as SQL, for migrations of one's own."""
        return SCHEMA

    def add(self, deliveries: Sequence[Delivery], *, delay: float = 0.0) -> Sequence[int | None]:
        """Store deliveries and the names of their handlers in one transaction."""
        # A single INSERT needs no transaction around it.
        taken = self._file.statement if len(deliveries) == 1 else self._file.transaction
        with taken(STORING) as connection:
            now = self._now(connection)
            # A task without a delay is due at any time, also for a process whose clock differs.
            due = now + delay if delay else 0.0
            return _added(connection, deliveries, now, due)

    def claim(
        self,
        handlers: Sequence[str],
        *,
        limit: int,
        lease: float,
        inbox_id: int | None = None,
    ) -> Sequence[Task]:
        """Claim the tasks that are due, the oldest first."""
        wanted = {"handlers": json.dumps(handlers), "limit": limit, "inbox_id": fitting(inbox_id)}
        select = f"SELECT id, grouping, subject, handler {_DUE if inbox_id is None else _OF_ONE}"
        is_early = inbox_id is not None and self._has_any(_EARLY, wanted)
        if not is_early and not self._has_any(select, wanted):
            return []
        with self._with_all_tasks() as connection:
            now = self._synchronized(connection)
            found = connection.execute(select, {**wanted, "now": now}).fetchall()
            for task_id, grouping, subject, handler in found:
                connection.execute(_CLAIM, {"id": task_id, "now": now, "until": now + lease})
                if grouping == Grouping.COALESCED:
                    connection.execute(_MERGE, (subject, handler, task_id))
            if is_early:
                connection.execute(_LET_BE_DUE, {**wanted, "now": now})
            return [
                _task(connection.execute(_READ_CLAIMED, {"id": task_id, "now": now}).fetchone())
                for task_id, *_ in found
            ]

    def renew(self, tasks: Sequence[Task], *, lease: float) -> None:
        """Let the leases end *lease* seconds from now."""
        with self._file.transaction(WORKING) as connection:
            until = self._synchronized(connection) + lease
            for task in tasks:
                connection.execute(_RENEW, {**_claim_of(task), "until": until})

    def done(self, tasks: Sequence[Task]) -> None:
        """Record that the handlers have succeeded."""
        with self._file.transaction(WORKING) as connection:
            for task in tasks:
                connection.execute(self.done_statement(task))

    def failed(self, task: Task, error: str, *, retry_after: float | None) -> None:
        """Record that the handler has failed."""
        with self._file.transaction(WORKING) as connection:
            now = self._synchronized(connection)
            result = {
                "state": TaskState.DEAD if retry_after is None else TaskState.WAITING,
                "due": now + (retry_after or 0.0),
                "error": cleaned(error),
            }
            connection.execute(_FAIL, {**_claim_of(task), **result})

    def release(self, tasks: Sequence[Task]) -> None:
        """Give tasks back that were not run to their end: the attempt does not count."""
        with self._file.transaction(WORKING) as connection:
            for task in tasks:
                connection.execute(_RELEASE, _claim_of(task))

    @contextmanager
    def transaction(self, task: Task) -> Generator[sqlite3.Connection]:
        """Return a transaction that holds a handler's effect and the mark that it is done.

        All other writers of the file wait until the context is left.

        Raises:
            TaskLostError: Another worker has claimed the task, or it is done.
        """
        with self._file.transaction(WORKING) as connection:
            if connection.execute(self.done_statement(task)).rowcount != 1:
                raise lost(task)
            yield connection

    def begin_now(self) -> SQLiteBlocks | None:
        """Begin a transaction without waiting; return None if another writer has the file."""
        try:
            return SQLiteBlocks(self._file)
        except sqlite3.OperationalError:
            return None

    def done_statement(self, task: Task) -> str:
        """Return the SQL that marks a task as done, for a transaction of one's own."""
        return _DONE.format(task_id=task.task_id, fence=task.fence)

    def postpone(self, handlers: Sequence[str], *, limit: int, delay: float) -> Sequence[int]:
        """Let tasks that could be claimed be due *delay* seconds from now."""
        wanted = {"handlers": json.dumps(handlers), "limit": limit}
        select = f"SELECT id, delivery_id {_DUE}"
        if not self._has_any(select, wanted):
            return []
        with self._with_all_tasks() as connection:
            now = self._synchronized(connection)
            found = connection.execute(select, {**wanted, "now": now}).fetchall()
            for task_id, _ in found:
                connection.execute(
                    "UPDATE rmz_tasks SET due = ? WHERE id = ?", (now + delay, task_id)
                )
        return list(dict.fromkeys(inbox_id for _, inbox_id in found))

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Do nothing: SQLite cannot say that another process has stored a delivery."""
        return _nothing

    def stats(self) -> Stats:
        """Return how many deliveries and tasks there are."""
        with self._file.statement(WORKING) as connection:
            return _sqlite_entries.stats(connection, self._now(connection))

    def entries(
        self, *, state: TaskState | None = None, before: int | None = None, limit: int = 50
    ) -> Sequence[Entry]:
        """Return deliveries for people, the newest first."""
        with self._file.statement(WORKING) as connection:
            now = self._now(connection)
            return _sqlite_entries.entries(connection, now, state, before, limit)

    def entry(self, inbox_id: int) -> Entry | None:
        """Return one delivery for people; None if there is none."""
        with self._file.statement(WORKING) as connection:
            return _sqlite_entries.entry(connection, self._now(connection), inbox_id)

    def requeue(self, inbox_id: int, handlers: Mapping[str, Grouping]) -> bool:
        """Let handlers run for a delivery, again or for the first time."""
        with self._with_all_tasks() as connection:
            now = self._synchronized(connection)
            return _sqlite_entries.requeue(connection, now, inbox_id, handlers)

    def purge(self, *, older_than: float, states: Collection[TaskState] = (TaskState.DONE,)) -> int:
        """Forget deliveries, so that their events count as new if they are delivered again."""
        with self._with_all_tasks() as connection:
            until = self._synchronized(connection) - older_than
            # The states of what is forgotten stay known.
            _sqlite_known.take_over(connection)
            return _sqlite_entries.purge(connection, until, states)

    def resume(self, *, lease: float) -> Walk | None:
        """Take up the walk for *lease* seconds; None if another process makes it now."""
        with self._file.transaction(WORKING) as connection:
            return _sqlite_known.resume(connection, self._synchronized(connection), lease)

    def compare(
        self,
        walk: Walk,
        page: Sequence[Seen],
        decide: Decide,
        *,
        asked: float,
        lease: float,
        delay: float = 0.0,
    ) -> Sequence[int] | None:
        """Store what a page shows, and the deliveries that follow."""
        with self._file.transaction(WORKING) as connection:
            now = self._synchronized(connection)
            if not _sqlite_known.go_on(connection, walk, now + lease):
                return None
            due = now + delay if delay else 0.0
            found = _sqlite_known.learn(connection, page, decide, now - asked)
            added = _added(connection, found, now, due)
            return [number for number in added if number is not None]

    def leave(self, walk: Walk, *, is_complete: bool) -> None:
        """Give the walk back."""
        with self._file.transaction(WORKING) as connection:
            _sqlite_known.leave(connection, walk, self._synchronized(connection), is_complete)

    def close(self) -> None:
        """Close the file; the next call opens it again.

        A transaction that still runs after a second or so closes the file as it ends.
        """
        self._file.close(STORING)

    @contextmanager
    def _with_all_tasks(self) -> Generator[sqlite3.Connection]:
        """Return a transaction in which each delivery has its tasks."""
        while True:
            with self._file.transaction(WORKING) as connection:
                if _sqlite_tasks.make(connection):
                    yield connection
                    return

    def _has_any(self, select: str, wanted: Mapping[str, object]) -> bool:
        # Without the lock that a transaction takes: a worker that finds nothing stops no delivery
        # from being stored.
        with self._file.statement(WORKING) as connection:
            if _sqlite_tasks.are_missing(connection):
                return True
            values = {**wanted, "now": self._now(connection), "limit": 1}
            return connection.execute(select, values).fetchone() is not None

    def _now(self, connection: sqlite3.Connection) -> float:
        (seen,) = connection.execute("SELECT seen FROM rmz_time").fetchone()
        return self._time.now(seen)

    def _synchronized(self, connection: sqlite3.Connection) -> float:
        """Return the time, and leave it for other processes, whose clocks may be behind."""
        now = self._now(connection)
        connection.execute("UPDATE rmz_time SET seen = ?", (now,))
        return now


def _added(
    connection: sqlite3.Connection, deliveries: Sequence[Delivery], now: float, due: float
) -> Sequence[int | None]:
    numbers: list[int | None] = []
    for delivery in deliveries:
        inserted = connection.execute(
            _INSERT_DELIVERY,
            (
                cleaned(delivery.key),
                cleaned(delivery.name),
                delivery.body,
                cleaned(delivery.request_id),
                delivery.secret_index,
                cleaned(delivery.subject),
                cleaned(delivery.fault),
                _sqlite_known.state_column(delivery),
                now,
                _sqlite_tasks.handlers_column(delivery.handlers),
                due,
            ),
        )
        numbers.append(inserted.lastrowid if inserted.rowcount else None)
    return numbers


def _task(row: tuple[Any, ...]) -> Task:
    task_id, inbox_id, handler, attempt, fence, key, name, body, request_id, secret_index, age = row
    return Task(
        task_id=task_id,
        inbox_id=inbox_id,
        handler=handler,
        attempt=attempt,
        fence=fence,
        key=key,
        name=name,
        body=body,
        request_id=request_id,
        secret_index=secret_index,
        age=max(age, 0.0),
    )


def _claim_of(task: Task) -> dict[str, object]:
    return {"id": task.task_id, "fence": task.fence}


def _nothing() -> None:
    return None
