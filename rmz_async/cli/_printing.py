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
from rmz_async.cli._wording import MARKS, text

with extra("cli", needed_by="The command rmz"):
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

__all__ = (
    "console",
    "print_document",
    "print_line",
    "print_rows",
    "print_sentence",
    "printable",
    "shown",
)

_FREE_TEXT = ("about", "error", "handler", "name", "plan", "product", "reason", "user")
_WITHOUT_END = 100_000
_LEAST_WORDS, _GAP = 12, 2
# The last four are the wide forms, which some spreadsheets take for the first four.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")

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
        writer.writerows([_cell(row[key]) for key in headings] for row in rows)
        return
    # Somebody's words must neither style the table nor steer the terminal.
    cells = [[Text(shown(row[key]) or "-") for key in headings] for row in rows]
    table = Table(box=None, pad_edge=False, header_style="bold")
    least = 0
    for index, heading in enumerate(headings):
        # A number that is cut is a wrong number; the words of a shop may take several lines.
        whole = heading not in _FREE_TEXT
        table.add_column(text(heading), overflow="fold", no_wrap=whole)
        widest = max(map(cell_len, [text(heading), *(line[index].plain for line in cells)]))
        least += min(widest, _LEAST_WORDS) if not whole else widest
    for line in cells:
        table.add_row(*line)
    output = console(options)
    # A terminal that is narrower than that breaks the lines itself.
    output.width = max(output.width, least + _GAP * (len(headings) - 1))
    output.print(table)


def print_document(document: object) -> None:
    """Print one JSON document on one line, with nothing in it that steers a terminal."""
    written = json.dumps(document, ensure_ascii=False, default=str)
    print("".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in written))


def print_sentence(sentence: str) -> None:
    """Print a sentence with its marks of direction, and with nothing else that steers."""
    print("".join(each if each in MARKS else printable(each) for each in sentence))


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


def _cell(value: object) -> str:
    cell = shown(value)
    # A spreadsheet would run a cell that begins like a formula; only a number may have a sign.
    is_formula = isinstance(value, str) and cell.startswith(_FORMULA)
    return f"'{cell}" if is_formula else cell
