"""Real processes whose askers make one request, also if the process that asks is killed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import attrs
import redis

from rmz_async.sandbox import Sandbox
from tests.redis_server import redis_server

__all__ = ("Plan", "Proof", "play")

PAYWALLS = Path(__file__).with_name("paywalls.py")
LOOPS = ("asyncio", "trio")
USER = "usr_abc123"

# Seconds for which RMZ holds the answer to a process that is killed; longer than any run.
HELD = 3600.0

# Seconds that its request may take to reach RMZ; nothing is measured by them.
ARRIVAL = 60.0


@attrs.frozen(kw_only=True)
class Plan:
    """A run of the proof.

    Attributes:
        processes: How many processes ask.
        askers: How many ask in each process.
        kills: How often the process that asks is killed.
        patience: Seconds that a check waits.
        lease: Seconds of the leases of those that are not killed; None for those of production.
    """

    processes: int
    askers: int
    kills: int
    patience: float
    lease: float | None = None


@attrs.frozen(kw_only=True)
class Proof:
    """The result of a run.

    Attributes:
        requests: How many requests each round made, without that of the killed process; the
            first round has no kill.
        granted: How many askers each round let in.
        takeovers: Seconds from each kill to the request of the next process.
    """

    requests: list[int]
    granted: list[int]
    takeovers: list[float]


class Process:
    """A child.

    Args:
        given: Its arguments.
    """

    def __init__(self, given: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(PAYWALLS), json.dumps(given)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self) -> None:
        """Begin a round."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def until(self, what: str) -> list[tuple[str, float]]:
        """Read the lines of the child up to the next one about *what*."""
        assert self._process.stdout is not None
        lines: list[tuple[str, float]] = []
        for line in self._process.stdout:
            lines.append(json.loads(line))
            if lines[-1][0] == what:
                return lines
        raise AssertionError(f"the child has ended before {what}")

    def kill(self) -> None:
        """End it without a chance to say goodbye."""
        self._process.kill()
        self._process.communicate()


def play(plan: Plan) -> Proof:
    """Play one round without a kill, and the others with one."""
    proof = Proof(requests=[], granted=[], takeovers=[])
    sandbox = Sandbox(throttle=False)
    with redis_server() as server, sandbox.serve() as served, ExitStack() as stack:
        given = {
            "redis": server.url,
            "url": served.base_url,
            "token": sandbox.token,
            "user": USER,
            "askers": plan.askers,
            "patience": plan.patience,
        }
        lease = {} if plan.lease is None else {"lease": plan.lease}
        processes = [
            stack.enter_context(child({**given, **lease, "loop": LOOPS[number % 2]}))
            for number in range(plan.processes)
        ]
        memory = stack.enter_context(redis.Redis.from_url(server.url))
        for process in processes:
            process.until("ready")
        for number in range(plan.kills + 1):
            killed = 0.0
            memory.execute_command("FLUSHALL")
            answered = len(sandbox.requests.of(status=200))
            if number:
                with child(given | {"loop": LOOPS[number % 2]}) as victim:
                    victim.until("ready")
                    held = sandbox.faults.add("latency", times=1, seconds=HELD)
                    victim.begin()
                    victim.until("sent")
                    # The victim reports this just before it sends, and a victim that is killed too
                    # early asks nobody. The sandbox reports to no one that its fault has begun.
                    until = time.monotonic() + ARRIVAL
                    while held.times and time.monotonic() < until:
                        time.sleep(0.001)
                    assert held.times == 0
                    for process in processes:
                        process.begin()
                    for process in processes:
                        process.until("asking")
                    killed = time.monotonic()
            else:
                for process in processes:
                    process.begin()
            lines = [line for process in processes for line in process.until("granted")]
            proof.granted.append(sum(int(value) for what, value in lines if what == "granted"))
            sent = [value for what, value in lines if what == "sent"]
            proof.requests.append(len(sent))
            # RMZ has counted, too, so that the processes need not be believed.
            assert len(sandbox.requests.of(status=200)) - answered == len(sent)
            if number:
                proof.takeovers.append(min(sent) - killed)
    return proof


@contextmanager
def child(given: dict[str, Any]) -> Generator[Process]:
    """Start a process, and kill it in the end."""
    process = Process(given)
    try:
        yield process
    finally:
        process.kill()
