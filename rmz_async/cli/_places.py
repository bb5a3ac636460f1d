"""The inbox that a command is about."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from rmz_async._extras import extra

with extra("cli", needed_by="The command rmz"):
    from cyclopts import Parameter

_NAMES = ("--inbox", "--receiver")


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Place:
    """The inbox.

    Attributes:
        inbox: The address of the inbox, sqlite:///… or postgresql://…; RMZ_INBOX if left out.
        receiver: Your receiver, as module:name; RMZ_RECEIVER if left out.
    """

    inbox: str | None = None
    receiver: str | None = None


def command_first(words: Sequence[str]) -> list[str]:
    """Return *words* with the options of the place behind the command, if they stand before."""
    rest, places = list(words[1:]), list[str]()
    while rest and rest[0].partition("=")[0] in _NAMES:
        count = 1 if "=" in rest[0] else 2
        places += rest[:count]
        rest = rest[count:]
    return [*words[:1], *rest, *places]
