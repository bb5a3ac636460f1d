"""The proof that the client's word can be trusted: its reports, beside RMZ's ledger.

A fault proxy stands between the client and a sandbox. First every operation meets every fault, at
every position, on asyncio, and in part on trio, through ``rmz_sync``, over aiohttp, with reads
that lag, with clocks that differ, and with the caller's own clients and event hooks. Then comes a
random walk of calls on a few objects, while a customer changes them, too. After each call the
report of the client is compared with the sandbox's ledger, and the call is counted in one column:

- faults injected: how often something went wrong on purpose.
- applied exactly once: reported ok, and the ledger has one effect of it since it was sent, on the
  very object that was returned. For ``orders.update``: the order is in the wanted status. Sessions
  may be made twice, by their rule; what is returned must be one of them.
- reported ok but not applied: reported ok, and the ledger has no effect of it; or what was
  returned is not what the store holds. Must be 0.
- reported ok but applied twice: the ledger has more effects than one, under any report. Must be 0.
- reported failed but applied: any error but ``OutcomeUnknownError``, and the ledger has an effect.
  Must be 0.
- another exception: none of the library's own. Must be 0.
- reported unknown: ``OutcomeUnknownError``. Its ``resolve()`` is called, in a row of its own: a
  minute later, and for what reaches RMZ late, also before it does.
- unknown without need: the same, though the fault leaves a client the means to find out. Must be
  0. `floors.py` has the reasons for which a change may be unknown; below the table stands what
  part of the changes under each kind of fault was unknown, and what part of them may be.
- no answer though it came: RMZ's own answer came whole, and the call did not return it. Must be 0.
- later than its deadline: the client slept for longer than its timeout, and for a change that is
  read back than what that may take besides, on the time of the test; or it was waited for, on the
  machine's time, for longer than silence forces. Must be 0.
- ok by the customer's doing: reported ok, and the ledger has no effect of it; but the customer's
  own change has brought about just what the call wanted, within the time in which it may have been
  applied, which is some seconds longer than the call, since RMZ writes whole seconds and its clock
  may be put right. No client can distinguish such a call from one that was applied. Any other
  change of the customer's, or an earlier call, excuses nothing: that is "not applied".
- answered, failed: reported so, and rightly.

The program ends with 1 if a column that must be 0 is not. Each such call is printed with the
option that makes it again.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from pathlib import Path


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Compare the client's word with the ledger.")
    parser.add_argument("--short", action="store_true", help="a part of all, in a minute")
    parser.add_argument("--only", metavar="NAME", help="the cases whose names have these parts")
    parser.add_argument("--seed", type=int, help="of the walk")
    parser.add_argument("--calls", type=int, help="of the walk")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Run the proof, print its table, and return the program's exit status."""
    # Last, so that an installed package is what is tested.
    sys.path.append(str(Path(__file__).parents[2]))
    from tests.faults import parts, report
    from tests.faults.judge import Tally
    from tests.faults.lanes import LANES
    from tests.faults.walk import SEED

    given = arguments()
    parts.quiet()
    size = parts.SHORT if given.short else parts.FULL
    seed = SEED if given.seed is None else given.seed
    calls = size.calls if given.calls is None else given.calls
    if given.part is not None:
        tally = (
            parts.walk(seed, calls)
            if given.part == "walk"
            else parts.play(parts.chosen(given.part, size))
        )
        print(parts.write(tally))
        return 0
    if given.only is not None:
        return only(given.only)

    began = time.monotonic()
    print(f"Python {platform.python_version()}, seed {seed}", flush=True)
    form = ["--short"] if given.short else []
    lanes = [lane.name for lane in LANES if lane.available]
    walked, *played = parts.in_processes(
        [
            ["--part", "walk", "--seed", str(seed), "--calls", str(calls), *form],
            *(["--part", name, *form] for name in lanes),
        ]
    )
    matrix = Tally()
    for tally in played:
        matrix.merge(tally)
    print(report.table("Every operation, meeting every fault", matrix))
    print(f"\n{report.shares(matrix)}\n")
    for lane in LANES:
        if not lane.available:
            print(f"         over {lane.name}: left out, as it is not installed")
    print(report.table(f"\nA random walk of {calls} calls, with a customer", walked), flush=True)
    measured = parts.figures(size)
    print("\nFigures", *measured, sep="\n")
    offenders = [*matrix.offenders, *walked.offenders]
    if offenders:
        print("\nThese must not be:", report.offenders(offenders), sep="\n")
    print(f"\n{matrix.calls + walked.calls} verdicts in {time.monotonic() - began:.0f} s")
    missed = [figure for figure in measured if not figure.met and not figure.timed]
    print("failed" if offenders or missed else "passed")
    return 1 if offenders or missed else 0


def only(name: str) -> int:
    """Make some cases again, or a step of a walk after all the steps before it."""
    from tests.faults import parts, report

    if name.startswith("walk/"):
        _, seed, number = name.split("/")
        tally = parts.walk(int(seed), int(number) + 1, int(number))
    else:
        tally = parts.play(parts.matching(name))
    print(report.table(name, tally))
    print(report.offenders(tally.offenders))
    return 1 if tally.offenders or not tally.calls else 0


if __name__ == "__main__":
    sys.exit(main())
