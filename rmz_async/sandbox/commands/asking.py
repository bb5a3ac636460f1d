"""The commands for a sandbox that runs: ``advance``, ``emit``, ``resend`` and ``list``."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from datetime import datetime
from typing import Any

from rmz_async.sandbox.commands.parsing import CommandError, Commands, ExitCode
from rmz_async.sandbox.commands.running import RunningSandbox, add_address_options
from rmz_async.sandbox.commands.tables import table
from rmz_async.sandbox.shapes.control_rows import LISTS
from rmz_async.sandbox.shapes.events import Event

__all__ = ("add_asking",)

_UNITS = ("days", "hours", "minutes", "seconds")


def add_asking(commands: Commands) -> None:
    """Add the commands that ask a running sandbox for something."""
    parser = commands.add("advance", _advance, "Move the time on, and wait for the deliveries.")
    for unit in _UNITS:
        parser.add_argument(
            f"--{unit}", type=_positive, default=0.0, metavar="N", help=f"the number of {unit}"
        )
    add_address_options(parser)

    parser = commands.add("emit", _emit, "Send an event about an object as it is now.")
    events = [event.value for event in Event]
    parser.add_argument(
        "event", metavar="EVENT", choices=events, help="such as subscription.renewed"
    )
    parser.add_argument("id", metavar="ID", type=int, help="the id of the subscription or order")
    add_address_options(parser)

    parser = commands.add("resend", _resend, "Attempt a delivery again.")
    parser.add_argument("number", metavar="NUMBER", type=int, help="as 'list deliveries' shows it")
    add_address_options(parser)

    parser = commands.add("list", _list, "Show what the sandbox holds, the newest first.")
    parser.add_argument("rows", metavar="WHAT", choices=LISTS, help=", ".join(LISTS))
    parser.add_argument(
        "--limit", type=int, default=20, metavar="N", help="the most rows (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    add_address_options(parser)


def _positive(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError("time goes on and never back")
    return number


def _advance(given: argparse.Namespace) -> int:
    distance = {unit: getattr(given, unit) for unit in _UNITS if getattr(given, unit)}
    if not distance:
        raise CommandError("say how far, for example --days 31", ExitCode.USAGE)
    answer = RunningSandbox(given).post("clock", distance)
    _say(f"The sandbox's time is {datetime.fromisoformat(answer['now']):%Y-%m-%d %H:%M:%S} UTC.")
    _say(f"Attempts to deliver on the way: {answer['attempts']}; failed: {answer['failed']}.")
    return ExitCode.DONE


def _emit(given: argparse.Namespace) -> int:
    answer = RunningSandbox(given).post("emit", {"event": given.event, "id": given.id})
    if not answer["webhooks"]:
        raise CommandError("nothing was sent: no webhook is enabled", ExitCode.FAILED)
    _say(f"Sent {answer['event']} of {given.id}; enabled webhooks: {answer['webhooks']}.")
    return ExitCode.DONE


def _resend(given: argparse.Namespace) -> int:
    answer = RunningSandbox(given).post("resend", {"number": given.number})
    attempt = answer["attempt"]
    about = f"{attempt['event']} of {attempt['about']}"
    _say(f"{about} to webhook {attempt['webhook']}: {attempt['outcome']}")
    return ExitCode.DONE if attempt["accepted"] else ExitCode.FAILED


def _list(given: argparse.Namespace) -> int:
    answer = RunningSandbox(given).get(f"list/{given.rows}", limit=given.limit)
    rows: list[dict[str, Any]] = answer["rows"]
    if given.json:
        _say(json.dumps(rows, indent=2))
        return ExitCode.DONE
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in table(rows, width):
        _say(line)
    if len(rows) < answer["total"]:
        _say(f"{len(rows)} of {answer['total']}; --limit shows more.")
    elif not rows:
        _say(f"No {given.rows}.")
    return ExitCode.DONE


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
