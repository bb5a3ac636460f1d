"""A command, from its words to its exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from rmz_async._extras import extra
from rmz_async.cli._access import CANNOT_SAY
from rmz_async.cli._application import application
from rmz_async.cli._options import Options, command_first
from rmz_async.cli._printing import console, print_sentence, printable
from rmz_async.cli._sentences import in_language
from rmz_async.cli._wording import (
    RIGHT_TO_LEFT,
    language,
    language_of,
    text,
    use_language,
    without_marks,
)
from rmz_async.errors import OutcomeUnknownError, RMZError

with extra("cli", needed_by="The command rmz"):
    from cyclopts import CycloptsError


def run(words: Sequence[str]) -> int:
    """Carry out the command of *words*, and return its exit code."""
    # Somebody may have copied a number from a table with its marks of direction.
    words = [without_marks(word) for word in words]
    use_language(language_of(words))
    # The code 1 of this command says that the user has no access, which no failure has shown.
    failed = CANNOT_SAY if words[:1] == ["access"] else 1
    if sys.stderr is None:
        # Nobody reads it, and an error must not go to the standard output in its place.
        sys.stderr = io.StringIO()
    if sys.stdout is None:
        print(text("rmz: there is no standard output"), file=sys.stderr)
        return failed
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        # A terminal that has no Arabic letters shows their numbers, and no traceback; nor is there
        # one for somebody who types the bytes of another encoding.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if words[:1] == ["webhooks"]:
        words = command_first(words)
    help_console = console(Options(color="--no-color" not in words), whole_lines=False)
    try:
        code = application()(words, console=help_console, exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except (CycloptsError, OSError, RMZError) as error:
        if "--debug" in words and not isinstance(error, (CycloptsError, BrokenPipeError)):
            raise
        return _failed(error, failed)
    return code if isinstance(code, int) else 0


def _failed(error: CycloptsError | OSError | RMZError, code: int) -> int:
    """Say why a command failed, and return its exit code; *code* unless the error has its own."""
    begin = ""
    match error:
        case CycloptsError():
            error.verbose = False
            reason, code = in_language(str(error)), 2
            begin = RIGHT_TO_LEFT if language() == "ar" else ""
        case RMZError():
            reason = f"{type(error).__name__}: {printable(str(error))}"
            code = 4 if isinstance(error, OutcomeUnknownError) else code
        case _:
            # Python flushes stdout as it exits, and would print an error.
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if isinstance(error, BrokenPipeError):
                # The reader has enough.
                return code
            reason = f"{type(error).__name__}: {error.strerror or error}"
    print_sentence(f"{begin}rmz: {reason}", sys.stderr, is_translated=bool(begin))
    return code
