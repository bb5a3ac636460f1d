"""An inbox in SQLite as people see it: listed, counted, run again, forgotten."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rmz_async.webhooks.inbox._numbers import fitting
from rmz_async.webhooks.inbox._rows import entry_task, stats_of
from rmz_async.webhooks.inbox.interface import Grouping, Stats, TaskState
from rmz_async.webhooks.inbox.records import Entry

_STATS = """
SELECT
    (SELECT COUNT(*) FROM rmz_deliveries),
    (SELECT COUNT(*) FROM rmz_deliveries WHERE fault IS NOT NULL),
    COUNT(*) FILTER (WHERE state = 'waiting'),
    COUNT(*) FILTER (WHERE state = 'waiting' AND leased_until > :now),
    COUNT(*) FILTER (WHERE state = 'done'),
    COUNT(*) FILTER (WHERE state = 'merged'),
    COUNT(*) FILTER (WHERE state = 'dead'),
    (SELECT MIN(received_at) FROM rmz_all_tasks JOIN rmz_deliveries AS delivery
     ON delivery.id = delivery_id WHERE state = 'waiting')
FROM rmz_all_tasks
"""
_ENTRY = """
SELECT id, key, name, subject, fault, received_at, request_id, secret_index, body
FROM rmz_deliveries WHERE id = ?
"""
_ENTRIES = """
SELECT id, key, name, subject, fault, received_at, request_id, secret_index, body
FROM rmz_deliveries AS delivery
WHERE (:before IS NULL OR id < :before) AND (
    :state IS NULL
    OR EXISTS (SELECT 1 FROM rmz_tasks WHERE delivery_id = delivery.id AND state = :state)
    OR :state = 'waiting' AND handlers IS NOT NULL AND id > (SELECT tasks_until FROM rmz_time)
)
ORDER BY id DESC LIMIT :limit
"""
_TASKS = """
SELECT handler, state, attempts, error, due, leased_until
FROM rmz_all_tasks WHERE delivery_id = ? ORDER BY id
"""
_REQUEUE = """
UPDATE rmz_tasks SET state = 'waiting', attempts = 0, fence = fence + 1, due = 0, error = NULL
WHERE id = ? AND leased_until <= ?
"""
_PURGE = """
DELETE FROM rmz_deliveries AS delivery
WHERE received_at < :until
AND (fault IS NULL OR :dead)
AND NOT EXISTS (
    SELECT 1 FROM rmz_tasks WHERE delivery_id = delivery.id
    AND state NOT IN (SELECT value FROM json_each(:states))
)
"""


def stats(connection: sqlite3.Connection, now: float) -> Stats:
    """Return how many deliveries and tasks there are."""
    return stats_of(connection.execute(_STATS, {"now": now}).fetchone(), now)


def entries(
    connection: sqlite3.Connection,
    now: float,
    state: TaskState | None,
    before: int | None,
    limit: int,
) -> Sequence[Entry]:
    """Return deliveries, the newest first."""
    wanted = {"before": fitting(before), "state": state, "limit": limit}
    found = connection.execute(_ENTRIES, wanted).fetchall()
    return [_entry(connection, now, row) for row in found]


def entry(connection: sqlite3.Connection, now: float, inbox_id: int) -> Entry | None:
    """Return one delivery; None if there is none."""
    row = connection.execute(_ENTRY, (fitting(inbox_id),)).fetchone()
    return None if row is None else _entry(connection, now, row)


def requeue(
    connection: sqlite3.Connection, now: float, inbox_id: int, handlers: Mapping[str, Grouping]
) -> bool:
    """Let handlers run for a delivery, again or for the first time."""
    found = connection.execute(
        "UPDATE rmz_deliveries SET fault = NULL WHERE id = ? RETURNING subject",
        (fitting(inbox_id),),
    ).fetchone()
    if found is None:
        return False
    for handler, grouping in handlers.items():
        task = connection.execute(
            "SELECT id FROM rmz_tasks WHERE delivery_id = ? AND handler = ?", (inbox_id, handler)
        ).fetchone()
        if task is not None:
            connection.execute(_REQUEUE, (*task, now))
            continue
        subject = None if grouping == Grouping.EACH else found[0]
        connection.execute(
            "INSERT INTO rmz_tasks (delivery_id, handler, grouping, subject, due) "
            "VALUES (?, ?, ?, ?, 0)",
            (inbox_id, handler, grouping, subject),
        )
    return True


def purge(connection: sqlite3.Connection, until: float, states: Collection[TaskState]) -> int:
    """Forget deliveries that were stored before *until*, if all their tasks are in *states*."""
    names = {*states, *([TaskState.MERGED] if TaskState.DONE in states else [])}
    wanted = {
        "until": until,
        "dead": TaskState.DEAD in states,
        "states": json.dumps(sorted(names)),
    }
    return connection.execute(_PURGE, wanted).rowcount


def _entry(connection: sqlite3.Connection, now: float, row: tuple[Any, ...]) -> Entry:
    inbox_id, key, name, subject, fault, received_at, request_id, secret_index, body = row
    return Entry(
        inbox_id=inbox_id,
        key=key,
        name=name,
        subject=subject,
        fault=fault,
        received_at=received_at,
        request_id=request_id,
        secret_index=secret_index,
        body=body,
        tasks=tuple(
            entry_task(task, now) for task in connection.execute(_TASKS, (inbox_id,)).fetchall()
        ),
    )
