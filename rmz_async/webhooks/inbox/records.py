"""The records that an inbox takes and returns: deliveries, the tasks of handlers, and entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from rmz_async._frozen import frozen
from rmz_async.webhooks.inbox.interface import Grouping, TaskState

__all__ = ("Delivery", "Entry", "EntryTask", "Task")


@frozen(kw_only=True)
class Delivery:
    """A verified delivery to be stored."""

    key: str
    """The event's ``dedupe_key``; each key is stored once."""

    name: str
    """The event's name."""

    body: bytes = attrs.field(repr=False)
    """The raw body; hidden in ``repr``."""

    request_id: str | None = None
    """The delivery's number, which RMZ does not sign."""

    secret_index: int | None = None
    """Which secret fitted; None for an unsigned delivery."""

    subject: str | None = None
    """The subscription or order that the event is about, such as ``subscription:501``."""

    fault: str | None = None
    """Why the body cannot be read; None if it can."""

    handlers: Mapping[str, Grouping] = attrs.field(factory=dict[str, Grouping])
    """The handlers that want the event, by name; each gets a task."""

    state: Mapping[str, Any] = attrs.field(factory=dict[str, Any], repr=False)
    """The state of the subject, if the body shows it; JSON values; hidden in ``repr``."""


@frozen(kw_only=True)
class Task:
    """A task that the caller has claimed, with the delivery that the handler gets."""

    task_id: int
    """The task's number."""

    inbox_id: int
    """The delivery's number in the inbox."""

    handler: str
    """The handler's name."""

    attempt: int
    """Which attempt this is, from 1 on."""

    fence: int
    """A number that is larger with each claim of the task. A worker that has an older one has lost
    the task to another worker, and can change nothing.
    """

    key: str
    """The event's ``dedupe_key``."""

    name: str
    """The event's name."""

    body: bytes = attrs.field(repr=False)
    """The raw body; hidden in ``repr``."""

    request_id: str | None
    """The delivery's number, which RMZ does not sign."""

    secret_index: int | None
    """Which secret fitted; None for an unsigned delivery."""

    age: float | None = attrs.field(default=None, eq=False)
    """Seconds since the delivery was stored, as of the claim; None if the storage cannot say."""


@frozen(kw_only=True)
class EntryTask:
    """A task, as people see it."""

    handler: str
    """The handler's name."""

    state: TaskState
    """The task's state."""

    attempts: int
    """How many attempts have begun."""

    error: str | None
    """The error of the last attempt that failed, or None."""

    due_in: float
    """Seconds until the next attempt of a waiting task; 0 or less if it is due."""

    is_running: bool
    """Whether a worker has claimed it, and its lease has not ended."""


@frozen(kw_only=True)
class Entry:
    """A delivery in the inbox, as people see it."""

    inbox_id: int
    """The delivery's number in the inbox."""

    key: str
    """The event's ``dedupe_key``."""

    name: str
    """The event's name."""

    subject: str | None
    """The subscription or order that the event is about, or None."""

    fault: str | None
    """Why the body cannot be read; None if it can."""

    received_at: float
    """The time when the delivery was stored; Unix time in seconds."""

    request_id: str | None
    """The delivery's number, which RMZ does not sign."""

    secret_index: int | None
    """Which secret fitted; None for an unsigned delivery."""

    body: bytes = attrs.field(repr=False)
    """The raw body, which may hold personal data; hidden in ``repr``."""

    tasks: Sequence[EntryTask]
    """A task for each handler that wanted the event."""
