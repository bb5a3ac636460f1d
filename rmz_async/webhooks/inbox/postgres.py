"""An inbox in PostgreSQL, for the processes of several machines."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from rmz_async._calls.clock import Clock
from rmz_async._extras import extra
from rmz_async.errors import ConfigurationError
from rmz_async.webhooks.inbox import _postgres_claims, _postgres_entries, _postgres_known
from rmz_async.webhooks.inbox._cleaning import cleaned
from rmz_async.webhooks.inbox._lost import lost
from rmz_async.webhooks.inbox._postgres_ending import check_whole
from rmz_async.webhooks.inbox._postgres_listening import CHANNEL, Listening
from rmz_async.webhooks.inbox._postgres_pool import (
    COMMITTED,
    FOR_STORING,
    FOR_WORKING,
    check_encoding,
    new_engine,
    new_listening_engine,
)
from rmz_async.webhooks.inbox._postgres_tables import (
    DELIVERIES,
    FIRST_TIME,
    FIRST_WALK,
    METADATA,
    TASKS,
    as_sql,
)
from rmz_async.webhooks.inbox._steady_time import SteadyTime
from rmz_async.webhooks.inbox.interface import Grouping, Stats, TaskState
from rmz_async.webhooks.inbox.known import Decide, Seen, Walk
from rmz_async.webhooks.inbox.records import Delivery, Entry, Task

with extra("postgres", needed_by="an inbox in PostgreSQL"):
    from sqlalchemy import Connection, Engine, TextClause, Update, bindparam, select, text, update
    from sqlalchemy.dialects.postgresql import insert
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

__all__ = ("PostgresInbox",)

# RMZ waits 3 seconds for an answer.
STORING = text("SET LOCAL statement_timeout = 1200")

_TIME = text("SELECT extract(epoch FROM clock_timestamp()) AS clock, seen FROM rmz_time")
# In the order of the index, a claim stops at its limit. PostgreSQL would read and sort all tasks
# that wait as long as it has no statistics of a new table, or after many were stored at a time.
_TIME_OF_CLAIM = text(
    "SELECT extract(epoch FROM clock_timestamp()) AS clock, seen, "
    "set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true) "
    "FROM rmz_time"
)
# A transaction that takes long may have the row: nobody waits for it.
_SEE = text(
    "UPDATE rmz_time SET seen = :now "
    "WHERE id = (SELECT id FROM rmz_time WHERE seen < :now FOR UPDATE SKIP LOCKED)"
)
SIGHT = 1.0
"""Seconds that the time in the database may be behind, so that workers seldom write it."""

_CREATING = text("SELECT pg_advisory_xact_lock(hashtext('rmz_tasks'), hashtext('create'))")
_NOTIFY = text(f"NOTIFY {CHANNEL}")

# Each statement changes nothing if another worker has claimed the task since. The first three also
# change nothing after the attempt has ended: a renewal may come a moment late.
_OF_WORKER = update(TASKS).where(
    TASKS.c.id == bindparam("task"),
    TASKS.c.fence == bindparam("claim"),
    TASKS.c.state == "waiting",
    TASKS.c.leased_until > 0,
)
# A task whose handler is inside a transaction is locked, and no other worker can claim it: the
# others must be renewed meanwhile.
_FREE = select(TASKS.c.id).where(TASKS.c.id == bindparam("task")).with_for_update(skip_locked=True)
_RENEW = _OF_WORKER.where(TASKS.c.id.in_(_FREE)).values(
    due=bindparam("until"), leased_until=bindparam("until")
)
_FAIL = _OF_WORKER.values(
    state=bindparam("new_state"), due=bindparam("until"), leased_until=0, error=bindparam("cause")
)
_RELEASE = _OF_WORKER.values(due=0, leased_until=0, attempts=TASKS.c.attempts - 1)
_DONE = (
    "UPDATE rmz_tasks SET state = 'done', leased_until = 0, error = NULL "
    "WHERE id = {task_id:d} AND fence = {fence:d} AND state = 'waiting'"
)
# With the same text for all tasks, the driver lets the server prepare it.
_MARK = _DONE.replace("{task_id:d}", "%s").replace("{fence:d}", "%s")


class PostgresInbox:
    """Stores deliveries in PostgreSQL, as `Inbox` says.

    Machines, processes and threads may share the database, and a process may fork. The time is the
    server's.

    Args:
        address: ``postgresql://user:password@host:port/database``.

    Raises:
        ConfigurationError: The address cannot be read.
    """

    def __init__(self, address: str, *, _clock: Clock | None = None) -> None:
        try:
            # The driver is the one of the extra, whichever the address names.
            self._url = make_url(address).set(drivername="postgresql+psycopg")
        except (ArgumentError, ValueError):
            # The address may hold a password, and is not shown.
            raise ConfigurationError(
                "inbox: must be postgresql://user:password@host:port/database"
            ) from None
        # The time is the server's, unless a test brings its own.
        self._has_own_time = _clock is not None
        clock = _clock or Clock(today=_no_calendar)
        self._time = SteadyTime(clock)
        self._seconds = clock.clock
        self._opened: tuple[int, Engine, Engine, Engine] | None = None

    def __repr__(self) -> str:
        # A traceback with variables shows an inbox whose address was refused, too.
        url = getattr(self, "_url", None)
        return f"PostgresInbox({url and url.render_as_string(hide_password=True)!r})"

    def create(self) -> None:
        """Make the tables, unless they are there.

        Raises:
            ConfigurationError: The database cannot store all characters.
        """
        with self._working.begin() as connection:
            check_encoding(connection)
            # Two processes that make them at the same time would each find none.
            connection.execute(_CREATING)
            METADATA.create_all(connection)
            connection.execute(text(FIRST_TIME))
            connection.execute(text(FIRST_WALK))

    def schema(self) -> str:
        """Return the tables as SQL, for migrations of one's own."""
        return as_sql()

    def add(self, deliveries: Sequence[Delivery], *, delay: float = 0.0) -> Sequence[int | None]:
        """Store deliveries and their tasks in one transaction."""
        with self._storing.begin() as connection:
            connection.execute(STORING)
            return _added(connection, deliveries, self._now(connection), delay)

    def claim(
        self,
        handlers: Sequence[str],
        *,
        limit: int,
        lease: float,
        inbox_id: int | None = None,
    ) -> Sequence[Task]:
        """Claim the tasks that are due, the oldest first."""
        with self._working.begin() as connection:
            wanted = {
                "now": self._now(connection, _TIME_OF_CLAIM),
                "handlers": list(handlers),
                "limit": limit,
                "inbox_id": inbox_id,
            }
            return _postgres_claims.claim(connection, wanted, lease)

    def renew(self, tasks: Sequence[Task], *, lease: float) -> None:
        """Let the leases end *lease* seconds from now."""
        with self._working.begin() as connection:
            self._change(connection, _RENEW, tasks, until=self._now(connection) + lease)

    def done(self, tasks: Sequence[Task]) -> None:
        """Record that the handlers have succeeded."""
        with self._working.begin() as connection:
            for task in _in_order(tasks):
                connection.exec_driver_sql(self.done_statement(task))

    def failed(self, task: Task, error: str, *, retry_after: float | None) -> None:
        """Record that the handler has failed."""
        state = TaskState.DEAD if retry_after is None else TaskState.WAITING
        with self._working.begin() as connection:
            until = self._now(connection) + (retry_after or 0.0)
            self._change(
                connection, _FAIL, [task], new_state=state.value, until=until, cause=cleaned(error)
            )

    def release(self, tasks: Sequence[Task]) -> None:
        """Give tasks back that were not run to their end: the attempt does not count."""
        with self._working.begin() as connection:
            self._change(connection, _RELEASE, tasks)

    @contextmanager
    def transaction(self, task: Task) -> Generator[Connection]:
        """Return a transaction that holds a handler's effect and the mark that it is done.

        Raises:
            TaskLostError: Another worker has claimed the task, or it is done.
        """
        # The isolation is the database's own here, as the effect is the handler's.
        with self._engines()[3].begin() as connection:
            if connection.exec_driver_sql(_MARK, (task.task_id, task.fence)).rowcount != 1:
                raise lost(task)
            yield connection
            check_whole(self._working, connection, task)

    def done_statement(self, task: Task) -> str:
        """Return the SQL that marks a task as done, for a transaction of one's own."""
        return _DONE.format(task_id=task.task_id, fence=task.fence)

    def postpone(self, handlers: Sequence[str], *, limit: int, delay: float) -> Sequence[int]:
        """Let tasks that could be claimed be due *delay* seconds from now."""
        with self._working.begin() as connection:
            now = self._now(connection, _TIME_OF_CLAIM)
            wanted = {"now": now, "handlers": list(handlers), "limit": limit}
            return _postgres_claims.postpone(connection, wanted, delay)

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call *wake* in a thread if another process has stored a delivery."""
        listening = Listening(new_listening_engine(self._url), wake)
        listening.start()
        return listening.stop

    def stats(self) -> Stats:
        """Return how many deliveries and tasks there are."""
        with self._working.begin() as connection:
            return _postgres_entries.stats(connection, self._now(connection))

    def entries(
        self, *, state: TaskState | None = None, before: int | None = None, limit: int = 50
    ) -> Sequence[Entry]:
        """Return deliveries for people, the newest first."""
        with self._working.begin() as connection:
            now = self._now(connection)
            return _postgres_entries.entries(connection, now, state, before, limit)

    def entry(self, inbox_id: int) -> Entry | None:
        """Return one delivery for people; None if there is none."""
        with self._working.begin() as connection:
            return _postgres_entries.entry(connection, self._now(connection), inbox_id)

    def requeue(self, inbox_id: int, handlers: Mapping[str, Grouping]) -> bool:
        """Let handlers run for a delivery, again or for the first time."""
        with self._working.begin() as connection:
            now = self._now(connection)
            found = _postgres_entries.requeue(connection, now, inbox_id, handlers)
            connection.execute(_NOTIFY)
            return found

    def purge(self, *, older_than: float, states: Collection[TaskState] = (TaskState.DONE,)) -> int:
        """Forget deliveries, so that their events count as new if they are delivered again."""
        with self._working.begin() as connection:
            until = self._now(connection) - older_than
            return _postgres_entries.purge(connection, until, states)

    def resume(self, *, lease: float) -> Walk | None:
        """Take up the walk for *lease* seconds; None if another process makes it now."""
        with self._working.begin() as connection:
            return _postgres_known.resume(connection, self._now(connection), lease)

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
        with self._working.begin() as connection:
            now = self._now(connection)
            if not _postgres_known.go_on(connection, walk, now + lease):
                return None
            found = _postgres_known.learn(connection, page, decide, now - asked)
            added = _added(connection, found, now, delay) if found else ()
            return [number for number in added if number is not None]

    def leave(self, walk: Walk, *, is_complete: bool) -> None:
        """Give the walk back."""
        with self._working.begin() as connection:
            _postgres_known.leave(connection, walk, self._now(connection), is_complete)

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        opened, self._opened = self._opened, None
        if opened is None:
            return
        pid, *engines = opened
        if pid == os.getpid():
            for engine in engines:
                engine.dispose()
        else:
            _inherited.append(engines)

    @property
    def _storing(self) -> Engine:
        return self._engines()[1]

    @property
    def _working(self) -> Engine:
        return self._engines()[2]

    def _engines(self) -> tuple[int, Engine, Engine, Engine]:
        opened = self._opened
        if opened is None or opened[0] != os.getpid():
            self.close()
            address, clock = self._url, self._seconds
            storing = new_engine(address, clock, FOR_STORING | COMMITTED)
            handlers = new_engine(address, clock, FOR_WORKING)
            working = handlers.execution_options(**COMMITTED)
            opened = self._opened = (os.getpid(), storing, working, handlers)
        return opened

    def _now(self, connection: Connection, statement: TextClause = _TIME) -> float:
        """Return the time, and leave it for other processes, in case the clock is put back."""
        row = connection.execute(statement).one()
        now = self._time.now(row.seen if self._has_own_time else max(row.seen, float(row.clock)))
        if now > row.seen + SIGHT:
            connection.execute(_SEE, {"now": now})
        return now

    @staticmethod
    def _change(
        connection: Connection, statement: Update, tasks: Sequence[Task], **values: object
    ) -> None:
        rows = [{"task": task.task_id, "claim": task.fence, **values} for task in _in_order(tasks)]
        connection.execute(statement, rows)


# The connections that a parent has opened. The child must not close them.
_inherited: list[list[Engine]] = []


def _no_calendar() -> datetime:
    return datetime.fromtimestamp(0, UTC)


def _in_order(tasks: Sequence[Task]) -> list[Task]:
    # Two workers that lock the same rows in another order would wait for each other.
    return sorted(tasks, key=lambda task: task.task_id)


def _added(
    connection: Connection, deliveries: Sequence[Delivery], now: float, delay: float
) -> Sequence[int | None]:
    first: dict[str, Delivery] = {}
    for delivery in deliveries:
        first.setdefault(cleaned(delivery.key), delivery)
    # Two processes that store the same keys in another order would wait for each other.
    rows = [_row(key, first[key], now) for key in sorted(first)]
    statement = (
        insert(DELIVERIES).on_conflict_do_nothing().returning(DELIVERIES.c.key, DELIVERIES.c.id)
    )
    stored: dict[str, int] = {row.key: row.id for row in connection.execute(statement.values(rows))}
    new = [first[key] for key in first if key in stored]
    # A task without a delay is due at any time.
    due = now + delay if delay else 0.0
    tasks = [task for each in new for task in _tasks(stored[cleaned(each.key)], each, due)]
    if tasks:
        connection.execute(insert(TASKS).values(tasks))
        connection.execute(_NOTIFY)
    _postgres_known.take_over(connection, new, now)
    # The first of several with one key has the number.
    return [stored.pop(cleaned(delivery.key), None) for delivery in deliveries]


def _row(key: str, delivery: Delivery, now: float) -> dict[str, object]:
    return {
        "key": key,
        "name": cleaned(delivery.name),
        "body": delivery.body,
        "request_id": cleaned(delivery.request_id),
        "secret_index": delivery.secret_index,
        "subject": cleaned(delivery.subject),
        "fault": cleaned(delivery.fault),
        "received_at": now,
    }


def _tasks(inbox_id: int, delivery: Delivery, due: float) -> list[dict[str, object]]:
    return [
        {
            "delivery_id": inbox_id,
            "handler": handler,
            "grouping": grouping.value,
            "subject": None if grouping == Grouping.EACH else cleaned(delivery.subject),
            "due": due,
        }
        for handler, grouping in delivery.handlers.items()
    ]
