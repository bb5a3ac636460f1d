"""Objects as a table, as comma-separated values or as JSON."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TextIO

from rmz_async._calls.refusals import quoted
from rmz_async._extras import extra
from rmz_async.cli._options import Options
from rmz_async.cli._wording import text

with extra("cli", needed_by="The command rmz"):
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

__all__ = ("console", "print_document", "print_line", "print_rows", "printable", "shown")

_FREE_TEXT = ("name", "plan", "product", "reason", "user")
_WITHOUT_END = 100_000

Row = Mapping[str, object]


def console(options: Options, file: TextIO | None = None, *, whole_lines: bool = True) -> Console:
    """Return a console that writes colours only where they are wanted.

    Args:
        options: Whether there are colours.
        file: The output; the standard one if left out.
        whole_lines: Whether a file and a program get each line whole, however long.
    """
    console = Console(file=file or sys.stdout, no_color=True if not options.color else None)
    if whole_lines and not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WITHOUT_END
    return console


def print_rows(rows: Sequence[Row], headings: Sequence[str], options: Options) -> None:
    """Print *rows* as a table, or as comma-separated values."""
    if options.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(headings)
        # A spreadsheet would run a cell that begins like a formula.
        writer.writerows([_harmless(shown(row[key])) for key in headings] for row in rows)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        # A number that is cut is a wrong number; the words of a shop may take several lines.
        table.add_column(text(heading), overflow="fold", no_wrap=heading not in _FREE_TEXT)
    for row in rows:
        # Somebody's words must neither style the table nor steer the terminal.
        table.add_row(*(Text(shown(row[key]) or "-") for key in headings))
    console(options).print(table)


def print_document(document: object) -> None:
    """Print one JSON document on one line."""
    print(json.dumps(document, ensure_ascii=False, default=str))


def print_line(*parts: str | tuple[str, str], options: Options) -> None:
    """Print one line of parts, each plain or with its style; `shown` makes them harmless."""
    line = Text("  ").join(
        Text(part) if isinstance(part, str) else Text(part[0], style=part[1]) for part in parts
    )
    console(options).print(line, soft_wrap=True)


def shown(value: object) -> str:
    """Return a value as one line; a time in UTC, and nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}Z"
    return quoted(str(value))


def printable(content: str) -> str:
    """Return all of *content* with nothing in it that steers a terminal."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in content)


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell
