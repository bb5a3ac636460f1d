"""The command line as a whole: its commands, its help, and its errors on one line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from enum import IntEnum
from typing import NoReturn

__all__ = ("PROGRAM", "CommandError", "Commands", "ExitCode", "Parser")

PROGRAM = "python -m rmz_async.sandbox"
_EPILOG = """\
Without a command the sandbox is served: 'serve' may be left out.
'%(prog)s COMMAND --help' shows the options of a command.

exit codes:
  0  done; for 'serve': stopped by Ctrl-C or SIGTERM
  1  the command could not be done, or a delivery failed
  2  the command line, or a file that it names, is wrong
  3  no sandbox answers at the address
"""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """End the program."""
        line = " ".join(message.split())
        self.exit(ExitCode.USAGE, f"{self.prog}: error: {line}; --help lists the options\n")


class Commands:
    """The commands, each with the function that carries it out."""

    def __init__(
        self,
        program: str = PROGRAM,
        formatter: type[argparse.HelpFormatter] = argparse.RawDescriptionHelpFormatter,
    ) -> None:
        self._formatter = formatter
        self.parser: Parser = Parser(
            prog=program,
            description="A local RMZ for tests and demonstrations.",
            epilog=_EPILOG,
            formatter_class=formatter,
            allow_abbrev=False,
        )
        self._commands = self.parser.add_subparsers(
            title="commands", metavar="COMMAND", required=True, parser_class=Parser
        )

    def add(self, name: str, carry_out: Callable[[argparse.Namespace], int], about: str) -> Parser:
        """Return the parser of a new command.

        Args:
            name: The word that chooses it.
            carry_out: Takes the parsed arguments, and returns the exit code.
            about: The sentence in the help.
        """
        parser = self._commands.add_parser(
            name,
            help=about,
            description=about,
            formatter_class=self._formatter,
            allow_abbrev=False,
        )
        parser.set_defaults(carry_out=carry_out)
        return parser


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
