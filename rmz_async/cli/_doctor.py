"""``rmz doctor``: is everything ready for customers?"""

from __future__ import annotations

import os
import sys

import attrs

from rmz_async._extras import extra
from rmz_async.cli._direction import Cell, Lines
from rmz_async.cli._doctor_rmz import check_rmz
from rmz_async.cli._doctor_stores import check_inbox, check_redis
from rmz_async.cli._doctor_webhook import check_webhook
from rmz_async.cli._findings import Finding, State
from rmz_async.cli._options import Options, webhook_secrets
from rmz_async.cli._printing import console, print_document, print_rows
from rmz_async.cli._wording import language, text, without_marks

with extra("cli", needed_by="The command rmz"):
    from rich.table import Table
    from rich.text import Text

# A terminal that is narrower breaks the lines itself.
_LEAST_WIDTH = 40
_COLOURS = {
    State.OK: "green",
    State.WARNING: "yellow",
    State.FAILED: "bold red",
    State.SKIPPED: "dim",
}


async def doctor(
    *,
    webhook: str | None = None,
    redis: str | None = None,
    inbox: str | None = None,
    options: Options = Options(),  # noqa: B008 - frozen
) -> int:
    """Check that everything is ready for customers; nothing in the store is changed.

    Args:
        webhook: Your address for RMZ's webhooks; it gets a forged event and signed ones.
        redis: The address of Redis; REDIS_URL if left out.
        inbox: The address of the inbox, sqlite:///… or postgresql://…; RMZ_INBOX if left out.
        options: How to print.
    """
    findings = [
        *await check_rmz(),
        *await check_webhook(webhook, webhook_secrets()),
        await check_redis(redis or os.environ.get("REDIS_URL")),
        await check_inbox(inbox or os.environ.get("RMZ_INBOX")),
    ]
    failed = any(each.state is State.FAILED for each in findings)
    rows = [
        {name: without_marks(value) for name, value in attrs.asdict(each).items()}
        for each in findings
    ]
    if options.json:
        print_document({"ok": not failed, "checks": rows})
    elif options.csv:
        print_rows(rows, ("check", "state", "text", "advice"), options)
    else:
        _print(findings, options)
    return int(failed)


def _print(findings: list[Finding], options: Options) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for each in findings:
        state = Text(text(each.state), style=_COLOURS[each.state])
        table.add_row(Cell(state), Cell(Text(text(each.check))), Cell(Text(each.text)))
        if each.advice:
            # The arrow points on, in the direction of the words.
            arrow = "←" if language() == "ar" else "→"
            table.add_row("", "", Cell(Text(f"{arrow} {each.advice}", style="italic")))
    output = console(options, sys.stdout)
    output.width = max(output.width, _LEAST_WIDTH)
    output.print(Lines(table))
