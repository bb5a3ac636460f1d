"""Objects of one kind: one in full, or a walk over many."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from typing import TypeVar

from rmz_async._extras import extra
from rmz_async.cli._options import Options
from rmz_async.cli._printing import console, print_document, print_rows
from rmz_async.cli._wording import text
from rmz_async.models import Model

with extra("cli", needed_by="The command rmz"):
    from rich.progress import Progress, SpinnerColumn, TextColumn

M = TypeVar("M", bound=Model)


async def print_walk(
    walk: AsyncIterable[M],
    summary: Callable[[M], Mapping[str, object]],
    headings: tuple[str, ...],
    options: Options,
    *,
    limit: int | None,
) -> None:
    """Print the items of *walk*, at most *limit*; JSON as they come, all else at the end."""
    found: list[M] = []
    error_output = console(options, sys.stderr)
    columns = (SpinnerColumn(), TextColumn(text("{task.completed} read")))
    with Progress(
        *columns, console=error_output, transient=True, disable=not error_output.is_terminal
    ) as progress:
        task = progress.add_task("", total=None)
        async for item in walk:
            if options.json:
                print_document(item.to_dict())
            found.append(item)
            progress.advance(task)
            if len(found) == limit:
                break
    if not options.json:
        print_rows([summary(item) for item in found], headings, options)


def print_each(
    items: Iterable[M],
    summary: Callable[[M], Mapping[str, object]],
    headings: tuple[str, ...],
    options: Options,
) -> None:
    """Print objects that are there already."""
    found = list(items)
    if options.json:
        for item in found:
            print_document(item.to_dict())
    else:
        print_rows([summary(item) for item in found], headings, options)


def print_records(
    records: Iterable[Mapping[str, object]], headings: tuple[str, ...], options: Options
) -> None:
    """Print what is no object of RMZ's, in JSON with exact decimals as strings."""
    rows = list(records)
    if options.json:
        for row in rows:
            print_document(row)
    else:
        print_rows(rows, headings, options)
