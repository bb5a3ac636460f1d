"""The command ``rmz``; it needs the extra ``cli``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rmz_async.errors import MissingExtraError

__all__ = ("main",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command, and print the result.

    Args:
        arguments: The command line without the program's name; None for the process's own.

    Returns:
        The exit code; the page "The command line" of the documentation lists them.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        from rmz_async.cli._running import run

        return run(words)
    except KeyboardInterrupt:
        # By custom, 128 and the number of the signal.
        return 130
    except MissingExtraError as error:
        print(f"rmz: {error}", file=sys.stderr)
        return 2
