"""The command line: ``python -m rmz_async.sandbox`` serves a sandbox, or asks one that runs."""

from __future__ import annotations

import sys
import threading
from argparse import HelpFormatter, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence

from rmz_async.sandbox._printing import readable_output
from rmz_async.sandbox.commands.asking import add_asking
from rmz_async.sandbox.commands.parsing import PROGRAM, CommandError, Commands
from rmz_async.sandbox.commands.serving import add_serving
from rmz_async.sandbox.scenarios.command import add_scenarios

__all__ = ("main",)

# No code sets it: only a signal ends the wait.
_NEVER = threading.Event()


@readable_output()
def main(
    arguments: Sequence[str] | None = None,
    *,
    wait: Callable[[], object] = _NEVER.wait,
    program: str = PROGRAM,
    formatter: type[HelpFormatter] = RawDescriptionHelpFormatter,
) -> int:
    """Carry out one command.

    Args:
        arguments: The command line; None for the process's own.
        wait: Blocks as long as a sandbox is to be served; without an end by default.
        program: The name in the help.
        formatter: Writes the help, perhaps in another language.

    Returns:
        The exit code of the command.

    Raises:
        SystemExit: The command failed, with its exit code; its message has been printed.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help")):
        words.insert(0, "serve")
    commands = Commands(program, formatter)
    add_serving(commands, wait)
    add_asking(commands)
    add_scenarios(commands)
    given = commands.parser.parse_args(words)
    try:
        code: int = given.carry_out(given)
    except CommandError as failure:
        commands.parser.exit(failure.code, f"{commands.parser.prog}: error: {failure}\n")
    except KeyboardInterrupt:
        # By custom, 128 and the number of the signal.
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())
