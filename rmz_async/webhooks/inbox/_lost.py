"""The error of a worker whose task is another's by now."""

from __future__ import annotations

from rmz_async.errors import TaskLostError
from rmz_async.webhooks.inbox.records import Task


def lost(task: Task) -> TaskLostError:
    """Return the error for a transaction in which nothing was changed."""
    return TaskLostError(
        f"another worker has the task of {task.handler} for {task.key} now, or has done it: "
        "nothing was changed"
    )
