"""The cost of the sandbox: milliseconds, calls a second and megabytes; fails nothing.

Unless a row says otherwise, its figure is the median of several rounds of this process's own
processor time, which the load of the machine hardly changes.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import Request, urlopen

from starlette.types import Message, Receive, Scope, Send

from rmz_async.sandbox import Card, Customer, Sandbox, Store, Subscription
from rmz_async.sandbox.store.cards import CardBehaviour
from rmz_async.sandbox.store.durations import Duration
from rmz_sync.sandbox import Sandbox as SyncSandbox

START = datetime(2026, 1, 1, tzinfo=UTC)
MANY = 10_000
ROUNDS = 15


def report(row: str, figure: float, unit: str, must: str) -> None:
    """Print one row."""
    print(f"{row:<66} {figure:>9,.1f} {unit:<4} {must:>9}", flush=True)


def milliseconds(
    work: Callable[[], object], clock: Callable[[], float] = time.process_time, rounds: int = ROUNDS
) -> float:
    """Return the median of *rounds*, after one that warms up."""
    work()
    spent: list[float] = []
    for _ in range(rounds):
        gc.collect()
        began = clock()
        work()
        spent.append(clock() - began)
    return statistics.median(spent) * 1000


class Caller:
    """Calls the sandbox's application itself, so that no client is measured.

    Args:
        sandbox: The one to call.
        root: The path of its API.
    """

    def __init__(self, sandbox: Sandbox, root: str = "/shawarma") -> None:
        self._app = sandbox.app
        self._root = root
        self._headers = [
            (b"host", b"127.0.0.1"),
            (b"authorization", f"Bearer {sandbox.token}".encode()),
            (b"content-type", b"application/json"),
        ]

    async def call(self, method: str, path: str, query: str = "", body: object = None) -> bytes:
        """Make one call, and return the answer's body.

        Raises:
            RuntimeError: The sandbox refused the call.
        """
        received = [b"" if body is None else json.dumps(body).encode()]
        answered: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": received.pop(), "more_body": False}

        async def send(message: Message) -> None:
            answered.append(message)

        scope: Scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": f"{self._root}{path}",
            "raw_path": f"{self._root}{path}".encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": self._headers,
            "server": ("127.0.0.1", 80),
        }
        await self._app(scope, receive, send)
        if answered[0]["status"] >= 400:
            raise RuntimeError(f"{method} {path} was refused: {answered[1]['body']!r}")
        return b"".join(message.get("body", b"") for message in answered)


def filled(count: int, *, webhook: bool = False) -> Sandbox:
    """Return a sandbox with *count* monthly subscriptions, each of a customer of its own."""
    sandbox = Sandbox(clock=lambda: START, throttle=False)
    state: Store = sandbox.state
    state.subscriptions.clear()
    for number in range(1, count + 1):
        state.customers[10_000 + number] = Customer(
            id=10_000 + number,
            first_name="Customer",
            last_name=str(number),
            country_code="966",
            phone=f"5{number:08}",
            email=f"customer{number}@example.com",
        )
        state.subscriptions[number] = Subscription(
            id=number,
            customer_id=10_000 + number,
            product_id=102,
            variant_id=14,
            order_id=number,
            price=state.variants[14].price,
            started_at=START,
            current_period_start=START,
            current_period_end=START + Duration.MONTHLY.length,
            external_customer_id=f"usr_{number}",
            card=Card(last_four="4242", scheme="visa", behaviour=CardBehaviour.PAYS),
            updated_at=START,
        )
    if webhook:
        sandbox.add_webhook("http://127.0.0.1/hooks", app=accepts)
    return sandbox


async def accepts(_scope: Scope, receive: Receive, send: Send) -> None:
    """Take a delivery."""
    await receive()
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


def bench_start() -> None:
    """A sandbox in process, async and sync, one with a port, and one in a process of its own."""

    async def first_answer() -> None:
        sandbox = Sandbox()
        await Caller(sandbox).call("GET", "/subscriptions/501")
        await sandbox.aclose()

    def served() -> float:
        began = time.perf_counter()
        with Sandbox().serve() as running:
            ask(running.base_url, running.token)
            return (time.perf_counter() - began) * 1000

    def blocking() -> float:
        began = time.perf_counter()
        with SyncSandbox() as sandbox, sandbox.client() as rmz:
            rmz.subscriptions.get(501)
            return (time.perf_counter() - began) * 1000

    in_process = milliseconds(lambda: asyncio.run(first_answer()))
    report("start in process, with the first answer", in_process, "ms", "< 50")
    sync = statistics.median(blocking() for _ in range(ROUNDS))
    report("rmz_sync.sandbox, with its client's first answer (wall time)", sync, "ms", "< 50")
    with_port = statistics.median(served() for _ in range(ROUNDS))
    report("start served, with the first answer (wall time)", with_port, "ms", "< 300")
    alone = milliseconds(start_alone, time.perf_counter, 5)
    report("python -m rmz_async.sandbox, with the first answer (wall time)", alone, "ms", "")


def ask(base_url: str, token: str) -> None:
    """Read a subscription over a socket."""
    request = Request(  # noqa: S310 - a loopback address of our own
        f"{base_url}/subscriptions/501", headers={"Authorization": f"Bearer {token}"}
    )
    with urlopen(request) as answer:  # noqa: S310 - as above
        answer.read()


def start_alone() -> None:
    """Start the command, and read a subscription from it."""
    command = [sys.executable, "-m", "rmz_async.sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said: dict[str, str] = {}
        while len(said) < 2:
            name, _, value = process.stdout.readline().strip().partition("=")
            if name.startswith("export RMZ_"):
                said[name] = value.strip("'")
        ask(*(said[f"export RMZ_{name}"] for name in ("BASE_URL", "API_TOKEN")))
        process.terminate()


def bench_calls() -> None:
    """Writes, a page of the list, and the lookup, as the store grows."""
    for count in (10, 1_000, MANY):
        report(f"writes, {count:,} subscriptions", writes_a_second(count), "1/s", ">= 2,000")

    caller = Caller(filled(MANY))
    for name, path, queries in (
        ("first page", "/subscriptions", [""]),
        ("last page", "/subscriptions", [f"page={MANY // 15 + 1}"]),
        ("page of a dial code", "/subscriptions", ["customerCountryCode=966"]),
        ("lookup by the user's id", "/subscriptions/lookup", ["external_customer_id=usr_77"]),
        ("lookup by email", "/subscriptions/lookup", ["email=customer77@example.com"]),
    ):
        report(f"{name}, 10,000 subscriptions", each(caller, path, queries), "ms", "< 5")
    sandbox = filled(MANY)
    sandbox.switches.replica_lag = 60
    caller = Caller(sandbox)
    asyncio.run(caller.call("POST", "/subscriptions/9/pause"))
    lagging = each(caller, "/subscriptions/lookup", ["external_customer_id=usr_77"])
    report("lookup in a replica that lags, 10,000 subscriptions", lagging, "ms", "< 5")

    def first_lookup() -> float:
        caller = Caller(filled(MANY))
        began = time.process_time()
        asyncio.run(caller.call("GET", "/subscriptions/lookup", "external_customer_id=usr_77"))
        return (time.process_time() - began) * 1000

    first = statistics.median(first_lookup() for _ in range(3))
    report("the first lookup, which makes the index", first, "ms", "")


def writes_a_second(count: int) -> float:
    """Return how often a second a store of *count* subscriptions takes a change."""
    caller = Caller(filled(count))

    async def writes() -> None:
        for number in range(500):
            verb = "unpause" if number // 10 % 2 else "pause"
            await caller.call("POST", f"/subscriptions/{number % 10 + 1}/{verb}")

    return 500_000 / milliseconds(lambda: asyncio.run(writes()))


def each(caller: Caller, path: str, queries: Sequence[str]) -> float:
    """Return how many milliseconds one call takes."""

    async def calls() -> None:
        for number in range(20):
            await caller.call("GET", path, queries[number % len(queries)])

    return milliseconds(lambda: asyncio.run(calls())) / 20


def bench_time() -> None:
    """A year of one subscription, and of ten thousand, with every delivery."""
    spent, delivered = a_year_of(1, rounds=ROUNDS)
    row = f"a year of one subscription, {delivered:,} deliveries"
    report(row, spent * 1000, "ms", "<= 10")
    before = megabytes()
    spent, delivered = a_year_of(MANY, rounds=1)
    report(f"a year of 10,000 subscriptions, {delivered:,} deliveries", spent, "s", "< 60")
    report("memory of that year, at most", megabytes() - before, "MB", "")


def a_year_of(count: int, *, rounds: int) -> tuple[float, int]:
    """Return the median of the seconds, and how many deliveries there were."""
    spent: list[float] = []
    delivered = 0

    async def year(sandbox: Sandbox) -> None:
        nonlocal delivered
        gc.collect()
        began = time.process_time()
        await sandbox.advance(days=365)
        spent.append(time.process_time() - began)
        delivered = len(sandbox.deliveries)
        await sandbox.aclose()

    for _ in range(rounds):
        asyncio.run(year(filled(count, webhook=True)))
    return statistics.median(spent), delivered


def bench_snapshots() -> None:
    """A named snapshot of 10,000 subscriptions, to the memory and to a file."""
    snapshots = filled(MANY, webhook=True).snapshots
    taken = milliseconds(lambda: snapshots.save("full"))
    report("a snapshot of 10,000 subscriptions", taken, "ms", "")

    def there_and_back() -> None:
        snapshots.save("full")
        snapshots.restore("full")

    report("the same, and restored", milliseconds(there_and_back), "ms", "<= 10")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "full.json"
        written = milliseconds(lambda: snapshots.save_file(path, "full"))
        report("the same, to a file", written, "ms", "<= 300")
        read = milliseconds(lambda: snapshots.load_file(path, "again"), rounds=5)
        report("the same, from a file", read, "ms", "")


def bench_worlds() -> None:
    """The first call of a new world, when 200 others are there."""
    server = Sandbox()
    for number in range(200):
        server.world(f"w{number}")
    made = iter(range(1_000))

    def first_call() -> None:
        world = server.world(f"new{next(made)}")
        root = world.base_url.removeprefix("http://127.0.0.1")
        asyncio.run(Caller(world, root).call("GET", "/store"))

    report("a new world beside 200, with its first answer", milliseconds(first_call), "ms", "< 50")


def bench_memory() -> None:
    """The store by itself."""
    before = megabytes()
    kept = filled(MANY)
    report("memory of 10,000 subscriptions, at most", megabytes() - before, "MB", "")
    del kept


def megabytes() -> float:
    """Return the most memory that this process has had."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts bytes, Linux kibibytes.
    return most / (1_000_000 if sys.platform == "darwin" else 1_000_000 / 1024)


def main() -> None:
    """Print the table."""
    print(f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    print(f"{'the sandbox':<66} {'here':>9} {'':<4} {'must':>9}")
    report("memory of the empty process", megabytes(), "MB", "")
    bench_memory()
    bench_start()
    bench_calls()
    bench_time()
    bench_snapshots()
    bench_worlds()


if __name__ == "__main__":
    main()
