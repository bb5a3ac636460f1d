"""Real processes that share a quota, against the sandbox's throttle, while Redis is killed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs

from rmz_async.sandbox import Sandbox
from tests.redis_server import redis_server
from tests.shared.simulated_time import BEGIN, Timekeeper

__all__ = ("Plan", "Proof", "play")

ASKERS = Path(__file__).with_name("askers.py")
START = datetime(2026, 1, 1, tzinfo=UTC)
THREADS = 3
PER_MINUTE = 120


@attrs.frozen(kw_only=True)
class Plan:
    """A run of the proof; all times are simulated seconds.

    Attributes:
        seed: The seed of all chance.
        processes: How many processes ask.
        seconds: For how long.
        dies: When Redis is killed.
        returns: When Redis is started again, empty.
    """

    seed: int
    processes: int
    seconds: float
    dies: float
    returns: float


@attrs.frozen(kw_only=True)
class Proof:
    """The result of a run.

    Attributes:
        requests: How many requests RMZ answered in time.
        refused: How many of all were answered with 429.
        used: The part of the quota that was used; 0 to 1.
        lost: The warnings of each process that Redis is gone, and that it is back.
    """

    requests: int
    refused: int
    used: float
    lost: list[list[str]]


def play(plan: Plan) -> Proof:
    """Run the processes to their end."""
    with tempfile.TemporaryDirectory(prefix="rmz") as folder, redis_server() as redis:
        path = Path(folder) / "time.sock"
        keeper = Timekeeper(path)
        sandbox = Sandbox(clock=lambda: START + timedelta(seconds=keeper.now), seed=plan.seed)
        with sandbox.serve() as served:
            given: dict[str, Any] = {
                "url": served.base_url,
                "token": sandbox.token,
                "redis": redis.url,
                "time": str(path),
                "seed": plan.seed,
                "seconds": plan.seconds,
                "processes": plan.processes,
            }
            running = [
                subprocess.Popen(
                    [sys.executable, "-P", str(ASKERS), json.dumps(given | {"number": number})],
                    stdout=subprocess.PIPE,
                    text=True,
                )
                for number in range(plan.processes)
            ]
            keeper.keep(
                plan.processes * THREADS,
                [(BEGIN + plan.dies, redis.kill), (BEGIN + plan.returns, redis.start)],
            )
            outputs = [process.communicate()[0] for process in running]
    ends = START + timedelta(seconds=BEGIN + plan.seconds)
    in_time = [one for one in sandbox.requests if one.at < ends]
    return Proof(
        requests=len(in_time),
        refused=len(sandbox.requests.of(status=429)),
        used=len(in_time) / (PER_MINUTE * plan.seconds / 60),
        lost=[json.loads(output) for output in outputs],
    )
