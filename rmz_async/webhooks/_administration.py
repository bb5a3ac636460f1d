"""The work of the commands for an inbox, as records that each program prints in its way."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from math import isnan
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

import anyio

from rmz_async.client import Client
from rmz_async.errors import ConfigurationError
from rmz_async.webhooks._core import ReceiverCore
from rmz_async.webhooks._reading import RECONCILED
from rmz_async.webhooks.inbox._numbers import fitting
from rmz_async.webhooks.inbox.interface import Inbox, TaskState
from rmz_async.webhooks.inbox.opening import SQLITE, open_inbox
from rmz_async.webhooks.inbox.records import Entry
from rmz_async.webhooks.reconciliation import Reconciliation

__all__ = ("Administration", "Record")

Record: TypeAlias = dict[str, object]

_DAY = 86_400.0


class Administration:
    """An inbox and its receiver, opened when a command needs them, and closed at the end.

    Args:
        inbox: The inbox's address; ``RMZ_INBOX`` if None.
        receiver: The receiver as ``module:name``; ``RMZ_RECEIVER`` if None.
    """

    def __init__(self, inbox: str | None, receiver: str | None) -> None:
        self._address = inbox or os.environ.get("RMZ_INBOX")
        self._name = receiver or os.environ.get("RMZ_RECEIVER")
        self._opened = ExitStack()

    def __enter__(self) -> Administration:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.close()

    def stats(self) -> Record:
        """Return how many deliveries and tasks there are, by name."""
        stats = self._inbox().stats()
        return {name: getattr(stats, name) for name in stats.__annotations__}

    def listed(self, *, state: TaskState | None, before: int | None, limit: int) -> list[Record]:
        """Return deliveries, the newest first, without their content.

        Raises:
            ConfigurationError: *limit* is less than 1.
        """
        if limit < 1:
            raise ConfigurationError("--limit: must be 1 or more")
        found = self._inbox().entries(state=state, before=before, limit=fitting(limit))
        return [_summary(each) for each in found]

    def shown(self, number: int, *, body: bool) -> Record:
        """Return one delivery and its tasks.

        Raises:
            LookupError: There is no such delivery.
        """
        entry = self._inbox().entry(number)
        if entry is None:
            raise LookupError(f"there is no delivery {number}")
        tasks = [
            {
                "handler": task.handler,
                "state": str(task.state),
                "attempts": task.attempts,
                "running": task.is_running,
                "due_in": task.due_in,
                "error": task.error,
            }
            for task in entry.tasks
        ]
        record = _summary(entry) | {
            "key": entry.key,
            "origin": _origin(entry),
            "unreadable": entry.fault,
            "tasks": tasks,
        }
        return record | {"body": entry.body.decode(errors="backslashreplace")} if body else record

    def replayed(self, numbers: Iterable[int], *, dry_run: bool) -> Iterator[Record]:
        """Run the handlers of deliveries again, or say what would run; a record for each handler.

        A delivery that no handler wants, or that is not there, has one record without a handler.
        """
        receiver = self._receiver()
        for number in numbers:
            found = receiver.replayed(number, dry_run=dry_run)
            if not found:
                yield {"number": number, "handler": None}
            for replay in found:
                subscription = replay.event.subscription
                yield {
                    "number": number,
                    "handler": replay.handler,
                    "event": type(replay.event).__name__,
                    "status": None if subscription is None else subscription.status,
                    "was_applied": replay.was_applied,
                    "dry_run": dry_run,
                }

    def reconciled(
        self, *, per_minute: int, feed_first: bool, client: Callable[[], Client] = Client
    ) -> Record:
        """Compare with RMZ, and make up for missed events."""
        receiver = self._receiver()

        async def reconcile() -> Reconciliation:
            async with client() as rmz:
                return await receiver.reconciled(rmz, per_minute, feed_first)

        return _counted(anyio.run(reconcile))

    def purged(self, *, older_than: float, dead: bool) -> int:
        """Forget deliveries that are older than so many days, and return how many.

        Raises:
            ConfigurationError: *older_than* is no number.
        """
        # PostgreSQL takes it for the largest of all numbers, and would forget everything.
        if isnan(older_than):
            raise ConfigurationError("--older-than: must be a number of days")
        states = (TaskState.DONE, TaskState.DEAD) if dead else (TaskState.DONE,)
        return self._inbox().purge(older_than=older_than * _DAY, states=states)

    def create(self) -> None:
        """Make the tables, unless they are there."""
        self._inbox(makes=True).create()

    def schema(self) -> str:
        """Return the tables as SQL."""
        return self._inbox(makes=True).schema()

    def _receiver(self) -> ReceiverCore:
        module, _, name = (self._name or "").partition(":")
        if not name:
            raise ConfigurationError(
                "--receiver: write it as module:name, such as shop.webhooks:receiver"
            )
        # Python finds modules in the working directory for `python -m`, but not for a script.
        sys.path.insert(0, str(Path.cwd()))
        try:
            found = getattr(importlib.import_module(module), name, None)
        except Exception as error:  # noqa: BLE001 - raised by the module of the user
            # Its message may hold a secret.
            raise ConfigurationError(
                f"--receiver: importing {module} raised {type(error).__name__}; "
                f'python -c "import {module}" shows why'
            ) from None
        if not isinstance(found, ReceiverCore):
            raise ConfigurationError(f"--receiver: {self._name} is no Receiver")
        self._opened.callback(found.inbox.close)
        return found

    def _inbox(self, *, makes: bool = False) -> Inbox:
        if self._address:
            path = self._address.removeprefix(SQLITE)
            if not makes and path != self._address and not Path(path).is_file():
                # SQLite would make a file, and a wrong path would look like an empty inbox.
                raise ConfigurationError(
                    "--inbox: there is no such file: look at the path, or run the command create"
                )
            inbox = open_inbox(self._address)
            self._opened.callback(inbox.close)
            return inbox
        if self._name:
            return self._receiver().inbox
        raise ConfigurationError(
            "no inbox is named: pass --inbox sqlite:///…, or --receiver module:name,"
            " or set RMZ_INBOX or RMZ_RECEIVER"
        )


def _summary(entry: Entry) -> Record:
    states = ", ".join(dict.fromkeys(task.state for task in entry.tasks)) or "no handler"
    return {
        "number": entry.inbox_id,
        "received_at": datetime.fromtimestamp(entry.received_at, UTC),
        "event": entry.name,
        "about": entry.subject,
        "state": "unreadable" if entry.fault else states,
    }


def _counted(found: Reconciliation) -> Record:
    return {
        "subscriptions": found.subscriptions,
        "events": found.events,
        "complete": found.is_complete,
    }


def _origin(entry: Entry) -> str:
    if entry.secret_index == RECONCILED:
        return "found by reconcile"
    if entry.secret_index is None:
        return "secret not known"
    return f"secret {entry.secret_index}"
