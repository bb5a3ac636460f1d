"""The objects that both databases make of their rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rmz_async.webhooks.inbox.interface import Stats, TaskState
from rmz_async.webhooks.inbox.records import EntryTask


def stats_of(row: Sequence[Any], now: float) -> Stats:
    """Return the counts of *row*, which ends with the time of the oldest delivery that waits."""
    deliveries, unreadable, waiting, running, done, merged, dead, oldest = row
    return Stats(
        deliveries=deliveries,
        unreadable=unreadable,
        waiting=waiting,
        running=running,
        done=done,
        merged=merged,
        dead=dead,
        oldest_waiting=0.0 if oldest is None else max(0.0, now - oldest),
    )


def entry_task(row: Sequence[Any], now: float) -> EntryTask:
    """Return the task of *row*: handler, state, attempts, error, due, leased_until."""
    handler, state, attempts, error, due, leased_until = row
    is_waiting = state == TaskState.WAITING
    return EntryTask(
        handler=handler,
        state=TaskState(state),
        attempts=attempts,
        error=error,
        due_in=max(0.0, due - now) if is_waiting else 0.0,
        is_running=is_waiting and leased_until > now,
    )
