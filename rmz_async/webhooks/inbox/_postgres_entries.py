"""An inbox in PostgreSQL as people see it: listed, counted, run again, forgotten."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from rmz_async._extras import extra
from rmz_async.webhooks.inbox._numbers import fitting
from rmz_async.webhooks.inbox._postgres_tables import DELIVERIES, TASKS
from rmz_async.webhooks.inbox._rows import entry_task, stats_of
from rmz_async.webhooks.inbox.interface import Grouping, Stats, TaskState
from rmz_async.webhooks.inbox.records import Entry, EntryTask

with extra("postgres", needed_by="an inbox in PostgreSQL"):
    from sqlalchemy import Connection, Row, delete, exists, insert, select, text, update

_STATS = text("""
SELECT
    (SELECT COUNT(*) FROM rmz_deliveries),
    (SELECT COUNT(*) FROM rmz_deliveries WHERE fault IS NOT NULL),
    COUNT(*) FILTER (WHERE state = 'waiting'),
    COUNT(*) FILTER (WHERE state = 'waiting' AND leased_until > :now),
    COUNT(*) FILTER (WHERE state = 'done'),
    COUNT(*) FILTER (WHERE state = 'merged'),
    COUNT(*) FILTER (WHERE state = 'dead'),
    (SELECT MIN(received_at) FROM rmz_tasks JOIN rmz_deliveries AS delivery
     ON delivery.id = delivery_id WHERE state = 'waiting')
FROM rmz_tasks
""")
# A purge that looks while a delivery is being run again would not see the new state of its tasks.
_ALONE = text("SELECT pg_advisory_xact_lock(hashtext('rmz_tasks'), hashtext('requeue'))")


def stats(connection: Connection, now: float) -> Stats:
    """Return how many deliveries and tasks there are."""
    return stats_of(connection.execute(_STATS, {"now": now}).one(), now)


def entries(
    connection: Connection,
    now: float,
    state: TaskState | None,
    before: int | None,
    limit: int,
) -> Sequence[Entry]:
    """Return deliveries, the newest first."""
    wanted = select(DELIVERIES).order_by(DELIVERIES.c.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(DELIVERIES.c.id < fitting(before))
    if state is not None:
        of_delivery = TASKS.c.delivery_id == DELIVERIES.c.id
        wanted = wanted.where(exists().where(of_delivery, TASKS.c.state == state.value))
    return _entries(connection, now, connection.execute(wanted).all())


def entry(connection: Connection, now: float, inbox_id: int) -> Entry | None:
    """Return one delivery; None if there is none."""
    wanted = select(DELIVERIES).where(DELIVERIES.c.id == fitting(inbox_id))
    found = _entries(connection, now, connection.execute(wanted).all())
    return found[0] if found else None


def requeue(
    connection: Connection, now: float, inbox_id: int, handlers: Mapping[str, Grouping]
) -> bool:
    """Let handlers run for a delivery, again or for the first time."""
    connection.execute(_ALONE)
    found = connection.execute(
        update(DELIVERIES)
        .where(DELIVERIES.c.id == fitting(inbox_id))
        .values(fault=None)
        .returning(DELIVERIES.c.subject)
    ).first()
    if found is None:
        return False
    of_delivery = TASKS.c.delivery_id == inbox_id
    known = set(connection.scalars(select(TASKS.c.handler).where(of_delivery)))
    connection.execute(
        update(TASKS)
        .where(of_delivery, TASKS.c.handler.in_(handlers), TASKS.c.leased_until <= now)
        .values(state="waiting", attempts=0, fence=TASKS.c.fence + 1, due=0, error=None)
    )
    for handler, grouping in handlers.items():
        if handler not in known:
            subject = None if grouping == Grouping.EACH else found.subject
            connection.execute(
                insert(TASKS).values(
                    delivery_id=inbox_id, handler=handler, grouping=grouping.value, subject=subject
                )
            )
    return True


def purge(connection: Connection, until: float, states: Collection[TaskState]) -> int:
    """Forget deliveries that were stored before *until*, if all their tasks are in *states*."""
    connection.execute(_ALONE)
    names = [state.value for state in states]
    if TaskState.DONE in states:
        names.append(TaskState.MERGED.value)
    of_delivery = TASKS.c.delivery_id == DELIVERIES.c.id
    wanted = delete(DELIVERIES).where(
        DELIVERIES.c.received_at < until,
        ~exists().where(of_delivery, TASKS.c.state.not_in(names)),
    )
    if TaskState.DEAD not in states:
        wanted = wanted.where(DELIVERIES.c.fault.is_(None))
    return connection.execute(wanted).rowcount


def _entries(connection: Connection, now: float, found: Sequence[Row[Any]]) -> list[Entry]:
    numbers = [row.id for row in found]
    of_task = TASKS.c
    wanted = (
        select(
            of_task.delivery_id,
            of_task.handler,
            of_task.state,
            of_task.attempts,
            of_task.error,
            of_task.due,
            of_task.leased_until,
        )
        .where(of_task.delivery_id.in_(numbers))
        .order_by(of_task.id)
    )
    tasks: dict[int, list[EntryTask]] = {number: [] for number in numbers}
    for inbox_id, *task in connection.execute(wanted):
        tasks[inbox_id].append(entry_task(task, now))
    return [_entry(row, tasks[row.id]) for row in found]


def _entry(row: Row[Any], tasks: Iterable[EntryTask]) -> Entry:
    return Entry(
        inbox_id=row.id,
        key=row.key,
        name=row.name,
        subject=row.subject,
        fault=row.fault,
        received_at=row.received_at,
        request_id=row.request_id,
        secret_index=row.secret_index,
        body=bytes(row.body),
        tasks=tuple(tasks),
    )
