"""The proof that paywalls wrong nobody, over days of a shop of 10,000 users in simulated time.

Each day has a sandbox with its rate limits and its faults, and 1, 4 or 8 servers, with webhooks and
without. In the days called outages RMZ is down for an hour, and in the middle of it a server ends
and another one starts, which knows the payers from a file or from Redis. A server is a `Paywall`
with a client and a memory of its own. All of them live in this program, on one simulated clock, and
share a real Redis. With ``--processes`` each server is a process of its own, and the clock stands
still while any of them is at work; in an outage, a process that shares a Redis is killed. A referee
compares each answer with the tables of the sandbox.

The program ends with 1 if RMZ had to refuse a request, if a payer is refused, if a known payer is
asked to come back, if somebody is let in who has never paid, past the end of a period, or too long
after a subscription was taken away. ``--broken`` breaks the paywall in several ways, and ends with
1 if the referee does not notice one of them.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from tests.day.playing import Result

MUST_BE_NONE = (
    "answers of 429",
    "503 for a known payer",
    "payers refused",
    "unknown users admitted",
    "admitted past the end of a period",
    "access kept for too long",
)
ALSO = (
    "answers",
    "answers while no slot came in time",
    "503 for a payer nobody knows",
    "503 for others",
    "events",
    "changes",
)

DAYS: dict[str, dict[str, Any]] = {
    f"{servers} servers, webhooks {'on' if webhooks else 'off'}": {
        "servers": servers,
        "webhooks": webhooks,
    }
    for servers in (1, 4, 8)
    for webhooks in (True, False)
}
OUTAGES: dict[str, dict[str, Any]] = {
    "outage, 1 server, from a file": {"servers": 1, "snapshots": True},
    "outage, 1 server, from Redis": {"servers": 1, "shared": True},
    "outage, 1 server, from a file, webhooks off": {
        "servers": 1,
        "snapshots": True,
        "webhooks": False,
    },
    "outage, 4 servers, from Redis": {"servers": 4},
    "outage, 4 servers, from Redis, webhooks off": {"servers": 4, "webhooks": False},
    "outage, 8 servers, from Redis": {"servers": 8},
    "outage, 8 servers, from Redis, webhooks off": {"servers": 8, "webhooks": False},
}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Play days of a shop against its paywalls.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--hours", type=float, default=24.0, help="of a day; an outage takes 5")
    parser.add_argument("--checks", type=float, default=3.0, help="page views a second, on average")
    parser.add_argument("--only", metavar="NAME", help="a day, or all whose name has this in it")
    parser.add_argument("--processes", action="store_true", help="make each server a process")
    parser.add_argument("--broken", action="store_true", help="break the paywall instead")
    return parser.parse_args()


def main() -> int:
    """Play the days, print what the referee says, and return the program's exit status."""
    given = arguments()
    began, cores, load = time.monotonic(), os.cpu_count(), os.getloadavg()[0]
    print(f"Python {platform.python_version()}, {cores} cores, load {load:.1f}, seed {given.seed}")
    if given.broken:
        from tests.day.broken import BROKEN

        names, play = list(BROKEN), play_broken
    else:
        names, play = [*DAYS, *OUTAGES], play_day
    names = [name for name in names if given.only is None or given.only in name]
    size = (given.seed, given.users, given.hours, given.checks, given.processes)
    tasks = [(name, *size) for name in names]
    with ProcessPoolExecutor(cores) as processes:
        passed = [report(*found) for found in processes.map(play, tasks)]
    print(f"{passed.count(True)} of {len(passed)} passed, {time.monotonic() - began:.0f} s")
    return 0 if names and all(passed) else 1


Task: TypeAlias = tuple[str, int, int, float, float, bool]
"""The name, seed, users, hours, page views a second, and whether servers are processes."""


def play_day(task: Task) -> tuple[str, Result, bool]:
    """Play a day."""
    from tests.day.playing import Plan, play

    name, seed, users, hours, checks, processes = task
    logging.disable(logging.CRITICAL)
    options: dict[str, Any] = DAYS.get(name, {})
    if not options:
        # The story begins at night, and knows most of the payers after some hours.
        options = {"outage": (180.0, 240.0), "restart": 210.0, **OUTAGES[name]}
        hours, checks = 5.0, 2 * checks
    size: dict[str, Any] = {"users": users, "hours": hours, "checks": checks}
    result = play(Plan(seed=seed, processes=processes, **size, **options))
    return name, result, not result.wrong


def play_broken(task: Task) -> tuple[str, Result, bool]:
    """Play a day with a broken paywall."""
    from tests.day.broken import BROKEN
    from tests.day.playing import play

    logging.disable(logging.CRITICAL)
    broken = BROKEN[task[0]]
    with broken.make():
        result = play(broken.plan)
    return task[0], result, result.counts.get(broken.wrong, 0) > 0


def report(name: str, result: Result, passed: bool) -> bool:
    """Print a day."""
    print(f"\n{name}: {'passed' if passed else 'FAILED'}")
    counts = result.counts
    for count in (*MUST_BE_NONE, *ALSO):
        print(f"  {count:<45} {counts.get(count, 0):>9,}")
    requests = sum(number for key, number in counts.items() if key.startswith("RMZ answered"))
    print(f"  {'requests that RMZ answered':<45} {requests:>9,}")
    print(f"  {'the longest access after a subscription, s':<45} {result.kept:>9.1f}")
    print(f"  {'the oldest refusal of a payer, s':<45} {result.early:>9.1f}")
    print(f"  {'the largest stretch of the lifetimes':<45} {result.stretch:>9.1f}")
    print(f"  {'the largest `hard` that a paywall named, s':<45} {result.hard:>9.1f}")
    shown: Counter[str] = Counter()
    for wrong in result.wrong:
        kind = wrong.partition(":")[0]
        shown[kind] += 1
        if shown[kind] <= 3:
            print(f"    {wrong}")
    sys.stdout.flush()
    return passed


# Last, so that an installed package is what is tested.
sys.path.append(str(Path(__file__).parents[2]))

if __name__ == "__main__":
    sys.exit(main())
