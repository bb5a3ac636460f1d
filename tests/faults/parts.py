"""The proof in parts, each of which runs in a process of its own."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import attrs

from tests.faults.figures import Figure, overshoot, politeness, storm
from tests.faults.judge import Tally
from tests.faults.lanes import LANES, lane_named
from tests.faults.matrix import Case, cases, play_all
from tests.faults.shop import open_shop
from tests.faults.timing import Timing
from tests.faults.walk import Walk

_PROGRAM = Path(__file__).with_name("run.py")


@attrs.frozen
class Size:
    """The part of the whole that is run.

    Attributes:
        steps: A single case out of so many of a lane is played.
        calls: The calls of the walk.
        storm: Calls after the budget is spent.
        deadlines: Calls that run into their deadline, of each kind.
    """

    steps: dict[str, int]
    calls: int
    storm: int
    deadlines: int


FULL = Size({"asyncio": 1, "trio": 3, "sync": 3, "aiohttp": 6}, 10_000, 1000, 300)
SHORT = Size({"asyncio": 20, "trio": 40, "sync": 40, "aiohttp": 80}, 600, 200, 40)
# The step in lanes whose reads cannot be believed, or whose connections are the caller's own.
_STEP_OF_OTHERS = {True: 7, False: 80}


def chosen(lane_name: str, size: Size) -> list[Case]:
    """Return the cases of a lane that are played; with fewer, each lane plays others."""
    step = size.steps.get(lane_name, _STEP_OF_OTHERS[size is FULL])
    first = [lane.name for lane in LANES].index(lane_name) * 2 % step
    return list(cases(lane_named(lane_name)))[first::step]


def matching(pattern: str) -> list[Case]:
    """Return the cases whose names have all parts of *pattern*."""
    wanted = set(pattern.split("/"))
    every = (case for lane in LANES if lane.available for case in cases(lane))
    return [
        case for case in every if wanted <= {*case.name.split("/"), case.subject.operation.name}
    ]


def play(played: list[Case]) -> Tally:
    """Play cases here."""

    async def main(of_lane: list[Case]) -> Tally:
        with open_shop() as shop:
            return await play_all(of_lane, shop)

    tally = Tally()
    for lane in LANES:
        of_lane = [case for case in played if case.lane == lane]
        if of_lane:
            tally.merge(anyio.run(main, of_lane, backend=lane.backend))
    return tally


def walk(seed: int, calls: int, only: int | None = None) -> Tally:
    """Walk here."""

    async def main() -> Tally:
        with open_shop() as shop:
            return await Walk(shop, LANES[0], seed).run(calls, only)

    return anyio.run(main)


def figures(size: Size) -> list[Figure]:
    """Measure here."""

    async def main() -> list[Figure]:
        with open_shop() as shop:
            return [
                *await storm(shop, size.storm),
                *await overshoot(shop, size.deadlines),
            ]

    async def standing() -> list[Figure]:
        with open_shop(timing=Timing(runs=False)) as shop:
            return await politeness(shop, 300)

    return [*anyio.run(main), *anyio.run(standing)]


def in_processes(parts: Iterable[list[str]]) -> list[Tally]:
    """Run each part in a process of its own, as many together as the machine has room for."""
    # They wait for time-outs now and then: one more than there are cores keeps all of them busy.
    with ThreadPoolExecutor((os.cpu_count() or 1) + 1) as threads:
        return list(threads.map(_in_process, parts))


def _in_process(arguments: list[str]) -> Tally:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-P", str(_PROGRAM), *arguments],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        timeout=1800,
    )
    tally = read(done.stdout)
    spent = time.monotonic() - began
    # A run takes minutes, and prints its tables at its end.
    print(f"{arguments[1]}: {tally.calls} verdicts in {spent:.0f} s", file=sys.stderr, flush=True)
    return tally


def write(tally: Tally) -> str:
    """Return a tally as a string, for another process."""
    return json.dumps(attrs.asdict(tally))


def read(text: str) -> Tally:
    """Read what `write` has written."""
    written = json.loads(text)
    return Tally(
        rows={row: Counter(counts) for row, counts in written["rows"].items()},
        injected=Counter(written["injected"]),
        offenders=[(name, what) for name, what in written["offenders"]],
        notes=Counter(written["notes"]),
        shares={kind: Counter(counts) for kind, counts in written["shares"].items()},
    )


def quiet() -> None:
    """Keep the client's log, which reports each fault, off the screen."""
    logging.getLogger("rmz_async").addHandler(logging.NullHandler())
    logging.getLogger("rmz_async").propagate = False
