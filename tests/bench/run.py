"""The cost of the client beside the bare library, as ratios of one run; fails nothing.

Rivals take turns, round by round, so that a slow moment of the machine hits both, and medians
are compared. The server is another process. Unless a row says otherwise, the processor time of the
client is measured.
"""

from __future__ import annotations

import asyncio
import gc
import hmac
import json
import os
import platform
import runpy
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx

import rmz_async
import rmz_sync
from rmz_async._calls.outcome import Answer
from rmz_async._calls.wire import envelope_of
from rmz_async._decoding.converter import decode
from rmz_async.models import Order, Subscription
from rmz_async.pagination import Page
from rmz_async.webhooks import verify
from tests.seams import connections_of

HERE = Path(__file__).parent
TOKEN = "1|bench-token"
SECRET = "bench-secret-of-28-characters"
Work = Callable[[], object]

page: list[str] = ["| Work | Compared with | Ratio |", "| --- | --- | --- |"]
"""The table of docs/cost.md."""


def compared(ours: Work, theirs: Work, *, rounds: int, clock: Callable[[], float]) -> float:
    """Return the ratio of the medians of two works that take turns."""
    spent: tuple[list[float], list[float]] = ([], [])
    for turn in range(2 * (rounds + 1)):
        side = turn % 2
        gc.collect()
        began = clock()
        (ours, theirs)[side]()
        spent[side].append(clock() - began)
    # The first round warms up.
    return statistics.median(spent[0][1:]) / statistics.median(spent[1][1:])


def report(work: str, beside: str, ratio: float, must: str, goal: str) -> None:
    """Print one row, and keep it for the page."""
    page.append(f"| {work} | {beside} | {ratio:.2f} |")
    row = f"{work} / {beside}" if beside else work
    print(f"{row:<68} {ratio:>6.2f} {must:>6} {goal:>6}", flush=True)


def unlimited() -> rmz_async.Pacing:
    """Count slots as for every user, with a wait for none of them.

    Each round counts for itself: RMZ's limits keep a user's count at 120 requests, and one that
    holds all requests of a minute of this program would be a thousand times as long.
    """
    return rmz_async.Pacing(per_minute=10**9, store=rmz_async.InMemoryQuotaStore())


@contextmanager
def server() -> Generator[str]:
    """Run the server in a process of its own; gives its address."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "server.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/shawarma"


async def at_once(call: Callable[[], Awaitable[object]], count: int, width: int) -> None:
    """Make *count* calls, *width* at a time."""

    async def worker(share: int) -> None:
        for _ in range(share):
            await call()

    await asyncio.gather(*(worker(count // width) for _ in range(width)))


def bench_async(base_url: str) -> None:
    """Calls one at a time, 50 together, and 1,000 together."""
    loop = asyncio.new_event_loop()
    http = httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)
    rmz = rmz_async.Client(TOKEN, base_url=base_url)
    over_aiohttp = rmz_async.Client(TOKEN, base_url=base_url, http="aiohttp")

    async def bare() -> object:
        answer = await http.get(f"{base_url}/subscriptions/501")
        return json.loads(answer.content)["data"]

    def run(client: rmz_async.Client | None, count: int, width: int) -> None:
        call = bare
        if client is not None:
            fresh = client.with_options(pacing=unlimited())
            call = partial(fresh.subscriptions.get, 501)
        loop.run_until_complete(at_once(call, count, width))

    for client, way, width, count, must, goal in (
        (rmz, "", 1, 400, "1.08", "1.00"),
        (rmz, "", 50, 1000, "0.60", "0.45"),
        (over_aiohttp, " over aiohttp", 1, 400, "0.75", "0.65"),
        (over_aiohttp, " over aiohttp", 50, 1000, "0.35", "0.28"),
    ):
        ratio = compared(
            partial(run, client, count, width),
            partial(run, None, count, width),
            rounds=9,
            clock=time.process_time,
        )
        report(f"async get{way}, {width} at once", "bare AsyncClient", ratio, must, goal)
    ratio = compared(
        partial(run, rmz, 2000, 50),
        partial(run, rmz, 2000, 1000),
        rounds=5,
        clock=time.perf_counter,
    )
    report("async get, calls a second at 1,000", "at 50 (wall time)", ratio, "0.90", "0.95")
    loop.run_until_complete(over_aiohttp.aclose())
    loop.run_until_complete(rmz.aclose())
    loop.run_until_complete(http.aclose())
    loop.close()


def bench_sync(base_url: str) -> None:
    """A single thread, and 8 threads, over both transports."""
    with (
        httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
        rmz_sync.Client(TOKEN, base_url=base_url) as rmz,
        rmz_sync.Client(TOKEN, base_url=base_url, http="aiohttp") as over_aiohttp,
        ThreadPoolExecutor(8) as threads,
    ):

        def bare(_: int) -> object:
            return json.loads(http.get(f"{base_url}/subscriptions/501").content)["data"]

        def call_of(client: rmz_sync.Client | None) -> Callable[[int], object]:
            if client is None:
                return bare
            fresh = client.with_options(pacing=unlimited())
            return lambda _: fresh.subscriptions.get(501)

        def one(client: rmz_sync.Client | None = None) -> None:
            call = call_of(client)
            for number in range(400):
                call(number)

        def eight(client: rmz_sync.Client | None = None) -> None:
            list(threads.map(call_of(client), range(800)))

        for client, way, threads_1, threads_8 in (
            (rmz, "", ("2.10", "1.85"), ("1.70", "1.30")),
            (over_aiohttp, " over aiohttp", ("1.55", "1.35"), ("1.00", "0.85")),
        ):
            ratio = compared(partial(one, client), one, rounds=9, clock=time.perf_counter)
            report(f"sync get{way}, 1 thread", "bare Client (wall time)", ratio, *threads_1)
            ratio = compared(partial(eight, client), eight, rounds=9, clock=time.perf_counter)
            report(f"sync get{way}, 8 threads", "bare Client (wall time)", ratio, *threads_8)


def repeat(work: Work, count: int) -> Work:
    """Return *work*, done *count* times."""

    def repeated() -> None:
        for _ in range(count):
            work()

    return repeated


def bench_decoding() -> None:
    """A subscription, a page of orders, and a webhook."""
    served = runpy.run_path(str(HERE / "server.py"))
    subscription, body = served["SUBSCRIPTION"], served["BODY"]
    answer = Answer(200, {"content-type": "application/json"}, body)
    ratio = compared(
        repeat(lambda: decode(envelope_of(answer)["data"], Subscription), 2000),
        repeat(lambda: json.loads(body), 2000),
        rounds=15,
        clock=time.process_time,
    )
    report("decode a subscription", "json.loads", ratio, "3.00", "2.40")

    orders: bytes = runpy.run_path(str(HERE / "order_page.py"))["BODY"]
    listed = Answer(200, {"content-type": "application/json"}, orders)
    ratio = compared(
        repeat(lambda: decode(envelope_of(listed)["data"], Page[Order]), 200),
        repeat(lambda: json.loads(orders), 200),
        rounds=15,
        clock=time.process_time,
    )
    report("decode a page of 15 orders", "json.loads", ratio, "3.20", "2.40")

    fields = {
        "event": "subscription.renewed",
        "event_id": "0b9f5f0e-54c4-4a53-9d0c-54f1a7c1d1aa",
        "data": {
            "subscription": {
                **{key: subscription[key] for key in ("id", "status", "duration", "auto_renew")},
                **{
                    f"current_period_{end}": "2026-12-31T00:00:00.000000Z"
                    for end in ("start", "end")
                },
                "external_customer_id": "usr_bench",
                "product_id": 102,
                "product_name": "Pro",
                "variant": {"id": 15, "price": 49, "duration": "monthly"},
                "metadata": {"plan": "pro"},
                "customer": {"id": 123, "email": "ahmed@example.com", "name": "Ahmed Ali"},
            }
        },
    }
    delivery = json.dumps(fields).encode()
    key = SECRET.encode()
    headers = {
        "Content-Type": "application/json",
        "X-RMZ-WEBHOOKS": "1.2",
        "X-RMZ-REQUEST-ID": "5",
        "Signature": hmac.digest(key, delivery, "sha256").hex(),
    }

    def bare() -> object:
        expected = hmac.digest(key, delivery, "sha256").hex()
        return hmac.compare_digest(expected, headers["Signature"]) and json.loads(delivery)

    ratio = compared(
        repeat(lambda: verify(delivery, headers, secrets=[SECRET]), 2000),
        repeat(bare, 2000),
        rounds=15,
        clock=time.process_time,
    )
    report("verify and decode a webhook", "hmac.digest + json.loads", ratio, "3.00", "2.20")


def bench_start() -> None:
    """The import, and a second client."""
    with tempfile.TemporaryDirectory() as compiled:
        # Both come compiled, as pip installs them, whatever the environment says.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}

        def runs(code: str) -> Work:
            command = [sys.executable, "-c", code]
            return lambda: subprocess.run(command, check=True, env=environment)

        bare = runs("import httpx; httpx.AsyncClient()")
        for package, must, goal in (("rmz_async", "1.50", "1.30"), ("rmz_sync", "2.10", "1.60")):
            ours = runs(f"import {package}; {package}.Client('{TOKEN}')")
            ratio = compared(ours, bare, rounds=15, clock=time.perf_counter)
            beside = "httpx, AsyncClient() (wall time)"
            report(f"import {package}, Client()", beside, ratio, must, goal)

    async def second() -> float:
        async with rmz_async.Client(TOKEN) as first:
            connections_of(first).open()
            began = time.perf_counter()
            async with rmz_async.Client(TOKEN) as another:
                connections_of(another).open()
                return time.perf_counter() - began

    spent = statistics.median(asyncio.run(second()) for _ in range(15))
    report("a second client, milliseconds", "", spent * 1000, "1.00", "0.30")


def main() -> None:
    """Print the table, and then the same for docs/cost.md."""
    python, today = platform.python_version(), time.strftime("%Y-%m-%d", time.gmtime())
    print(f"Python {python}, httpx {httpx.__version__}")
    print(f"{'ratio of medians':<68} {'here':>6} {'must':>6} {'goal':>6}")
    bench_decoding()
    bench_start()
    with server() as base_url:
        bench_async(base_url)
        bench_sync(base_url)
    print("\nFor docs/cost.md:\n", *page, sep="\n")
    print(
        f"\nMeasured on {today} with version {rmz_async.__version__} on Python {python} and "
        f"{os.cpu_count()} cores."
    )


if __name__ == "__main__":
    main()
