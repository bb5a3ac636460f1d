"""The help of the command in the language in use."""

from __future__ import annotations

from typing import Any

from rmz_async._extras import extra
from rmz_async.cli._wording import text

with extra("cli", needed_by="The command rmz"):
    from cyclopts.help import HelpPanel
    from cyclopts.help.formatters import DefaultFormatter
    from rich.console import Console, ConsoleOptions
    from rich.markdown import Markdown

__all__ = ("HelpInLanguage",)


class HelpInLanguage(DefaultFormatter):
    """Writes the help with cyclopts' own layout; docstrings are the keys of the catalogue."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Print one panel."""
        entries = [each.copy(description=_in_language(each.description)) for each in panel.entries]
        super().__call__(
            console, options, panel.copy(title=text(str(panel.title)), entries=entries)
        )

    def render_description(
        self, console: Console, options: ConsoleOptions, description: Any
    ) -> None:
        """Print the text at the beginning."""
        super().render_description(console, options, _in_language(description))


def _in_language(description: Any) -> Any:
    """Return a text of cyclopts' with the same notes behind it, such as the default."""
    written = getattr(description, "primary_renderable", None)
    if isinstance(written, Markdown):
        paragraphs = written.markup.strip().split("\n\n")
        translated = "\n\n".join(text(" ".join(each.split())) for each in paragraphs if each)
        description.primary_renderable = Markdown(translated)
    return description
