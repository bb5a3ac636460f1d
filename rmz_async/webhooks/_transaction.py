"""The task that runs, and the transaction in which its handler's effect happens once."""

from __future__ import annotations

import inspect
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import partial
from types import TracebackType
from typing import Any, Protocol

import anyio
import attrs

from rmz_async._per_loop import PerLoop
from rmz_async.errors import ConfigurationError, TaskLostError
from rmz_async.webhooks._commits import BeginNow, Commits, Group
from rmz_async.webhooks._threads import in_thread
from rmz_async.webhooks.events import Event
from rmz_async.webhooks.inbox._lost import lost
from rmz_async.webhooks.inbox.interface import Inbox
from rmz_async.webhooks.inbox.records import Task


@attrs.define(eq=False, repr=False)
class Run:
    """A run of a handler.

    Attributes:
        task: The task.
        inbox: The inbox that has the task.
        key: The ``dedupe_key`` of the event that the handler got; None as long as it has none.
        is_committed: Whether the handler has committed its effect and the task's mark.
        is_open: Whether the handler is inside a transaction now.
        is_marked: Whether the handler has put the mark into a transaction of its own.
    """

    task: Task
    inbox: Inbox
    key: str | None = None
    is_committed: bool = False
    is_open: bool = False
    is_marked: bool = False


current_run: ContextVar[Run] = ContextVar("current_run")
"""The run whose handler is the caller, in its worker thread too."""


class Cursor(Protocol):
    """A cursor of any database, as Python's DB-API has it."""

    @property
    def rowcount(self) -> int:
        """The number of rows that the last statement has changed."""
        ...

    # `operation` is Any, because psycopg's types accept literal strings only.
    def execute(self, operation: Any, /) -> object:
        """Run a statement."""
        ...


class Transaction:
    """A transaction on the inbox's own connection, for ``with`` and for ``async with``.

    The handler's effect and its mark as done are committed together, or neither is.
    """

    def __init__(self, inbox: Inbox, run: Run, commits: PerLoop[Commits]) -> None:
        self._inbox = inbox
        self._run = run
        self._per_loop = commits
        self._begin_now: BeginNow | None = getattr(inbox, "begin_now", None)
        self._context: AbstractContextManager[Any]
        self._commits: Commits | None = None
        self._group: Group | None = None

    def __enter__(self) -> Any:
        if _in_event_loop():
            raise ConfigurationError(
                "transaction: write async with in an async handler, because with would block the "
                "event loop"
            )
        with self._opening():
            return self._begin_alone()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._run.is_open = False
        suppressed = self._context.__exit__(exc_type, exc_value, traceback)
        self._run.is_committed = exc_type is None
        return suppressed

    async def __aenter__(self) -> Any:
        with self._opening():
            return await self._begin()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._run.is_open = False
        if self._commits is not None and self._group is not None:
            await self._commits.end(self._group, is_kept=exc_type is None)
            self._run.is_committed = exc_type is None
            return None
        try:
            return await in_thread(partial(self.__exit__, exc_type, exc_value, traceback))
        finally:
            if self._commits is not None:
                self._commits.release()

    async def _begin(self) -> Any:
        if self._begin_now is None:
            return await in_thread(self._begin_alone)
        # The handlers of this loop wait for each other here, because a hop to a thread costs more
        # than to begin.
        commits = self._per_loop.for_running_loop()
        mark = self._inbox.done_statement(self._run.task)
        group, connection = await commits.begin(self._begin_now, mark)
        self._commits, self._group = commits, group
        if group is None:
            try:
                return await in_thread(self._begin_alone)
            except BaseException:
                commits.release()
                raise
        if connection is None:
            await commits.leave(group)
            raise lost(self._run.task)
        return connection

    def _begin_alone(self) -> Any:
        self._context = self._inbox.transaction(self._run.task)
        return self._context.__enter__()

    @contextmanager
    def _opening(self) -> Generator[None]:
        if self._run.is_committed:
            raise TaskLostError(
                "transaction: the handler has committed one for this event, and a second one "
                "changes nothing: put the whole effect into one"
            )
        # The second one would wait for the first, and keep all deliveries from being stored.
        if self._run.is_open:
            raise ConfigurationError("transaction: the handler is inside another one")
        self._run.is_open = True
        try:
            yield
        except BaseException:
            self._run.is_open = False
            raise


def _in_event_loop() -> bool:
    try:
        anyio.lowlevel.current_token()
    except RuntimeError:
        return False
    return True


def transaction(inbox: Inbox, event: Event, commits: PerLoop[Commits]) -> Transaction:
    """Return the transaction for the handler that is the caller.

    Args:
        inbox: The inbox.
        event: The event that the handler got.
        commits: Those of each event loop, for an inbox that has one transaction at a time.
    """
    return Transaction(inbox, _run_for(inbox, event, "transaction"), commits)


def mark_done(inbox: Inbox, event: Event, cursor: Cursor) -> None:
    """Mark the calling handler's task as done, in a transaction of the handler's own."""
    run = _run_for(inbox, event, "mark_done")
    task = run.task
    answer = cursor.execute(inbox.done_statement(task))
    if inspect.iscoroutine(answer):
        answer.close()
        raise ConfigurationError(
            "mark_done: must get a cursor that blocks; in an AsyncSession, call it in "
            "session.run_sync"
        )
    if cursor.rowcount != 1:
        raise TaskLostError(
            f"another worker has the task of {task.handler} for {task.key} now, or has done it: "
            "roll your transaction back"
        )
    run.is_marked = True


def _run_for(inbox: Inbox, event: Event, method: str) -> Run:
    run = current_run.get(None)
    if run is None or run.key != event.dedupe_key:
        raise ConfigurationError(
            f"{method}: call this in a handler, with the event that the handler got"
        )
    # The same numbers are those of another event there.
    if run.inbox is not inbox:
        raise ConfigurationError(
            f"{method}: call this on the receiver whose handler runs, and not on another one"
        )
    return run
