"""The points at which a process is killed, and the tracing that finds them without the product."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg
from sqlalchemy import Engine, event

from rmz_async.webhooks import Inbox
from rmz_async.webhooks.inbox.records import Task

NORMAL, FAILING, SLOW, STOPPING = "normal", "failing", "slow", "stopping"

POINTS: Mapping[str, str] = {
    "delivery.received": NORMAL,
    "add.called": NORMAL,
    "add.after-BEGIN": NORMAL,
    "add.after-INSERT": NORMAL,
    "add.before-COMMIT": NORMAL,
    "add.after-COMMIT": NORMAL,
    "add.returned": NORMAL,
    "answer.before": NORMAL,
    "answer.after": NORMAL,
    "claim.called": NORMAL,
    "claim.after-INSERT": NORMAL,
    "claim.after-UPDATE": NORMAL,
    "claim.before-COMMIT": NORMAL,
    "claim.after-COMMIT": NORMAL,
    "claim.returned": NORMAL,
    "handler.begun": NORMAL,
    "transaction.called": NORMAL,
    "transaction.after-UPDATE": NORMAL,
    "transaction.entered": NORMAL,
    "effect.after": NORMAL,
    "transaction.before-COMMIT": NORMAL,
    "transaction.after-COMMIT": NORMAL,
    "transaction.left": NORMAL,
    "own.marked": NORMAL,
    "own.effect": NORMAL,
    "own.before-COMMIT": NORMAL,
    "own.after-COMMIT": NORMAL,
    "keyed.after": NORMAL,
    "done.called": NORMAL,
    "done.after-UPDATE": NORMAL,
    "done.before-COMMIT": NORMAL,
    "done.after-COMMIT": NORMAL,
    "failed.called": FAILING,
    "failed.before-COMMIT": FAILING,
    "failed.after-COMMIT": FAILING,
    "renew.before-COMMIT": SLOW,
    "renew.after-COMMIT": SLOW,
    "release.called": STOPPING,
    "release.before-COMMIT": STOPPING,
    "release.after-COMMIT": STOPPING,
}
"""The names of the points, each with how the handlers behave so that it is reached."""

# PostgreSQL's statements that stand for the ones by which the points are named.
_WORDS = {"SET": "BEGIN", "WITH": "UPDATE"}

Reach = Callable[[str], None]

_doing = threading.local()


def nowhere(_: str) -> None:
    """Reach a point at which nothing happens."""


class Death:
    """Kills this process when it reaches a point for the so-many-th time.

    Args:
        point: The point's name.
        times: How often it is to be reached.
        report: Called with the point's name just before.
    """

    def __init__(self, point: str, times: int, report: Callable[[str], None]) -> None:
        self._point = point
        self._left = times
        self._report = report
        self._lock = threading.Lock()

    def reach(self, point: str) -> None:
        """Reach a point."""
        if point == self._point:
            with self._lock:
                self._left -= 1
                if not self._left:
                    self._report(point)
                    os.kill(os.getpid(), signal.SIGKILL)
                    # The other threads must not go on meanwhile.
                    signal.pause()


class TracedInbox:
    """An inbox that says which of its methods begins and ends.

    Args:
        inbox: Does the work.
        reach: Called with each point's name.
    """

    def __init__(self, inbox: Inbox, reach: Reach) -> None:
        self._inbox = inbox
        self._reach = reach

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inbox, name)
        if name in ("add", "claim", "renew", "done", "failed", "release"):
            return partial(self._call, name, found)
        return partial(self._begin_now, found) if name == "begin_now" else found

    def _call(self, name: str, method: Callable[..., Any], *values: Any, **named: Any) -> Any:
        self._reach(f"{name}.called")
        with _method(name):
            result = method(*values, **named)
        self._reach(f"{name}.returned")
        return result

    def _begin_now(self, method: Callable[..., Any]) -> Any:
        self._reach("transaction.called")
        with _method("transaction"):
            blocks = method()
        return None if blocks is None else TracedBlocks(blocks, self._reach)

    @contextmanager
    def transaction(self, task: Task) -> Generator[Any]:
        """Return the inbox's transaction."""
        self._reach("transaction.called")
        context = self._inbox.transaction(task)
        with _method("transaction"):
            connection = context.__enter__()
        self._reach("transaction.entered")
        try:
            yield connection
        except BaseException:
            context.__exit__(*sys.exc_info())
            raise
        with _method("transaction"):
            context.__exit__(None, None, None)
        self._reach("transaction.left")


class TracedBlocks:
    """Blocks that say which of their methods begins and ends.

    Args:
        blocks: Do the work.
        reach: Called with each point's name.
    """

    def __init__(self, blocks: Any, reach: Reach) -> None:
        self._blocks = blocks
        self._reach = reach

    def begin(self, mark: str) -> Any:
        """Begin a block."""
        with _method("transaction"):
            connection = self._blocks.begin(mark)
        self._reach("transaction.entered")
        return connection

    def commit(self) -> None:
        """Commit all blocks."""
        with _method("transaction"):
            self._blocks.commit()
        self._reach("transaction.left")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blocks, name)


@contextmanager
def _method(name: str) -> Generator[None]:
    _doing.name = name
    try:
        yield
    finally:
        _doing.name = None


def trace_statements(reach: Reach) -> None:
    """Reach a point before and after each statement of this process, to its end."""
    _trace_sqlite(reach)
    _trace_postgres(reach)


def _name(place: str, statement: str) -> str:
    word = statement.split(maxsplit=1)[0].rstrip(";").upper()
    return f"{getattr(_doing, 'name', None) or 'own'}.{place}-{_WORDS.get(word, word)}"


def _trace_sqlite(reach: Reach) -> None:
    class Connection(sqlite3.Connection):
        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
            reach(_name("before", statement))
            cursor = super().execute(statement, *values)
            reach(_name("after", statement))
            return cursor

        def executemany(self, statement: str, *values: Any) -> sqlite3.Cursor:
            reach(_name("before", statement))
            cursor = super().executemany(statement, *values)
            reach(_name("after", statement))
            return cursor

    connect: Any = partial(sqlite3.connect, factory=Connection)
    sqlite3.connect = connect


def _trace_postgres(reach: Reach) -> None:
    def before(_: object, __: object, statement: str, *___: object) -> None:
        reach(_name("before", statement))

    def after(_: object, __: object, statement: str, *___: object) -> None:
        reach(_name("after", statement))

    commit = psycopg.Connection.commit

    def traced_commit(self: psycopg.Connection[Any]) -> None:
        reach(_name("before", "COMMIT"))
        commit(self)
        reach(_name("after", "COMMIT"))

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    psycopg.Connection.commit = traced_commit  # type: ignore[method-assign] # this process is traced to its end
