"""The command line of an inbox: ``python -m rmz_async.webhooks``."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import anyio

from rmz_async._calls.refusals import quoted
from rmz_async.client import Client
from rmz_async.errors import ConfigurationError, RMZError
from rmz_async.webhooks._core import PAGES, ReceiverCore
from rmz_async.webhooks._reading import RECONCILED
from rmz_async.webhooks._replaying import Replay
from rmz_async.webhooks.inbox.interface import Entry, EntryTask, Inbox, TaskState
from rmz_async.webhooks.inbox.opening import open_inbox
from rmz_async.webhooks.reconciliation import Reconciliation

__all__ = ("main",)

DAY = 86_400.0
PROGRAM = "python -m rmz_async.webhooks"


def main(arguments: Sequence[str] | None = None, *, program: str = PROGRAM) -> int:
    """Carry out one command, and print the result.

    Args:
        arguments: The command line; None for the process's own.
        program: The name in the help.

    Returns:
        0, or 1 if the command failed; the reason is on the standard error output.
    """
    given = _parser(program).parse_args(arguments)
    try:
        with ExitStack() as opened:
            given.opened = opened
            for line in given.carry_out(given):
                print(line)
    except Exception as error:  # noqa: BLE001 - each database has errors of its own
        # A database's error may show the address with its password.
        reason = str(error) if isinstance(error, (RMZError, LookupError)) else ""
        print(f"{type(error).__name__}: {reason or 'the inbox cannot be used'}", file=sys.stderr)
        return 1
    return 0


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program, description="Look into an inbox, and run events again."
    )
    parser.add_argument(
        "--inbox",
        default=os.environ.get("RMZ_INBOX"),
        help="the inbox's address, sqlite:///… or postgresql://…; RMZ_INBOX if left out",
    )
    parser.add_argument(
        "--receiver",
        default=os.environ.get("RMZ_RECEIVER"),
        help="your receiver, as module:name; RMZ_RECEIVER if left out",
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(
        name: str, carry_out: Callable[[argparse.Namespace], Iterator[str]], text: str
    ) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(carry_out=carry_out)
        return made

    command("stats", _stats, "count deliveries and tasks")
    found = command("list", _list, "list deliveries, the newest first, without their content")
    found.add_argument("--state", type=TaskState, choices=tuple(TaskState))
    found.add_argument("--before", type=int, help="only deliveries with smaller numbers")
    found.add_argument("--limit", type=int, default=50)
    shown = command("show", _show, "show one delivery and its tasks")
    shown.add_argument("number", type=int)
    shown.add_argument("--body", action="store_true", help="with its content: personal data")
    again = command("replay", _replay, "run the handlers of deliveries again")
    again.add_argument("numbers", type=int, nargs="+", metavar="number")
    again.add_argument("--dry-run", action="store_true", help="say what would run; change nothing")
    mended = command("reconcile", _reconcile, "compare with RMZ, and make up for missed events")
    mended.add_argument("--per-minute", type=int, default=PAGES, metavar="PAGES")
    mended.add_argument(
        "--feed-first", action="store_true", help="each unknown subscription is an event, always"
    )
    purged = command("purge", _purge, "forget old deliveries")
    purged.add_argument("--older-than", type=float, default=7.0, metavar="DAYS")
    purged.add_argument("--dead", action="store_true", help="also the failed and the unreadable")
    command("create", _create, "make the tables, unless they are there")
    command("schema", _schema, "print the tables as SQL")
    return parser


def _receiver(given: argparse.Namespace) -> ReceiverCore:
    module, _, name = (given.receiver or "").partition(":")
    if not name:
        raise ConfigurationError("--receiver: name your receiver as module:name")
    # As for any program that is named by a module, the folder in which it is started counts.
    sys.path.insert(0, str(Path.cwd()))
    found = getattr(importlib.import_module(module), name, None)
    if not isinstance(found, ReceiverCore):
        raise ConfigurationError(f"--receiver: {given.receiver} is no Receiver")
    given.opened.callback(found.inbox.close)
    return found


def _inbox(given: argparse.Namespace) -> Inbox:
    if given.inbox:
        inbox = open_inbox(given.inbox)
        given.opened.callback(inbox.close)
        return inbox
    if given.receiver:
        return _receiver(given).inbox
    raise ConfigurationError("--inbox: give the inbox's address, or your --receiver")


def _stats(given: argparse.Namespace) -> Iterator[str]:
    stats = _inbox(given).stats()
    for name in stats.__annotations__:
        yield f"{name.replace('_', ' '):15} {getattr(stats, name):>10.0f}"


def _list(given: argparse.Namespace) -> Iterator[str]:
    for entry in _inbox(given).entries(state=given.state, before=given.before, limit=given.limit):
        states = ", ".join(dict.fromkeys(task.state for task in entry.tasks)) or "no handler"
        yield _line(entry, "unreadable" if entry.fault else states)


def _show(given: argparse.Namespace) -> Iterator[str]:
    entry = _inbox(given).entry(given.number)
    if entry is None:
        raise LookupError(f"there is no delivery {given.number}")
    yield _line(entry, _origin(entry))
    yield f"  key {quoted(entry.key)}"
    if entry.fault:
        yield f"  unreadable: {quoted(entry.fault)}"
    for task in entry.tasks:
        yield f"  {task.handler}: {_task(task)}"
    if given.body:
        yield entry.body.decode(errors="backslashreplace")


def _replay(given: argparse.Namespace) -> Iterator[str]:
    receiver = _receiver(given)
    for number in given.numbers:
        found = receiver.replayed(number, dry_run=given.dry_run)
        if not found:
            yield f"{number}: nothing to run: no such delivery, or no handler wants it"
        for replay in found:
            yield f"{number}: {replay.handler} {_seen(replay, given.dry_run)}"


def _reconcile(given: argparse.Namespace) -> Iterator[str]:
    receiver = _receiver(given)

    async def reconcile() -> Reconciliation:
        async with Client() as client:
            return await receiver.reconciled(client, given.per_minute, given.feed_first)

    found = anyio.run(reconcile)
    yield f"{found.subscriptions} subscriptions compared, {found.events} events were missing"
    if not found.is_complete:
        yield "another process compares now"


def _purge(given: argparse.Namespace) -> Iterator[str]:
    states = (TaskState.DONE, TaskState.DEAD) if given.dead else (TaskState.DONE,)
    count = _inbox(given).purge(older_than=given.older_than * DAY, states=states)
    yield f"{count} forgotten"


def _create(given: argparse.Namespace) -> Iterator[str]:
    _inbox(given).create()
    yield "the tables are there"


def _schema(given: argparse.Namespace) -> Iterator[str]:
    yield _inbox(given).schema()


def _line(entry: Entry, rest: str) -> str:
    moment = datetime.fromtimestamp(entry.received_at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{entry.inbox_id:>8}  {moment}  {entry.name:30}  {entry.subject or '-':24}  {rest}"


def _origin(entry: Entry) -> str:
    if entry.secret_index == RECONCILED:
        return "found by reconcile"
    if entry.secret_index is None:
        return "secret not known"
    return f"secret {entry.secret_index}"


def _task(task: EntryTask) -> str:
    parts = [task.state, f"attempts {task.attempts}"]
    if task.is_running:
        parts.append("running")
    elif task.due_in:
        parts.append(f"due in {task.due_in:.0f} s")
    if task.error:
        parts.append(quoted(task.error))
    return ", ".join(parts)


def _seen(replay: Replay, dry_run: bool) -> str:
    event = replay.event
    status = event.subscription.status if event.subscription else None
    gets = f"{'would get' if dry_run else 'gets'} {type(event).__name__}"
    about = f" (status {status})" if status else ""
    before = "was applied before" if replay.was_applied else "was not applied"
    return f"{gets}{about}; {before}"


if __name__ == "__main__":
    sys.exit(main())
