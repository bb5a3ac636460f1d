"""The proof that whoever has paid is let in, over many stories; see `interleavings`.

The program ends with 1 if a redirect is not answered with access, or if a customer is refused
after a redirect or a webhook. Each such story is printed with the option that plays it again.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import anyio

LOOPS = ("asyncio", "trio")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Play stories of customers who pay.")
    parser.add_argument("--stories", type=int, default=10_000, help="half of them on each loop")
    parser.add_argument("--seed", type=int, default=0, help="of the first story")
    parser.add_argument("--only", type=int, metavar="SEED", help="a story, as it is printed")
    return parser.parse_args()


def main() -> int:
    """Play the stories, print who was wronged, and return the program's exit status."""
    given = arguments()
    if given.only is None:
        seeds = list(range(given.seed, given.seed + given.stories))
    else:
        seeds = [given.only]
    began, wronged = time.monotonic(), 0
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        for seed, problems in processes.map(play, seeds, chunksize=20):
            for problem in problems:
                print(f"--only {seed}: {problem}", flush=True)
            wronged += bool(problems)
    seconds = time.monotonic() - began
    print(f"{len(seeds)} stories, {wronged} customers wronged, {seconds:.0f} s")
    return 1 if wronged else 0


def play(seed: int) -> tuple[int, list[str]]:
    """Play a story on the event loop of its seed."""
    from tests.paywall.interleavings import problems_of, story_of

    return seed, anyio.run(problems_of, story_of(seed), backend=LOOPS[seed % len(LOOPS)])


# Last, so that an installed package is what is tested.
sys.path.append(str(Path(__file__).parents[2]))

if __name__ == "__main__":
    sys.exit(main())
