"""Objects as a table, as comma-separated values or as JSON."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import compress
from typing import TextIO

from rmz_async._calls.refusals import quoted
from rmz_async._extras import extra
from rmz_async.cli._direction import Cell, Lines
from rmz_async.cli._options import Options
from rmz_async.cli._wording import MARKS, text

with extra("cli", needed_by="The command rmz"):
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_FREE_TEXT = ("error", "handler", "name", "plan", "product", "reason", "user")
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
    console = _Console(file=file or sys.stdout, no_color=True if not options.color else None)
    if whole_lines and not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WITHOUT_END
    return console


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let the command choose its exit code: rich itself would exit with 1."""
        raise BrokenPipeError


def print_rows(rows: Sequence[Row], headings: Sequence[str], options: Options) -> None:
    """Print *rows* as a table, or as comma-separated values."""
    if options.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(headings)
        writer.writerows([_cell(row[key]) for key in headings] for row in rows)
        return
    # Somebody's words must neither style the table nor steer the terminal.
    cells = [[Text(_in_table(row[key])) for key in headings] for row in rows]
    names = [Text(text(key)) for key in headings]
    # A number that is cut is a wrong number; the words of a shop may take several lines.
    whole = [key not in _FREE_TEXT for key in headings]
    least = _GAP * (len(headings) - 1)
    for index, is_whole in enumerate(whole):
        widest = max(line[index].cell_len for line in [names, *cells])
        least += widest if is_whole else min(widest, _LEAST_WORDS)
    output = console(options)
    if least <= output.width:
        output.print(Lines(_table(names, cells, whole)))
    else:
        _print_stacked(names, cells, whole, output)


def _table(names: Sequence[Text], cells: Sequence[Sequence[Text]], whole: Sequence[bool]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, is_whole in zip(names, whole, strict=True):
        table.add_column(Cell(name), overflow="fold", no_wrap=is_whole)
    for line in cells:
        table.add_row(*map(Cell, line))
    return table


def _print_stacked(
    names: Sequence[Text],
    cells: Sequence[Sequence[Text]],
    whole: Sequence[bool],
    output: Console,
) -> None:
    """Print each row as lines of its own, for a terminal that has no room for the columns."""
    widest = max(name.cell_len for name in names)
    least = [_LEAST_WORDS, *(cell.cell_len for line in cells for cell in compress(line, whole))]
    # A terminal that is narrower than that breaks the lines itself.
    output.width = max(output.width, widest + _GAP + max(least))
    for number, line in enumerate(cells):
        if number:
            output.print()
        block = Table(box=None, pad_edge=False, show_header=False)
        block.add_column(style="bold", no_wrap=True, min_width=widest)
        block.add_column(overflow="fold")
        for name, cell in zip(names, line, strict=True):
            block.add_row(Cell(name), Cell(cell))
        output.print(Lines(block))


def _in_table(value: object) -> str:
    return text(shown(value)) if isinstance(value, bool) else shown(value) or "-"


def print_document(document: object) -> None:
    """Print one JSON document on one line, with nothing in it that steers a terminal."""
    # Python writes what an encoding lacks as "\\xe9" or "\\U0001f600", which is no JSON.
    is_unicode = (sys.stdout.encoding or "utf").lower().startswith("utf")
    written = json.dumps(document, ensure_ascii=not is_unicode, default=str)
    print("".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in written))


def print_sentence(
    sentence: str, file: TextIO | None = None, *, is_translated: bool = True
) -> None:
    """Print a sentence with its marks of direction, and with nothing else that steers.

    Args:
        sentence: A single line.
        file: The output; the standard one if left out.
        is_translated: Whether the sentence is in the language in use.
    """
    line = "".join(each if each in MARKS else printable(each) for each in sentence)
    output = console(Options(color=False), file)
    if output.is_terminal:
        # A terminal itself would break the line in the middle of a word.
        output.print(Lines(Text(line)) if is_translated else Text(line))
    else:
        print(line, file=file)


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
