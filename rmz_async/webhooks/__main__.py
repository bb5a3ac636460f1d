"""The command line of an inbox: ``python -m rmz_async.webhooks``."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from rmz_async._calls.refusals import quoted
from rmz_async.errors import RMZError
from rmz_async.webhooks._administration import Administration
from rmz_async.webhooks.inbox.interface import TaskState
from rmz_async.webhooks.reconciliation import PAGES

__all__ = ("main",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command, and print the result.

    Args:
        arguments: The command line; None for the process's own.

    Returns:
        0, or 1 if the command failed; the reason is on the standard error output.
    """
    given = _parser().parse_args(arguments)
    # A terminal that has no Arabic letters shows their numbers.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with Administration(given.inbox, given.receiver) as given.work:
            for line in given.carry_out(given):
                print(line)
        print(end="", flush=True)
    except OSError as error:
        # Python flushes stdout as it exits, and would show an error.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            print(f"{type(error).__name__}: {error.strerror}", file=sys.stderr)
        return 1
    except Exception as error:  # noqa: BLE001 - each database has errors of its own
        # A database's error may show the address with its password.
        reason = str(error) if isinstance(error, (RMZError, LookupError)) else ""
        print(f"{type(error).__name__}: {reason or 'the inbox cannot be used'}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rmz_async.webhooks", description="Look into an inbox, and run events again."
    )
    parser.add_argument(
        "--inbox",
        help="the inbox's address, sqlite:///… or postgresql://…; RMZ_INBOX if left out",
    )
    parser.add_argument(
        "--receiver",
        help="your receiver, as module:name; RMZ_RECEIVER if left out",
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(
        name: str, carry_out: Callable[[argparse.Namespace], Iterator[str]], text: str
    ) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(carry_out=carry_out)
        for option in ("--inbox", "--receiver"):
            # The option may also follow the command. A default here would replace the value of an
            # option before the command.
            made.add_argument(option, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        return made

    command("stats", _stats, "count deliveries and tasks")
    found = command("list", _list, "list deliveries, the newest first, without their content")
    found.add_argument(
        "--state",
        type=TaskState,
        choices=tuple(TaskState),
        help="only deliveries with a task of this state",
    )
    found.add_argument("--before", type=int, help="only deliveries with smaller numbers")
    found.add_argument("--limit", type=int, default=50, help="the most to read; 50 if left out")
    shown = command("show", _show, "show one delivery and its tasks")
    shown.add_argument("number", type=int)
    shown.add_argument(
        "--body", action="store_true", help="print the content too, which is personal data"
    )
    again = command("replay", _replay, "run the handlers of deliveries again")
    again.add_argument("numbers", type=int, nargs="+", metavar="number")
    again.add_argument(
        "--dry-run", action="store_true", help="say what would run, and change nothing"
    )
    mended = command("reconcile", _reconcile, "compare with RMZ, and make up for missed events")
    mended.add_argument(
        "--per-minute", type=int, default=PAGES, metavar="PAGES", help=f"{PAGES} if left out"
    )
    mended.add_argument(
        "--feed-first",
        action="store_true",
        help="make an event of each unknown subscription in the first comparison, too",
    )
    purged = command("purge", _purge, "forget old deliveries")
    purged.add_argument(
        "--older-than", type=float, default=7.0, metavar="DAYS", help="7 if left out"
    )
    purged.add_argument("--dead", action="store_true", help="also the dead and the unreadable")
    command("create", _create, "make the tables, unless they are there")
    command("schema", _schema, "print the tables as SQL")
    return parser


def _stats(given: argparse.Namespace) -> Iterator[str]:
    for name, value in given.work.stats().items():
        yield f"{name.replace('_', ' '):15} {value:>10.0f}"


def _list(given: argparse.Namespace) -> Iterator[str]:
    for entry in given.work.listed(state=given.state, before=given.before, limit=given.limit):
        yield _line(entry, entry["state"])


def _show(given: argparse.Namespace) -> Iterator[str]:
    entry = given.work.shown(given.number, body=given.body)
    yield _line(entry, entry["origin"])
    yield f"  key {quoted(entry['key'])}"
    if entry["unreadable"]:
        yield f"  unreadable: {quoted(entry['unreadable'])}"
    for task in entry["tasks"]:
        yield f"  {task['handler']}: {_task(task)}"
    if given.body:
        # Escaped, because control characters in the body could steer the terminal.
        yield "\n".join(
            "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)
            for line in entry["body"].split("\n")
        )


def _replay(given: argparse.Namespace) -> Iterator[str]:
    for replay in given.work.replayed(given.numbers, dry_run=given.dry_run):
        if replay["handler"] is None:
            yield f"{replay['number']}: nothing to run: no such delivery, or no handler wants it"
        else:
            yield f"{replay['number']}: {replay['handler']} {_seen(replay)}"


def _reconcile(given: argparse.Namespace) -> Iterator[str]:
    found = given.work.reconciled(per_minute=given.per_minute, feed_first=given.feed_first)
    yield f"{found['subscriptions']} subscriptions compared, {found['events']} events were missing"
    if not found["complete"]:
        yield "another process compares now"


def _purge(given: argparse.Namespace) -> Iterator[str]:
    yield f"{given.work.purged(older_than=given.older_than, dead=given.dead)} forgotten"


def _create(given: argparse.Namespace) -> Iterator[str]:
    given.work.create()
    yield "the tables are there"


def _schema(given: argparse.Namespace) -> Iterator[str]:
    yield given.work.schema()


def _line(entry: dict[str, Any], rest: str) -> str:
    moment = f"{entry['received_at']:%Y-%m-%d %H:%M:%S}"
    about = entry["about"] or "-"
    return f"{entry['number']:>8}  {moment}  {entry['event']:30}  {about:24}  {rest}"


def _task(task: dict[str, Any]) -> str:
    parts = [task["state"], f"attempts {task['attempts']}"]
    if task["running"]:
        parts.append("running")
    elif task["due_in"]:
        parts.append(f"due in {task['due_in']:.0f} s")
    if task["error"]:
        parts.append(quoted(task["error"]))
    return ", ".join(parts)


def _seen(replay: dict[str, Any]) -> str:
    gets = f"{'would get' if replay['dry_run'] else 'gets'} {replay['event']}"
    about = f" (status {replay['status']})" if replay["status"] else ""
    before = "was applied before" if replay["was_applied"] else "was not applied"
    return f"{gets}{about}; {before}"


if __name__ == "__main__":
    sys.exit(main())
