"""A command, from its words to its exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from rmz_async._extras import extra
from rmz_async.cli._application import application
from rmz_async.cli._options import Options
from rmz_async.cli._printing import console, printable
from rmz_async.cli._sentences import in_language
from rmz_async.cli._wording import language_of, use_language
from rmz_async.errors import OutcomeUnknownError, RMZError

with extra("cli", needed_by="The command rmz"):
    from cyclopts import CycloptsError

__all__ = ("run",)


def run(words: Sequence[str]) -> int:
    """Carry out the command of *words*, and return its exit code."""
    use_language(language_of(words))
    for stream in (sys.stdout, sys.stderr):
        # A terminal that has no Arabic letters shows their numbers, and no traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        help_console = console(Options(color="--no-color" not in words), whole_lines=False)
        code = application()(
            list(words), console=help_console, exit_on_error=False, print_error=False
        )
        sys.stdout.flush()
    except CycloptsError as error:
        error.verbose = False
        print(f"rmz: {in_language(str(error))}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader has enough. Python would complain while it flushes what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        # By custom, 128 and the number of the signal.
        return 130
    except RMZError as error:
        if "--debug" in words:
            raise
        print(f"rmz: {type(error).__name__}: {printable(str(error))}", file=sys.stderr)
        return 4 if isinstance(error, OutcomeUnknownError) else 1
    return code if isinstance(code, int) else 0
