"""Run the handlers of a delivery again, or say what would run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rmz_async._frozen import frozen
from rmz_async.webhooks._reading import event_of
from rmz_async.webhooks.events import Event
from rmz_async.webhooks.inbox.interface import Inbox, TaskState

if TYPE_CHECKING:
    from rmz_async.webhooks._handlers import Handlers

UNREADABLE = "(unreadable)"
"""The name of a signed delivery that names no event."""


@frozen(kw_only=True)
class Replay:
    """A handler that runs again for a delivery, or would."""

    handler: str
    """The handler's name."""

    event: Event
    """The event that it gets."""

    was_applied: bool
    """Whether it has succeeded for this event before."""


def replayed(inbox: Inbox, handlers: Handlers, inbox_id: int, *, dry_run: bool) -> Sequence[Replay]:
    """Let all handlers that want the event of a delivery now run again, unless it is a dry run."""
    entry = inbox.entry(inbox_id)
    if entry is None or entry.name == UNREADABLE:
        return ()
    event = event_of(entry.body, entry.request_id, entry.secret_index)
    wanting = handlers.wanting(event)
    # The delivery may have been forgotten since it was read.
    if wanting and not dry_run and not inbox.requeue(inbox_id, wanting):
        return ()
    applied = {task.handler for task in entry.tasks if task.state == TaskState.DONE}
    return tuple(Replay(handler=name, event=event, was_applied=name in applied) for name in wanting)
