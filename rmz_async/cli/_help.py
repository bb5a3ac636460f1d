"""The help of the command in the language in use."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import attrs

from rmz_async._extras import extra
from rmz_async.cli._direction import Cell, Lines
from rmz_async.cli._sentences import in_language
from rmz_async.cli._wording import language, text

with extra("cli", needed_by="The command rmz"):
    from cyclopts.help import ColumnSpec, HelpEntry, HelpPanel, InlineText, PanelSpec
    from cyclopts.help.formatters import DefaultFormatter
    from cyclopts.help.specs import get_default_command_columns, get_default_parameter_columns
    from rich.box import HORIZONTALS
    from rich.console import Console, ConsoleOptions
    from rich.markdown import Markdown
    from rich.text import Text

# The names of a switch say already how it is off.
_PLAIN = ("True", "False", "()")


class HelpInLanguage(DefaultFormatter):
    """Writes the help with cyclopts' own layout; docstrings are the keys of the catalogue."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Print one panel."""
        entries = [
            each.copy(
                description=_Noted(_in_language(each.description)),
                default=None if each.default in _PLAIN else each.default,
            )
            for each in panel.entries
        ]
        panel = panel.copy(title=text(str(panel.title)), entries=entries)
        if language() != "ar":
            super().__call__(console, options, panel)
            return
        with _line_by_line(console):
            _unboxed(panel)(console, options, panel)

    def render_usage(self, console: Console, options: ConsoleOptions, usage: Any) -> None:
        """Print the line that shows how to call the command."""
        line = str(usage).strip()
        console.print(Text(text("Usage: %(line)s", line=line), style="bold"), soft_wrap=True)
        console.print()

    def render_description(
        self, console: Console, options: ConsoleOptions, description: Any
    ) -> None:
        """Print the text at the beginning."""
        description.primary_renderable = _in_language(description)
        with _line_by_line(console):
            super().render_description(console, options, description)


@contextmanager
def _line_by_line(console: Console) -> Generator[None]:
    """Print what is printed meanwhile, each line from the side on which the language begins."""
    with console.capture() as captured:
        yield
    printed = captured.get().removesuffix("\n")
    console.print(Lines(Text.from_ansi(printed)))


def _unboxed(panel: HelpPanel) -> DefaultFormatter:
    """Return a formatter without lines at the sides, which a terminal would draw out of place."""
    is_command = panel.format == "command"
    by_default = get_default_command_columns if is_command else get_default_parameter_columns

    def columns(
        console: Console, options: ConsoleOptions, entries: Sequence[HelpEntry]
    ) -> tuple[ColumnSpec, ...]:
        return tuple(
            attrs.evolve(spec, renderer=_in_cell(spec.renderer))
            for spec in by_default(console, options, list(entries))
        )

    return DefaultFormatter(column_specs=columns, panel_spec=PanelSpec(box=HORIZONTALS))


def _in_cell(render: Any) -> Any:
    def rendered(entry: HelpEntry) -> Cell:
        return Cell(render(entry))

    return rendered


class _Noted(InlineText):
    """A description behind which cyclopts puts notes, such as the default."""

    def append(self, text: Text) -> None:
        """Add a note."""
        super().append(Text(in_language(text.plain), style=text.style))


def _in_language(description: Any) -> Any:
    """Return a text of cyclopts', translated by paragraphs."""
    written = getattr(description, "primary_renderable", description)
    if not isinstance(written, Markdown):
        return written
    paragraphs = written.markup.strip().split("\n\n")
    return Markdown("\n\n".join(text(" ".join(each.split())) for each in paragraphs if each))
