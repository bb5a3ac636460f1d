"""The tasks of an inbox in PostgreSQL that a worker may claim, and the claim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rmz_async._extras import extra
from rmz_async.webhooks.inbox.records import Task

with extra("postgres", needed_by="an inbox in PostgreSQL"):
    from sqlalchemy import Connection, Row, TextClause, text


# Held by the one worker that claims grouped tasks: two that looked at the same moment could each
# find that no task of the subject runs.
_GROUPED = text("SELECT pg_advisory_xact_lock(hashtext('rmz_tasks'), hashtext('grouped'))")

_CLAIMABLE = """
FROM rmz_tasks AS task
WHERE state = 'waiting' AND {due} AND leased_until <= :now AND handler = ANY(:handlers)
AND {grouped}
ORDER BY due, id LIMIT :limit
FOR UPDATE SKIP LOCKED
"""
_UNGROUPED = "subject IS NULL"
_FREE_IN_ITS_GROUP = """
(subject IS NULL OR NOT EXISTS (
    SELECT 1 FROM rmz_tasks AS other
    WHERE other.subject = task.subject AND other.handler = task.handler
    AND other.state = 'waiting' AND other.id <> task.id
    AND (
        other.leased_until > :now
        OR task.grouping = 'ordered' AND other.id < task.id
        OR task.grouping = 'coalesced' AND other.id > task.id
    )
))
"""
_DUE = "due <= :now"
_OF_ONE = "delivery_id = :inbox_id"

_ANY_GROUPED = """
SELECT 1 FROM rmz_tasks AS task
WHERE state = 'waiting' AND {due} AND leased_until <= :now AND handler = ANY(:handlers)
AND subject IS NOT NULL
LIMIT 1
"""
_CLAIM = """
WITH claimable AS (SELECT id {claimable}), claimed AS (
    UPDATE rmz_tasks AS task
    SET attempts = attempts + 1, fence = fence + 1, due = :until,
        leased_until = :until
    FROM claimable WHERE task.id = claimable.id
    RETURNING task.id, task.delivery_id, task.handler, task.attempts, task.fence, task.grouping,
        task.subject
)
SELECT claimed.*, key, name, body, request_id, secret_index, :now - received_at AS age
FROM claimed JOIN rmz_deliveries AS delivery ON delivery.id = claimed.delivery_id
ORDER BY claimed.id
"""
# A task whose handler is still inside a transaction is left alone: all claims would wait for it.
_MERGE = text("""
UPDATE rmz_tasks SET state = 'merged'
WHERE id IN (
    SELECT id FROM rmz_tasks
    WHERE subject = :subject AND handler = :handler AND id < :id AND state = 'waiting'
    FOR UPDATE SKIP LOCKED
)
""")
# A queue has delivered the number before these tasks were due: they are handed over when they are.
# A task that another one claims just now is left alone, because two that wait for each other fail.
_LET_BE_DUE = text("""
UPDATE rmz_tasks SET due = :now
WHERE id IN (
    SELECT id FROM rmz_tasks
    WHERE delivery_id = :inbox_id AND state = 'waiting' AND leased_until <= :now
    AND due > :now AND handler = ANY(:handlers)
    FOR UPDATE SKIP LOCKED
)
""")
_POSTPONE = """
WITH claimable AS (SELECT id {claimable})
UPDATE rmz_tasks AS task SET due = :until
FROM claimable WHERE task.id = claimable.id
RETURNING task.delivery_id
"""


def _both(statement: str, due: str) -> tuple[TextClause, TextClause, TextClause]:
    ungrouped = _CLAIMABLE.format(due=due, grouped=_UNGROUPED)
    every = _CLAIMABLE.format(due=due, grouped=_FREE_IN_ITS_GROUP)
    return (
        text(_ANY_GROUPED.format(due=due)),
        text(statement.format(claimable=ungrouped)),
        text(statement.format(claimable=every)),
    )


_CLAIM_DUE = _both(_CLAIM, _DUE)
_CLAIM_OF_ONE = _both(_CLAIM, _OF_ONE)
_POSTPONE_DUE = _both(_POSTPONE, _DUE)


def claim(connection: Connection, wanted: dict[str, Any], lease: float) -> Sequence[Task]:
    """Claim tasks; *wanted* has the time ``now``, ``handlers``, ``limit`` and ``inbox_id``."""
    statements = _CLAIM_DUE if wanted["inbox_id"] is None else _CLAIM_OF_ONE
    values = {**wanted, "until": wanted["now"] + lease}
    found = _taken(connection, statements, values)
    for row in found:
        if row.grouping == "coalesced" and row.subject is not None:
            values = {"subject": row.subject, "handler": row.handler, "id": row.id}
            connection.execute(_MERGE, values)
    if wanted["inbox_id"] is not None:
        connection.execute(_LET_BE_DUE, wanted)
    return [_task(row) for row in found]


def postpone(connection: Connection, wanted: dict[str, Any], delay: float) -> Sequence[int]:
    """Let tasks be due later, and return the numbers of their deliveries, each once."""
    values = {**wanted, "until": wanted["now"] + delay}
    return sorted({row.delivery_id for row in _taken(connection, _POSTPONE_DUE, values)})


def _taken(
    connection: Connection,
    statements: tuple[TextClause, TextClause, TextClause],
    values: dict[str, Any],
) -> Sequence[Row[Any]]:
    any_grouped, ungrouped, every = statements
    if connection.execute(any_grouped, values).first() is None:
        return connection.execute(ungrouped, values).all()
    connection.execute(_GROUPED)
    return connection.execute(every, values).all()


def _task(row: Any) -> Task:
    return Task(
        task_id=row.id,
        inbox_id=row.delivery_id,
        handler=row.handler,
        attempt=row.attempts,
        fence=row.fence,
        key=row.key,
        name=row.name,
        body=bytes(row.body),
        request_id=row.request_id,
        secret_index=row.secret_index,
        age=max(row.age, 0.0),
    )
