"""The interface between the receiver and the database in which deliveries wait."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import attrs

from rmz_async._frozen import frozen

if TYPE_CHECKING:
    from rmz_async.webhooks.inbox.records import Delivery, Entry, Task

__all__ = ("Grouping", "Inbox", "Stats", "TaskState")


class Grouping(StrEnum):
    """The relation between the tasks of one handler for the same subscription or order."""

    EACH = "each"
    """Each task runs by itself, at any time."""

    ORDERED = "ordered"
    """Tasks run one after another, as they came: one that is retried holds up the later ones."""

    COALESCED = "coalesced"
    """A single task runs: the newest one that waits, which stands for the older ones that wait."""


class TaskState(StrEnum):
    """The state of a handler's task."""

    WAITING = "waiting"
    """An attempt runs, or is to come."""

    DONE = "done"
    """The handler has succeeded."""

    MERGED = "merged"
    """A newer task of a coalesced handler stands for this one."""

    DEAD = "dead"
    """The last attempt has failed; the task keeps the error and waits for a person."""


@frozen(kw_only=True)
class Stats:
    """How many deliveries and tasks an inbox holds."""

    deliveries: int = 0
    """The deliveries that are not forgotten yet."""

    unreadable: int = 0
    """Deliveries that cannot be read, and wait for a person."""

    waiting: int = 0
    """Tasks that run, are due or are to be retried."""

    running: int = 0
    """Waiting tasks that a worker has claimed."""

    done: int = 0
    """Tasks that have succeeded."""

    merged: int = 0
    """Tasks for which a newer one of a coalesced handler stands."""

    dead: int = 0
    """Tasks whose last attempt has failed."""

    oldest_waiting: float = 0.0
    """The age in seconds of the oldest delivery with a waiting task; 0 if there is none."""

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain data, ready for JSON."""
        return attrs.asdict(self)


@runtime_checkable
class Inbox(Protocol):
    """Stores each delivery once, with a task for each of its handlers.

    All methods block, and any thread may call them: the receiver calls them in worker threads. A
    storage keeps the time by itself, and gets durations only; all of them are seconds. A method
    that raises has changed nothing.

    A task can be claimed if it is waiting and due, no lease of it runs, and its `Grouping` lets it.
    A call with a `Task` does nothing if another worker has claimed the task since.
    """

    def create(self) -> None:
        """Make the tables, unless they are there."""
        ...

    def schema(self) -> str:
        """Return the tables as SQL, for migrations of one's own."""
        ...

    def add(self, deliveries: Sequence[Delivery], *, delay: float = 0.0) -> Sequence[int | None]:
        """Store deliveries and their tasks in one transaction, which is durable at the return.

        Args:
            deliveries: The deliveries; two of them may have the same key.
            delay: Seconds until their tasks are due.

        Returns:
            For each delivery its number in the inbox, or None if its key was known already.
        """
        ...

    def claim(
        self,
        handlers: Sequence[str],
        *,
        limit: int,
        lease: float,
        inbox_id: int | None = None,
    ) -> Sequence[Task]:
        """Claim the tasks that are due, the oldest first.

        Args:
            handlers: The names of the handlers that the caller can run.
            limit: How many tasks to claim at most.
            lease: Seconds after which the tasks count as abandoned.
            inbox_id: Claim tasks of this delivery only, whether they are due or not.

        Returns:
            The claimed tasks.
        """
        ...

    def renew(self, tasks: Sequence[Task], *, lease: float) -> None:
        """Let the leases end *lease* seconds from now."""
        ...

    def done(self, tasks: Sequence[Task]) -> None:
        """Record that the handlers have succeeded."""
        ...

    def failed(self, task: Task, error: str, *, retry_after: float | None) -> None:
        """Record that the handler has failed.

        Args:
            task: The task.
            error: The cause, for people.
            retry_after: Seconds until the next attempt is due; None if there is none.
        """
        ...

    def release(self, tasks: Sequence[Task]) -> None:
        """Give tasks back that were not run to their end: the attempt does not count."""
        ...

    def transaction(self, task: Task) -> AbstractContextManager[Any]:
        """Return a transaction that holds a handler's effect and the mark that it is done.

        The context is the database's connection. The context may be left in another thread than the
        one in which it was entered.

        Raises:
            TaskLostError: Another worker has claimed the task, or it is done. The handler's effect
                must not happen.
        """
        ...

    def done_statement(self, task: Task) -> str:
        """Return the SQL that marks a task as done, for a transaction of one's own.

        The statement has no parameters. The statement changes exactly one row, unless another
        worker has claimed the task, or it is done.
        """
        ...

    def postpone(self, handlers: Sequence[str], *, limit: int, delay: float) -> Sequence[int]:
        """Let tasks that could be claimed be due *delay* seconds from now.

        Returns:
            The numbers of their deliveries, each once.
        """
        ...

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call *wake*, from any thread, if another process may have stored a delivery.

        The receiver looks for itself twice a second, too.

        Returns:
            A function that ends it.
        """
        ...

    def stats(self) -> Stats:
        """Return how many deliveries and tasks there are."""
        ...

    def entries(
        self, *, state: TaskState | None = None, before: int | None = None, limit: int = 50
    ) -> Sequence[Entry]:
        """Return deliveries for people, the newest first.

        Args:
            state: Only those with a task in this state.
            before: Only those whose number is smaller.
            limit: How many at most.
        """
        ...

    def entry(self, inbox_id: int) -> Entry | None:
        """Return one delivery for people; None if there is none."""
        ...

    def requeue(self, inbox_id: int, handlers: Mapping[str, Grouping]) -> bool:
        """Let handlers run for a delivery, again or for the first time, with all their attempts.

        The delivery's fault is removed. A task whose lease runs is left alone.

        Returns:
            Whether there is such a delivery.
        """
        ...

    def purge(self, *, older_than: float, states: Collection[TaskState] = (TaskState.DONE,)) -> int:
        """Forget deliveries, so that their events count as new if they are delivered again.

        A delivery whose only tasks are merged counts as done, as one without tasks does. A delivery
        that cannot be read counts as dead.

        Args:
            older_than: Only deliveries that were stored more than so many seconds ago.
            states: Only deliveries all of whose tasks are in one of these states.

        Returns:
            How many were forgotten.
        """
        ...

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        ...
