"""Print the story, and stop it if it is not true."""

from __future__ import annotations

from datetime import datetime
from textwrap import wrap
from typing import TextIO, TypeVar

import rmz_async

__all__ = ("Teller", "UnexpectedError", "check", "day", "known")

T = TypeVar("T")

_WIDTH = 80
_BOLD, _FAINT, _GREEN, _RED = "1", "2", "32", "31"


class UnexpectedError(Exception):
    """A step did not end as it should."""


def check(holds: bool, claim: str) -> None:
    """Go on if *holds*; end the demonstration otherwise."""
    if not holds:
        raise UnexpectedError(claim)


def known(value: T | None, claim: str) -> T:
    """Return *value* if it is there; end the demonstration otherwise."""
    if value is None:
        raise UnexpectedError(claim)
    return value


class Teller:
    """Prints chapters, and what became of the subscription in each."""

    def __init__(self, stream: TextIO, *, coloured: bool) -> None:
        self._stream = stream
        self._coloured = coloured

    def line(self, text: str = "") -> None:
        """Print a line that belongs to no chapter."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def chapter(self, now: datetime, title: str) -> None:
        """Begin a chapter on the day that the sandbox's clock shows."""
        self.line()
        self.line(self._in(_BOLD, f"{day(now):<13}{title}"))

    def say(self, text: str) -> None:
        """Print a sentence."""
        for line in wrap(text, _WIDTH - 4):
            self.line(f"    {line}")

    def event(self, event: rmz_async.Event) -> None:
        """Print a verified webhook."""
        self.line(self._in(_FAINT, f"    ← {event.event}"))

    def state(self, subscription: rmz_async.Subscription) -> None:
        """Print a subscription as the API has just returned it."""
        end = subscription.current_period_end
        may_enter = subscription.grants_access
        access = self._in(_GREEN if may_enter else _RED, "access" if may_enter else "no access")
        until = f", period until {day(end)}" if end is not None else ""
        self.line(f"    = {subscription.status}: {access}{until}")

    def _in(self, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._coloured else text


def day(moment: datetime) -> str:
    """Return the day as people write it, in the same letters everywhere."""
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
