"""A program that reports how much memory a call takes, in a child that it forks for each call.

The program reads requests from its input, one JSON object a line, and answers each with another.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from rmz_async import Client, Event, RetryPolicy, RMZError
from rmz_async.webhooks import verify

STATUS = Path("/proc/self/status")
LIMIT = 60
"""Seconds that one call may take; the rest is for a busy machine."""


def peak() -> float:
    """Return the most memory that this process ever had, in MiB."""
    if STATUS.exists():
        # Not getrusage(), which begins with the peak of the process that started this one.
        for line in STATUS.read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


@attrs.define
class Growth:
    """How much the memory grows, and what the measured work ends in."""

    before: float = attrs.field(factory=peak)
    began: float = attrs.field(factory=time.monotonic)

    def measured(self, ended: BaseException | str) -> dict[str, Any]:
        """Return what there is to report."""
        if isinstance(ended, BaseException):
            # As a log would have it.
            text = f"{ended} {ended!r}"
            assert text
        return {
            "ended": ended if isinstance(ended, str) else type(ended).__name__,
            "grown": peak() - self.before,
            "seconds": time.monotonic() - self.began,
        }


async def call(url: str, http: Any, seconds: float) -> dict[str, Any]:
    """Make an ordinary call, and then the one that is measured."""
    async with Client(
        "1|token",
        base_url=url,
        http=http,
        retry=RetryPolicy(max_attempts=1),
        pacing=None,
    ) as rmz:
        await rmz.subscriptions.get(501)
        hasty = rmz.with_options(timeout=seconds)
        growth = Growth()
        try:
            found = await hasty.subscriptions.get(501)
        except RMZError as error:
            return growth.measured(error)
        return growth.measured(type(found).__name__)


def deliver(path: str, signature: str, secret: str) -> dict[str, Any]:
    """Verify a delivery whose body is in a file."""
    body = Path(path).read_bytes()
    growth = Growth()
    try:
        verify(body, {"Signature": signature}, secrets=[secret])
    except RMZError as error:
        return growth.measured(error)
    return growth.measured(Event.__name__)


def in_a_child(work: Callable[[], dict[str, Any]]) -> None:
    """Do it in a process without an earlier peak, and report the result."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(LIMIT)
        tell(work())
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status != 0:
        tell({"ended": f"exit status {status}", "grown": 0, "seconds": 0})


def tell(found: dict[str, Any]) -> None:
    """Write it on a line."""
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Do what is asked for."""
    return asyncio.run(call(**asked)) if "url" in asked else deliver(**asked)


def main() -> None:
    """Serve until the input ends."""
    for line in sys.stdin:
        in_a_child(partial(answer, json.loads(line)))


if __name__ == "__main__":
    main()
