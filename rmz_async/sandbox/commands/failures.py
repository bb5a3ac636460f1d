"""A command that fails: one line for people, and an exit code for programs."""

from __future__ import annotations

from enum import IntEnum

__all__ = ("CommandError", "ExitCode")


class ExitCode(IntEnum):
    """The exit codes of all commands."""

    DONE = 0
    FAILED = 1
    """The command was understood, and could not be done."""
    USAGE = 2
    """The command line, or a file that it names, is wrong."""
    NO_SANDBOX = 3
    """No sandbox answers at the address."""


class CommandError(Exception):
    """The command ends with this message, on one line."""

    def __init__(self, message: str, code: ExitCode) -> None:
        super().__init__(" ".join(message.split()))
        self.code = code
