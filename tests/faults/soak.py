"""Use the client for minutes, with 10 % faults and 5 % cancellations, and see what it keeps.

The sandbox and its proxy are another process. The program ends with 1 if sockets, threads, tasks
or open files have become more, or memory has grown by 5 MiB or more after the warm-up.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import resource
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rmz_async import Client, RetryPolicy, RMZError

if TYPE_CHECKING:
    from tests.faults.figures import Sent

MIB = 2**20
GROWTH = 5.0
WIDTH = 6
HERE = Path(__file__).parent

CALLS: tuple[Callable[[Client], Awaitable[object]], ...] = (
    lambda client: client.subscriptions.get(510),
    lambda client: client.subscriptions.list().first(),
    lambda client: client.subscriptions.lookup(external_customer_id="usr_abc123"),
    lambda client: client.orders.get(78901),
    lambda client: client.orders.list().first(),
    lambda client: client.products.get(102),
    lambda client: client.products.list().first(),
    lambda client: client.store.get(),
    lambda client: client.store.statistics(),
    lambda client: client.subscriptions.pause(511),
    lambda client: client.subscriptions.unpause(511),
    lambda client: client.subscriptions.extend(512, days=1),
    lambda client: client.portal_sessions.create(customer=4501),
)


@contextmanager
def served() -> Generator[dict[str, str]]:
    """Serve a sandbox with faults in a process of its own; gives its address and token."""
    process = subprocess.Popen(
        [sys.executable, "-P", str(HERE / "child.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())


def memory() -> float:
    """Return the resident memory in MiB; without /proc, its peak."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def held() -> dict[str, int]:
    """Return what the process has open."""
    gc.collect()
    modes: list[int] = []
    for name in os.listdir("/dev/fd"):
        try:
            modes.append(os.fstat(int(name)).st_mode)
        except OSError:
            continue  # The one that lists them.
    return {
        "sockets": sum(stat.S_ISSOCK(mode) for mode in modes),
        "files": len(modes),
        "threads": threading.active_count(),
        "tasks": len(asyncio.all_tasks()),
    }


class Soak:
    """The clients at work.

    Attributes:
        outcomes: The number of calls by their outcome.
    """

    def __init__(self, clients: list[Client], until: float) -> None:
        self.outcomes: Counter[str] = Counter()
        self._clients = clients
        self._until = until

    async def run(self) -> None:
        """Use all clients until the time is over."""
        workers = [
            self._work(client, random.Random(number))  # noqa: S311 - the same in each run
            for number in range(WIDTH)
            for client in self._clients
        ]
        await asyncio.gather(*workers)

    async def _work(self, client: Client, chance: random.Random) -> None:
        while time.monotonic() < self._until:
            call = asyncio.ensure_future(chance.choice(CALLS)(client))
            if chance.random() < 0.05:
                await asyncio.sleep(chance.random() * 0.02)
                call.cancel()
            try:
                await call
                self.outcomes["ok"] += 1
            except asyncio.CancelledError:
                self.outcomes["cancelled"] += 1
            except RMZError as error:
                self.outcomes[type(error).__name__] += 1


def opened(address: dict[str, str]) -> list[Client]:
    """Return a client over each library that is installed."""
    from tests.faults.lanes import lane_named

    libraries: list[Any] = ["aiohttp"] if lane_named("aiohttp").available else []
    retry = RetryPolicy(attempt_timeout=1.0, backoff=0.01, max_backoff=0.05)
    return [
        Client(
            address["token"],
            base_url=address["base_url"],
            pacing=None,
            timeout=5.0,
            retry=retry,
            http=http,
        )
        for http in (None, *libraries)
    ]


async def soak(minutes: float) -> int:
    """Run it, print what came of it, and return the exit status."""
    from tests.faults.figures import Sent

    with served() as address:
        before, at_start = held(), memory()
        clients = opened(address)
        sent = [Sent(client) for client in clients]
        began = time.monotonic()
        until = began + 60 * minutes
        working = Soak(clients, until)
        at_work = asyncio.ensure_future(working.run())
        await asyncio.sleep(min(60.0, 12 * minutes))
        gc.collect()
        warm = memory()
        await at_work
        gc.collect()
        at_end = memory()
        spent = time.monotonic() - began
        for client in clients:
            await client.aclose()
        await asyncio.sleep(0.2)
        after = held()
    _print(sent, spent, working.outcomes)
    print(f"memory, MiB: {at_start:.1f} at start, {warm:.1f} warm, {at_end:.1f} at end")
    print(f"growth after the warm-up: {at_end - warm:+.2f} MiB (must be below {GROWTH:g})")
    grown = [what for what, count in after.items() if count > before[what]]
    print(*(f"{what}: {before[what]} at start, {after[what]} at end" for what in before), sep="\n")
    if grown:
        print("more than at the start:", *grown)
    failed = bool(grown) or at_end - warm >= GROWTH
    print("failed" if failed else "passed")
    return 1 if failed else 0


def _print(sent: list[Sent], spent: float, outcomes: Counter[str]) -> None:
    requests = sum(each.tries for each in sent)
    print(f"{requests} requests in {spent:.0f} s: {requests / spent:.0f} a second")
    print("calls:", ", ".join(f"{count} {what}" for what, count in outcomes.most_common()))


def main() -> int:
    """Read the command line, and run."""
    # Last, so that an installed package is what is tested.
    sys.path.append(str(HERE.parents[1]))
    from tests.faults.parts import quiet

    parser = argparse.ArgumentParser(description="Use the client for minutes.")
    parser.add_argument("--minutes", type=float, default=5.0)
    quiet()
    return asyncio.run(soak(parser.parse_args().minutes))


if __name__ == "__main__":
    sys.exit(main())
