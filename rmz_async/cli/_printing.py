"""Objects as a table, as comma-separated values or as JSON."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TextIO

from rmz_async._calls.refusals import quoted
from rmz_async._extras import extra
from rmz_async.cli._options import Options

with extra("cli", needed_by="The command rmz"):
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

__all__ = ("console", "print_document", "print_rows", "shown")

Row = Mapping[str, object]


def console(options: Options, file: TextIO | None = None) -> Console:
    """Return a console that writes colours only where they are wanted."""
    return Console(file=file or sys.stdout, no_color=True if not options.color else None)


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
        table.add_column(heading, overflow="ellipsis", no_wrap=True)
    for row in rows:
        # Somebody's words must neither style the table nor steer the terminal.
        table.add_row(*(Text(shown(row[key]) or "-") for key in headings))
    console(options).print(table)


def print_document(document: object) -> None:
    """Print one JSON document on one line."""
    print(json.dumps(document, ensure_ascii=False))


def shown(value: object) -> str:
    """Return a value as one line; a time in UTC, and nothing for None."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}Z"
    return quoted(str(value))


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell
