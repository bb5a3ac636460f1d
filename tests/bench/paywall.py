"""The cost of a check from memory: microseconds, calls a second and megabytes; fails nothing."""

from __future__ import annotations

import asyncio
import gc
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import rmz_async
import rmz_sync
from rmz_async import Paywall, Subscription, SubscriptionProduct
from rmz_async.models import SubscriptionStatus

CHECKS = 200_000
ROUNDS = 9
MANY = 1_000_000


def report(row: str, figure: float, unit: str, must: str) -> None:
    """Print one row."""
    print(f"{row:<66} {figure:>11,.2f} {unit:<4} {must:>12}", flush=True)


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


def microseconds(work: Callable[[], object], calls: int) -> float:
    """Return the median of several rounds of processor time, for one of *calls*."""
    spent: list[float] = []
    for _ in range(ROUNDS):
        gc.collect()
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return statistics.median(spent) / calls * 1e6


def nothing(_: str) -> None:
    """Cost what a call costs."""


def measure_sync() -> None:
    """Measure the check of code that cannot await."""
    client = rmz_sync.Client("1|a-token-of-nobody")
    paywall = rmz_sync.Paywall(client, product_ids=[102])
    user = "usr_1"
    paywall.answers.confirmed(user, subscription(user, 1), datetime.now(UTC))

    def checks() -> None:
        for _ in range(CHECKS):
            paywall.check(user)

    def empty() -> None:
        for _ in range(CHECKS):
            nothing(user)

    cost = microseconds(checks, CHECKS)
    report("rmz_sync.Paywall.check of a known payer", cost, "us", "at most 1")
    report("the same, checks a second on one core", 1e6 / cost, "", "600,000")
    report("a function that does nothing, in the same loop", microseconds(empty, CHECKS), "us", "")

    single: list[float] = []
    for _ in range(CHECKS):
        began = time.perf_counter_ns()
        paywall.check(user)
        single.append(time.perf_counter_ns() - began)
    single.sort()
    report(
        "the slowest of 99 % of checks, on the clock", single[CHECKS * 99 // 100] / 1e3, "us", "5"
    )
    client.close()


async def measure_async() -> None:
    """Measure the check of code that awaits."""
    async with rmz_async.Client("1|a-token-of-nobody") as client:
        paywall = Paywall(client, product_ids=[102])
        know(paywall, 1)
        spent: list[float] = []
        tasks = len(asyncio.all_tasks())
        for _ in range(ROUNDS):
            gc.collect()
            began = time.process_time()
            for _ in range(CHECKS):
                await paywall.check("usr_1")
            spent.append(time.process_time() - began)
        cost = statistics.median(spent) / CHECKS * 1e6
        report("rmz_async.Paywall.check of a known payer", cost, "us", "at most 1.5")
        report("tasks that were started for it", len(asyncio.all_tasks()) - tasks, "", "0")


def measure_memory(keep: str) -> None:
    """Print the memory of many payers, in a process of its own."""
    paywall = Paywall(
        rmz_async.Client("1|a-token-of-nobody"), keep_subscriptions=keep == "kept", capacity=MANY
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    know(paywall, MANY)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    must = "" if keep == "kept" else "400"
    report(f"memory of 1,000,000 known payers, subscriptions {keep}", grown, "MB", must)


def main() -> None:
    """Print all rows."""
    if len(sys.argv) > 1:
        measure_memory(sys.argv[1])
        return
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    measure_sync()
    asyncio.run(measure_async())
    for keep in ("left out", "kept"):
        subprocess.run([sys.executable, "-P", __file__, keep], check=True)


if __name__ == "__main__":
    main()
