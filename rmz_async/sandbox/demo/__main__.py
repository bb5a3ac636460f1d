"""The command line of the demonstration."""

from __future__ import annotations

import asyncio
import sys

import httpx

import rmz_async
from rmz_async.sandbox._printing import readable_output
from rmz_async.sandbox.commands.lines import has_colours
from rmz_async.sandbox.demo.story import tell_story
from rmz_async.sandbox.demo.telling import Teller, UnexpectedError

__all__ = ("main",)


@readable_output()
def main() -> int:
    """Run the demonstration; return the exit code."""
    teller = Teller(sys.stdout, coloured=has_colours(sys.stdout))
    code = 0
    try:
        asyncio.run(tell_story(teller))
    except (UnexpectedError, rmz_async.RMZError, httpx.HTTPError) as error:
        sys.stderr.write(f"\nNot as expected: {type(error).__name__}: {error}\n")
        code = 1
    except KeyboardInterrupt:
        # By custom, 128 and the number of the signal.
        code = 130
    return code


if __name__ == "__main__":
    sys.exit(main())
