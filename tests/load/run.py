"""The proof that the webhooks' effects happen once, whatever dies on the way.

- crowd: deliveries over HTTP to a real server, in any order, some twice, some forged. Two workers
  run their handlers, and are killed on the way; PostgreSQL, or the process that serves SQLite, is
  restarted.
- kills: processes that receive and work at the same time, each killed at a named point, while
  another one goes on with what they leave. Some meet a full disk, a locked database, or a clock
  that was put back. RMZ, played by this program, delivers again what was not answered.
- mutants: deliveries that were touched, and never accepted; and such as were touched before RMZ
  signed them, which are always stored.

Each effect is a row without a key, so that one that happens twice is seen. The program ends with 1
if an effect is lost, doubled or of an event that RMZ has not sent, if a mutant is accepted or
raises an exception, or, in the long form, if a task is taken over later than `LATEST` seconds after
its lease. Each fault is printed with the option that plays it again.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LATEST = 2.0


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Kill receivers, and count the effects.")
    parser.add_argument("--short", action="store_true", help="a part of all, in 20 seconds")
    parser.add_argument("--seed", type=int, default=1, help="of all parts")
    parser.add_argument("--kills", type=int, default=10_000, help="of both databases together")
    parser.add_argument("--bench", action="store_true", help="measure only; fails nothing")
    parser.add_argument("--only", metavar="NAME", help="a part, as it is printed")
    parser.add_argument("--part", nargs=4, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Run the proof, print its tables, and return the program's exit status."""
    # Last, so that an installed package is what is tested.
    sys.path.append(str(Path(__file__).parents[2]))
    given = arguments()
    if given.part is not None:
        print(json.dumps(play(*given.part)))
        return 0
    if given.bench:
        bench()
        return 0
    if given.only is not None:
        return judge(given.only, in_processes([part_of(given.only)]), timed=False)
    began = time.monotonic()
    print(f"Python {platform.python_version()}, seed {given.seed}", flush=True)
    status = 0
    for title, parts in (short if given.short else long)(given).items():
        status |= judge(title, in_processes(parts), timed=not given.short)
    print(f"\n{time.monotonic() - began:.0f} s\n{'failed' if status else 'passed'}")
    return status


def bench() -> None:
    """Measure what the inbox costs, and print the table of docs/cost.md."""
    from tests.load import figures

    rows: list[figures.Figure] = []
    for row in figures.measured():
        print(row, file=sys.stderr, flush=True)
        rows.append(row)
    print(figures.table(rows))


Part = tuple[str, str, int, int]
"""The kind, the database, the seed and the size."""


def short(given: argparse.Namespace) -> dict[str, list[Part]]:
    """Return the parts of the short form, which all run at the same time."""
    seed = given.seed
    kills: list[Part] = [("kills", "sqlite", seed, 30), ("kills", "postgres", seed, 12)]
    return {"short": [("crowd", "sqlite", seed, 300), *kills, ("mutants", "sqlite", seed, 2_000)]}


def long(given: argparse.Namespace) -> dict[str, list[Part]]:
    """Return the parts of the long form; those of a list run at the same time."""
    seed, half = given.seed, given.kills // 2
    return {
        "mutants": [("mutants", "sqlite", seed, 200_000)],
        "crowd, SQLite": [("crowd", "sqlite", seed, 20_000)],
        "crowd, PostgreSQL": [("crowd", "postgres", seed, 20_000)],
        "kills": [("kills", "sqlite", seed, half), ("kills", "postgres", seed, half)],
    }


def part_of(name: str) -> Part:
    """Return the part with a printed name, such as ``kills/sqlite/7``."""
    from tests.load.kills import BLOCK

    kind, database, seed = name.split("/")
    sizes = {"kills": BLOCK, "crowd": 20_000, "mutants": 200_000}
    return (kind, database, int(seed), sizes[kind])


def in_processes(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Play parts, each in a process of its own, at the same time."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-P", __file__, "--part", *map(str, part)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for part in parts
    ]
    outputs = [process.communicate()[0] for process in processes]
    for part, process in zip(parts, processes, strict=True):
        if process.returncode:
            raise SystemExit(f"{'/'.join(map(str, part[:3]))}: ended with {process.returncode}")
    return [json.loads(output.splitlines()[-1]) for output in outputs]


def play(kind: str, database: str, seed: str, size: str) -> dict[str, Any]:
    """Play a part in this process, and return its figures."""
    from tests.load import crowd, kills, mutants

    name, count = f"{kind}/{database}/{seed}", int(size)
    match kind:
        case "crowd":
            # The short form does not wait for the end of a real lease.
            lease = 30.0 if count > 1_000 else 1.0
            return {"part": name, **crowd.play(database, count, int(seed), lease)}
        case "kills":
            return {"part": name, **kills.play(database, int(seed), count).figures()}
        case _:
            return {"part": name, **mutants.play(int(seed), count, count // 10).figures()}


def judge(title: str, figures: Sequence[dict[str, Any]], *, timed: bool) -> int:
    """Print figures, and return 1 if one is not as it must be."""
    print(f"\n{title}\n")
    status = 0
    for found in figures:
        print("| " + found["part"] + " | |\n| --- | --- |")
        for name, value in found.items():
            if name != "part":
                print(f"| {name} | {value} |")
        print(flush=True)
        faults = sum(found.get(name, 0) for name in MUST_BE_0)
        status |= bool(faults) or (timed and found.get("taken over late", 0.0) > LATEST)
    return status


MUST_BE_0 = ("lost", "doubled", "unknown", "accepted", "exceptions", "hung")


if __name__ == "__main__":
    sys.exit(main())
