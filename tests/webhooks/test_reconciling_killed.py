"""A process that reconciles is killed at each of its points, and another goes on."""

from __future__ import annotations

import copy
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

import rmz_sync
from rmz_async.sandbox import Sandbox, Served
from rmz_async.webhooks import Event
from rmz_async.webhooks.inbox.opening import open_inbox
from tests.webhooks.postgres import new_schema
from tests.webhooks.receiving import SECRET
from tests.webhooks.reconciling_victim import POINTS, clock_at

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")

# Longer than the lease of a walk, and than the time by which RMZ's answers may be behind.
LATER = 300.0

ADDRESSES: dict[str, Callable[[Path], str]] = {
    "sqlite": lambda folder: f"sqlite:///{folder / 'inbox.db'}",
    "postgres": lambda folder: new_schema(),
}


@pytest.mark.parametrize("storage", ADDRESSES)
def test_a_killed_comparison_loses_no_change_and_feeds_none_twice(
    storage: str, tmp_path: Path
) -> None:
    """There are changes on each of three pages."""
    address = ADDRESSES[storage](tmp_path)
    inbox = open_inbox(address, clock_at(0))
    inbox.create()
    inbox.close()
    changed: Counter[tuple[str, int]] = Counter()
    handled: Counter[tuple[str, int]] = Counter()
    with Sandbox(seed=1, throttle=False).serve(clock_runs=False) as sandbox:
        numbers = fill(sandbox, 45)
        go_on(sandbox, address, 0.0, handled)
        with victims(address, sandbox) as kill:
            now = 0.0
            for place, point in enumerate(POINTS):
                for page in range(3):
                    number = numbers[15 * page + place]
                    sandbox.state.subscriptions[number].cancel_at_period_end = True
                    changed["subscription.canceled", number] += 1
                assert kill(point, now + LATER) == -signal.SIGKILL, point
                now += 2 * LATER
                go_on(sandbox, address, now, handled)
                assert handled == changed, point


def fill(sandbox: Served, count: int) -> list[int]:
    """Let the store have active subscriptions only, so many, and return their ids as listed."""
    subscriptions = sandbox.state.subscriptions
    pattern = next(one for one in subscriptions.values() if one.status == "active")
    subscriptions.clear()
    for number in range(1, count + 1):
        one = copy.copy(pattern)
        one.id = number
        subscriptions[number] = one
    return sorted(subscriptions, reverse=True)


@contextmanager
def victims(address: str, sandbox: Served) -> Generator[Callable[[str, float], int]]:
    """Start what forks the processes; give a function that lets one die at a point."""
    command = [sys.executable, "-m", "tests.webhooks.reconciling_victim", address]
    with subprocess.Popen(
        [*command, sandbox.base_url, sandbox.token],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as forking:
        assert forking.stdin is not None
        assert forking.stdout is not None
        stdin, stdout = forking.stdin, forking.stdout

        def kill(point: str, now: float) -> int:
            print(json.dumps([point, now]), file=stdin, flush=True)
            return int(stdout.readline())

        yield kill


def go_on(sandbox: Served, address: str, now: float, handled: Counter[tuple[str, int]]) -> None:
    """Compare and handle what there is, as another process does."""
    clock = clock_at(now)
    receiver = rmz_sync.webhooks.Receiver(
        secrets=[SECRET], inbox=open_inbox(address, clock), _clock=clock
    )

    @receiver.on("*", name="handle")
    def count(event: Event) -> None:
        assert event.is_reconciled
        assert event.subscription is not None
        handled[str(event.event), event.subscription.id] += 1

    with rmz_sync.Client(sandbox.token, base_url=sandbox.base_url, pacing=None) as rmz:
        assert receiver.reconcile(rmz).is_complete
    receiver.drain()
    receiver.close()
