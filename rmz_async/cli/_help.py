"""The help of the command in the language in use."""

from __future__ import annotations

from typing import Any

from rmz_async._extras import extra
from rmz_async.cli._sentences import in_language
from rmz_async.cli._wording import text

with extra("cli", needed_by="The command rmz"):
    from cyclopts.help import HelpPanel, InlineText
    from cyclopts.help.formatters import DefaultFormatter
    from rich.console import Console, ConsoleOptions
    from rich.markdown import Markdown
    from rich.text import Text

__all__ = ("HelpInLanguage",)

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
        super().__call__(
            console, options, panel.copy(title=text(str(panel.title)), entries=entries)
        )

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
        super().render_description(console, options, description)


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
