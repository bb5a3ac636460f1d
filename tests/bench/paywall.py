"""The cost of a check from memory, beside what it must cost; fails nothing.

Unless a row says otherwise, its figure is the median of several rounds of this process's own
processor time, which the load of the machine hardly changes.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import repeat

import httpx

import rmz_async
import rmz_sync
from rmz_async import Pacing, Paywall, Subscription, SubscriptionProduct
from rmz_async.models import SubscriptionStatus
from tests.bench.table import Limit, Table, at_least, at_most, circumstances

TOKEN = "1|a-token-of-nobody"
USER = "usr_1"
CHECKS = 200_000
ROUNDS = 9
MANY = 1_000_000
# More than the paywall remembers of those who may not in.
STRANGERS = 12_000
FASTEST_SYNC, FASTEST_ASYNC, SLOWEST = at_most(1), at_most(1.5), at_most(5)


def subscription(user: str, number: int) -> Subscription:
    """Make a subscription with the fields that a lookup returns."""
    now = datetime.now(UTC)
    return Subscription(
        id=number,
        status=SubscriptionStatus.ACTIVE,
        external_customer_id=user,
        current_period_start=now,
        current_period_end=now + timedelta(days=30),
        auto_renew=True,
        product=SubscriptionProduct(id=102, name="Pro", slug="pro-plan"),
    )


def know(paywall: Paywall, users: int) -> None:
    """Let a paywall know so many payers, as if RMZ had been asked."""
    for number in range(1, users + 1):
        user = f"usr_{number}"
        paywall.answers.confirmed(user, subscription(user, number), datetime.now(UTC))


def microseconds(spent: list[float]) -> float:
    """Return the median of rounds of `CHECKS` checks, for one of them."""
    return statistics.median(spent) / CHECKS * 1e6


def slowest(spent: list[int]) -> float:
    """Return the microseconds that 99 % of nanoseconds keep."""
    return sorted(spent)[len(spent) * 99 // 100] / 1e3


def nothing(_: str) -> None:
    """Cost what a call costs."""


def measure_sync(table: Table) -> None:
    """Measure the check of code that cannot await."""
    client = rmz_sync.Client(TOKEN)
    paywall = rmz_sync.Paywall(client, product_ids=[102])
    paywall.answers.confirmed(USER, subscription(USER, 1), datetime.now(UTC))

    def rounds(call: Callable[[str], object]) -> list[float]:
        spent: list[float] = []
        for _ in repeat(None, ROUNDS):
            gc.collect()
            began = time.process_time()
            for _ in repeat(None, CHECKS):
                call(USER)
            spent.append(time.process_time() - began)
        return spent

    cost = microseconds(rounds(paywall.check))
    table.row("`rmz_sync.Paywall.check` of a known payer", cost, "µs", FASTEST_SYNC)
    table.row("the same, checks a second on one core", 1e6 / cost, must=at_least(600_000))
    table.row("a function that does nothing, in the same loop", microseconds(rounds(nothing)), "µs")

    single: list[int] = []
    for _ in repeat(None, CHECKS):
        began = time.perf_counter_ns()
        paywall.check(USER)
        single.append(time.perf_counter_ns() - began)
    table.row("the slowest of 99 % of such checks, on the clock", slowest(single), "µs", SLOWEST)

    answers = {id(paywall.check(USER)) for _ in repeat(None, CHECKS)}
    table.row(f"answers that {CHECKS:,} such checks make", len(answers) - 1, must=at_most(0))
    some = blocks(paywall.check, CHECKS)
    more = blocks(paywall.check, 2 * CHECKS)
    table.row(f"memory blocks that {CHECKS:,} more of them leave", more - some, must=at_most(0))
    client.close()


def blocks(check: Callable[[str], object], times: int) -> int:
    """Return how many memory blocks are in use after so many checks that were not before them.

    A few are in use for the count itself, and for the paywall's count of what it handed out.
    """
    check(USER)
    gc.collect()
    gc.disable()
    before = sys.getallocatedblocks()
    for _ in repeat(None, times):
        check(USER)
    left = sys.getallocatedblocks() - before
    gc.enable()
    return left


async def measure_async(table: Table) -> None:
    """Measure the check of code that awaits."""
    async with rmz_async.Client(TOKEN) as client:
        paywall = Paywall(client, product_ids=[102])
        know(paywall, 1)
        spent: list[float] = []
        tasks = len(asyncio.all_tasks())
        for _ in repeat(None, ROUNDS):
            gc.collect()
            began = time.process_time()
            for _ in repeat(None, CHECKS):
                await paywall.check(USER)
            spent.append(time.process_time() - began)
        cost = microseconds(spent)
        table.row("`rmz_async.Paywall.check` of a known payer", cost, "µs", FASTEST_ASYNC)
        table.row("the same, checks a second on one core", 1e6 / cost, must=at_least(600_000))
        single: list[int] = []
        for _ in repeat(None, CHECKS):
            start = time.perf_counter_ns()
            await paywall.check(USER)
            single.append(time.perf_counter_ns() - start)
        row = "the slowest of 99 % of such checks, on the clock"
        table.row(row, slowest(single), "µs", SLOWEST)
        started = len(asyncio.all_tasks()) - tasks
        table.row("tasks that all of them started", started, must=at_most(0))


def measure_memory(keep: str) -> None:
    """Print the memory of many payers, and how many of them strangers drove out."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(nobody))
    unlimited = Pacing(per_minute=10**9, lookup_per_minute=10**9)
    client = rmz_async.Client(TOKEN, http=http, pacing=unlimited)
    paywall = Paywall(client, keep_subscriptions=keep == "kept", capacity=MANY)
    before = megabytes()
    know(paywall, MANY)
    print(megabytes() - before)
    asyncio.run(ask_for_strangers(paywall))
    print(MANY - len(paywall.answers.memory))


async def ask_for_strangers(paywall: Paywall) -> None:
    """Ask about so many users who may not in that not all of them are remembered."""
    for number in range(STRANGERS):
        access = await paywall.check(f"stranger_{number}")
        if access.granted or not access.certain:
            raise RuntimeError(f"a stranger got {access}")


def nobody(_: httpx.Request) -> httpx.Response:
    """Answer a lookup as RMZ does if it has no such user."""
    data = {"count": 0, "has_active": False, "subscriptions": []}
    answer = {"message": None, "data": data, "api": "rmz.shawarma", "timestamp": 1780000000}
    return httpx.Response(200, json=answer)


def megabytes() -> float:
    """Return the most memory that this process has had."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts bytes, Linux kibibytes.
    return most / (1_000_000 if sys.platform == "darwin" else 1_000_000 / 1024)


def measure_memories(table: Table) -> None:
    """Measure the memory, with and without subscriptions, in processes of their own."""
    for keep, must in (("left out", at_most(400)), ("kept", None)):
        command = [sys.executable, "-P", __file__, keep]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        grown, evicted = map(float, printed.split())
        report_memory(table, keep, grown, must)
        row = f"payers of them that {STRANGERS:,} strangers drove out"
        table.row(row, evicted, must=at_most(0))


def report_memory(table: Table, keep: str, grown: float, must: Limit | None) -> None:
    """Print the row of one process."""
    table.row(f"memory of {MANY:,} known payers, subscriptions {keep}", grown, "MB", must)


def main() -> None:
    """Print all rows, and then the same for docs/cost.md."""
    if len(sys.argv) > 1:
        measure_memory(sys.argv[1])
        return
    table = Table("the paywall")
    measure_sync(table)
    asyncio.run(measure_async(table))
    measure_memories(table)
    table.for_docs()
    print(f"\n{circumstances()}")


if __name__ == "__main__":
    main()
