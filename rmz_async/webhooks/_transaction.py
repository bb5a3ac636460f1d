"""The task that runs, and the transaction in which its handler's effect happens once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from functools import partial
from types import TracebackType
from typing import Any, Protocol, TypeAlias

import anyio
import attrs

from rmz_async._per_loop import PerLoop
from rmz_async.errors import ConfigurationError, TaskLostError
from rmz_async.webhooks._threads import in_thread
from rmz_async.webhooks.events import Event
from rmz_async.webhooks.inbox.interface import Inbox, Task


@attrs.define(eq=False)
class Run:
    """A run of a handler.

    Attributes:
        task: The task.
        key: The ``dedupe_key`` of the event that the handler got; None as long as it has none.
        is_committed: Whether the handler has committed its effect and the task's mark.
    """

    task: Task
    key: str | None = None
    is_committed: bool = False


current_run: ContextVar[Run] = ContextVar("current_run")
"""The run whose handler is the caller, in its worker thread too."""


class Cursor(Protocol):
    """A cursor of any database, as Python's DB-API has it."""

    @property
    def rowcount(self) -> int:
        """How many rows the last statement has changed."""
        ...

    # Any, because psycopg's types accept literal strings only.
    def execute(self, operation: Any, /) -> object:
        """Run a statement."""
        ...


BeginNow: TypeAlias = Callable[[Task], tuple[Any, AbstractContextManager[Any]] | None]
"""Returns a connection whose transaction has begun, and what ends it; None if that must wait."""


class Transaction:
    """A transaction on the inbox's own connection, for ``with`` and for ``async with``.

    The handler's effect and its mark as done are committed together, or neither is.
    """

    def __init__(self, inbox: Inbox, run: Run, slots: PerLoop[anyio.Lock]) -> None:
        self._run = run
        self._slots = slots
        self._slot: anyio.Lock | None = None
        self._begin_now: BeginNow | None = getattr(inbox, "begin_now", None)
        self._context: AbstractContextManager[Any] = inbox.transaction(run.task)

    def __enter__(self) -> Any:
        return self._context.__enter__()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        suppressed = self._context.__exit__(exc_type, exc_value, traceback)
        self._run.is_committed = exc_type is None
        return suppressed

    async def __aenter__(self) -> Any:
        if self._begin_now is None:
            return await in_thread(self.__enter__)
        # The handlers of this loop wait for each other here. The next one begins as soon as this
        # one has ended, and mostly without a hop to a thread, which costs more than to begin.
        self._slot = self._slots.for_running_loop()
        await self._slot.acquire()
        try:
            begun = self._begin_now(self._run.task)
            if begun is None:
                return await in_thread(self.__enter__)
        except BaseException:
            self._slot.release()
            raise
        connection, self._context = begun
        return connection

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        try:
            return await in_thread(partial(self.__exit__, exc_type, exc_value, traceback))
        finally:
            if self._slot is not None:
                self._slot.release()


def transaction(inbox: Inbox, event: Event, slots: PerLoop[anyio.Lock]) -> Transaction:
    """Return the transaction for the handler that is the caller.

    Args:
        inbox: The inbox.
        event: The event that the handler got.
        slots: A lock for each event loop, for an inbox that has one transaction at a time.
    """
    return Transaction(inbox, _run_for(event, "transaction"), slots)


def mark_done(inbox: Inbox, event: Event, cursor: Cursor) -> None:
    """Mark the calling handler's task as done, in a transaction of the handler's own."""
    task = _run_for(event, "mark_done").task
    cursor.execute(inbox.done_statement(task))
    if cursor.rowcount != 1:
        raise TaskLostError(
            f"another worker has the task of {task.handler} for {task.key} now, or has done it: "
            "roll your transaction back"
        )


def _run_for(event: Event, method: str) -> Run:
    run = current_run.get(None)
    if run is None or run.key != event.dedupe_key:
        raise ConfigurationError(
            f"{method}: call this in a handler, with the event that the handler got"
        )
    return run
