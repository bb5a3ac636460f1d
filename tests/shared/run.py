"""The proof that several servers stay within RMZ's minute together, and ask once.

- quota: real processes ask for more than RMZ serves, against the sandbox's throttle, for minutes of
  simulated time. Redis is killed on the way, and comes back empty.
- lease: real processes in which a thousand ask for one user make one request. The process that asks
  is killed, again and again, and another one takes over.

The program ends with 1 if RMZ answers 429, if less than `LEAST` of the quota is used (or less than
`LEAST_ALONE` if Redis is gone for more than half of the run), if a process does not say once that
Redis is gone and once that it is back, if a round makes more than one request, or if a process
takes over later than `LATEST` seconds after a kill.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from pathlib import Path

# Last, so that an installed package is what is tested.
sys.path.append(str(Path(__file__).parents[2]))

from tests.shared import lease_proof, quota_proof

LEAST = 0.95
# Without Redis, nobody else may use what a process that asks little leaves of its share.
LEAST_ALONE = 0.9
LATEST = 1.0

# The simulated seconds at which Redis is killed and started again, for each seed in turn.
GAPS = ((120.0, 180.0), (150.0, 152.0), (200.0, 290.0), (30.0, 200.0), (140.0, 160.0))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Let several processes share a quota.")
    parser.add_argument("--seed", type=int, default=1, help="of the first run of the quota")
    parser.add_argument("--runs", type=int, default=len(GAPS), help="of the quota")
    parser.add_argument("--kills", type=int, default=30, help="of the process that asks")
    parser.add_argument("--processes", type=int, default=8, help="at the same time")
    return parser.parse_args()


def main() -> int:
    """Run the proof, print its tables, and return the program's exit status."""
    given = arguments()
    print(f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}", flush=True)
    began = time.monotonic()
    status = max([quota(given), lease(given)])
    print(f"\n{time.monotonic() - began:.0f} s, load {os.getloadavg()[0]:.1f}")
    return status


def quota(given: argparse.Namespace) -> int:
    """Run the proof of the quota."""
    print("\n| seed | Redis is gone | requests | of the quota | answers of 429 | warnings |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    status = 0
    for number in range(given.runs):
        dies, returns = GAPS[number % len(GAPS)]
        plan = quota_proof.Plan(
            seed=given.seed + number,
            processes=given.processes,
            seconds=300.0,
            dies=dies,
            returns=returns,
        )
        proof = quota_proof.play(plan)
        warnings = {len(lines) for lines in proof.lost}
        print(
            f"| {plan.seed} | {dies:g} to {returns:g} s | {proof.requests} | {proof.used:.1%} "
            f"| {proof.refused} | {', '.join(map(str, sorted(warnings)))} of each process |",
            flush=True,
        )
        # A short gap may pass without a request of a process.
        says_more = any(count not in (0, 2) for count in warnings)
        least = LEAST if returns - dies <= plan.seconds / 2 else LEAST_ALONE
        if proof.refused or proof.used < least or says_more:
            status = 1
    return status


def lease(given: argparse.Namespace) -> int:
    """Run the proof of the lease."""
    plan = lease_proof.Plan(processes=given.processes, askers=1000, kills=given.kills, patience=3.0)
    proof = lease_proof.play(plan)
    ordered = sorted(proof.takeovers)
    asked = plan.processes * plan.askers
    print(
        f"\n{asked:,} askers of one user in {plan.processes} processes: requests of each round "
        f"{sorted(set(proof.requests))}, let in {sorted(set(proof.granted))}.",
        flush=True,
    )
    if ordered:
        in_time = sum(seconds <= LATEST for seconds in ordered)
        print(
            f"{len(ordered)} kills: the next process asks after {ordered[len(ordered) // 2]:.3f} s "
            f"(median), {ordered[-1]:.3f} s (longest); {in_time} within {LATEST:g} s.",
            flush=True,
        )
    is_one = set(proof.requests) == {1} and set(proof.granted) == {asked}
    return 0 if is_one and all(seconds <= LATEST for seconds in ordered) else 1


if __name__ == "__main__":
    sys.exit(main())
