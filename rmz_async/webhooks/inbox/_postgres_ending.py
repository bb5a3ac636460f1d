"""The end of a handler's transaction in PostgreSQL: would a commit keep anything?"""

from __future__ import annotations

from typing import Any

from rmz_async._extras import extra
from rmz_async.webhooks.inbox.records import Task

with extra("postgres", needed_by="an inbox in PostgreSQL"):
    from psycopg.pq import TransactionStatus
    from sqlalchemy import Connection, Engine, text
    from sqlalchemy.exc import PendingRollbackError, ResourceClosedError

_IS_MARKED = text("SELECT 1 FROM rmz_tasks WHERE id = :task AND fence = :claim AND state = 'done'")


def check_whole(engine: Engine, connection: Connection, task: Task) -> None:
    """Refuse to commit a transaction that the code inside it has lost.

    PostgreSQL answers such a COMMIT with success, and rolls back.

    Args:
        engine: Makes another connection.
        connection: The transaction's own.
        task: The task that was marked in it.

    Raises:
        PendingRollbackError: A statement failed inside, and its error was caught.
        ResourceClosedError: The code inside has rolled the transaction back.
    """
    status = _status(connection)
    if status == TransactionStatus.INTRANS:
        return
    if status == TransactionStatus.INERROR:
        raise PendingRollbackError(
            "a statement inside the transaction failed, so that PostgreSQL keeps nothing of it: "
            "let the error pass, or run the statement in connection.begin_nested()"
        )
    # The code inside may have committed, and the mark with it.
    with engine.begin() as other:
        if other.execute(_IS_MARKED, {"task": task.task_id, "claim": task.fence}).first():
            return
    raise ResourceClosedError(
        "the transaction was rolled back by the code inside it: leave COMMIT and ROLLBACK to the "
        "receiver"
    )


def _status(connection: Connection) -> TransactionStatus | None:
    """Return the state of the transaction; None if the connection was closed, or lost."""
    if connection.closed or connection.invalidated:
        return None
    driver: Any = connection.connection.driver_connection
    return TransactionStatus(driver.info.transaction_status)
