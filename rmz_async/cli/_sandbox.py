"""``rmz sandbox``: the commands of the sandbox, which read their own words."""

from __future__ import annotations

import re
import sys
from argparse import Action, RawDescriptionHelpFormatter
from collections.abc import Iterable
from typing import Annotated, Any

from rmz_async._extras import extra
from rmz_async.cli._wording import END, ISOLATE, RIGHT_TO_LEFT, language, text, without_language

with extra("cli", needed_by="The command rmz"):
    from cyclopts import Parameter

Words = Annotated[str, Parameter(show=False, allow_leading_hyphen=True)]

# Two spaces or more stand between two columns.
_COLUMN = re.compile(r"\S+(?: \S+)*")


def sandbox(*words: Words) -> int:
    """Serve a local RMZ, or ask one that runs."""
    from rmz_async.sandbox.__main__ import main

    return main(without_language(words), program="rmz sandbox", formatter=_HelpInLanguage)


class _HelpInLanguage(RawDescriptionHelpFormatter):
    """Writes the help with argparse's own layout; its texts are the keys of the catalogue."""

    # argparse also writes usage with a prefix of its own, and makes the name of a command of it.
    _is_marked = False

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        """Add the line that shows how to call the command."""
        if prefix is None:
            prefix = text("usage: ")
            self._is_marked = language() == "ar" and sys.stdout.isatty()
        super().add_usage(usage, actions, groups, prefix)

    def start_section(self, heading: str | None) -> None:
        """Begin a list of options or commands."""
        super().start_section(_translated(heading))

    def add_text(self, text: str | None) -> None:
        """Add a paragraph."""
        super().add_text(_translated(text))

    def _get_help_string(self, action: Action) -> str | None:
        return _translated(action.help)

    def format_help(self) -> str:
        """Return the help; on a terminal each line begins at the side of the language."""
        written = super().format_help()
        if not self._is_marked:
            return written
        lines = _COLUMN.sub(rf"{ISOLATE}\g<0>{END}", written).splitlines()
        return "".join(f"{RIGHT_TO_LEFT}{line}\n" for line in lines)


def _translated(written: str | None) -> str | None:
    return written and text(written.strip())
