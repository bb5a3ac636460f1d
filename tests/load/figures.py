"""The cost of the inbox, as a table; each ratio comes from works that took turns in one run."""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

import aiohttp
import attrs

import rmz_sync.webhooks
from rmz_async.webhooks import Receiver
from rmz_async.webhooks.inbox.interface import Grouping
from rmz_async.webhooks.inbox.records import Delivery
from tests.load import rivals
from tests.load.crowd import PROCESS, end
from tests.load.databases import AnyDatabase, SQLiteDatabase, new_database
from tests.load.deliveries import SECRETS, Sent, genuine
from tests.load.receiving import RECORDED, transacting

ROUNDS = 7
STORED = 300
DRAINED = 1_500
SERVED = 600
WORKERS = 4
FOR_WORKERS = 10_000
TIMES = 3

_numbers = itertools.count(1)
_chance = Random(1)


@attrs.frozen
class Figure:
    """A row of the table.

    Attributes:
        work: The measured work, and the work beside it.
        value: The ratio, or the figure with its unit.
        must: The figure that is demanded.
        met: Whether it is.
    """

    work: str
    value: str
    must: str
    met: bool


def ratio(work: str, value: float, must: float) -> Figure:
    """Return the row of a ratio that must be so high."""
    return Figure(work, f"{value:.2f}", f"≥ {must:g}" if must else "", value >= must)


def measured() -> Iterator[Figure]:
    """Measure all, and give each row as soon as it is known."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        path = Path(folder)
        loop = asyncio.new_event_loop()
        stack.callback(loop.close)
        yield from _stores(loop, path)
        yield from _drains(loop, path)
    yield from _served()
    yield from _workers()


def _deliveries(count: int) -> list[Sent]:
    return [genuine(_chance, next(_numbers))[0] for _ in range(count)]


Work = Callable[[list[Sent]], object]


def _medians(works: dict[str, Work], size: int) -> dict[str, float]:
    """Let works take turns, and return the median of each one's seconds for a delivery."""
    spent: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS + 1):
        for name, work in works.items():
            sent = _deliveries(size)
            gc.collect()
            began = time.perf_counter()
            work(sent)
            spent[name].append((time.perf_counter() - began) / size)
    # The first round warms up.
    return {name: statistics.median(times[1:]) for name, times in spent.items()}


def _stores(loop: asyncio.AbstractEventLoop, folder: Path) -> Iterator[Figure]:
    database = new_database("sqlite", folder)
    database.create(None)
    receiver = transacting(database, database.inbox())

    async def receive(sent: list[Sent], at_once: int) -> None:
        waiting = list(sent)

        async def some() -> None:
            while waiting:
                one = waiting.pop()
                ack = await receiver.receive(one.body, one.headers)
                assert ack.status == 200

        await asyncio.gather(*(some() for _ in range(at_once)))

    (folder / "sync").mkdir()
    blocking = rmz_sync.webhooks.Receiver(
        secrets=SECRETS, inbox=new_database("sqlite", folder / "sync").inbox()
    )
    blocking.on("*", name=RECORDED)(lambda _: None)

    def receive_blocking(one: Sent) -> None:
        assert blocking.receive(one.body, one.headers).status == 200

    def each(store: rivals.Store) -> Work:
        return lambda sent: [store(one) for one in sent]

    others = {name: each(rival(folder)) for name, rival in rivals.OTHERS.items()}
    works: dict[str, Work] = {
        "bare": each(rivals.bare(folder)),
        "1": lambda sent: loop.run_until_complete(receive(sent, 1)),
        "50": lambda sent: loop.run_until_complete(receive(sent, 50)),
        "sync": each(receive_blocking),
        **others,
    }
    medians = _medians(works, STORED)
    bare = medians["bare"]
    yield Figure("SQLite: a bare insert", f"{bare * 1000:.2f} ms", "", True)
    yield ratio(
        "`receive`, one delivery at a time, compared with the bare insert",
        bare / medians["1"],
        0.35,
    )
    yield ratio("`receive`, 50 at a time, compared with the bare insert", bare / medians["50"], 2.0)
    yield ratio(
        "`rmz_sync`'s `receive`, one at a time, compared with the bare insert",
        bare / medians["sync"],
        0.0,
    )
    for name in others:
        yield ratio(
            f"{name}, one at a time, compared with the bare insert", bare / medians[name], 0.0
        )
    loop.run_until_complete(receiver.aclose())
    blocking.close()


def _drains(loop: asyncio.AbstractEventLoop, folder: Path) -> Iterator[Figure]:
    numbers = itertools.count()
    inner = folder / "drains"
    inner.mkdir()

    def place() -> Path:
        place = inner / str(next(numbers))
        place.mkdir()
        return place

    spent: dict[str, list[float]] = {"inbox": [], "hand": []}
    for _ in range(ROUNDS):
        sent = _deliveries(DRAINED)
        work = rivals.by_hand(place(), [str(one.key) for one in sent])
        began = time.perf_counter()
        work()
        spent["hand"].append(time.perf_counter() - began)
        spent["inbox"].append(loop.run_until_complete(_drained(SQLiteDatabase(place()), sent)))
    inbox, hand = (statistics.median(spent[name]) for name in ("inbox", "hand"))
    yield Figure("an event by hand", f"{hand / DRAINED * 1000:.2f} ms", "", True)
    yield ratio(
        "`working()` with the effect in the inbox's transaction, compared with by hand",
        hand / inbox,
        0.5,
    )


async def _drained(database: SQLiteDatabase, sent: list[Sent]) -> float:
    database.create(None)
    receiver = transacting(database, database.inbox())
    _store(receiver, sent)
    began = time.perf_counter()
    async with receiver.working():
        while await _waiting(receiver):  # noqa: ASYNC110 - the receiver has no event for it
            await asyncio.sleep(0.02)
        spent = time.perf_counter() - began
    await receiver.aclose()
    return spent


async def _waiting(receiver: Receiver) -> int:
    return (await receiver.stats()).waiting


def _store(receiver: Receiver, sent: list[Sent]) -> None:
    for first in range(0, len(sent), 500):
        receiver.inbox.add([_delivery(one) for one in sent[first : first + 500]])


def _delivery(sent: Sent) -> Delivery:
    handlers = {RECORDED: Grouping.EACH}
    return Delivery(key=str(sent.key), name="bench", body=sent.body, handlers=handlers)


def _served() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        database = new_database("sqlite", Path(folder))
        database.create(None)
        with _process("bench", database.address) as process:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            yield from asyncio.run(_answers(f"http://127.0.0.1:{port}"))


async def _answers(url: str) -> list[Figure]:
    async with aiohttp.ClientSession() as session:

        async def send(path: str, at_once: int) -> tuple[float, list[float]]:
            waiting, latencies = _deliveries(SERVED), list[float]()

            async def some() -> None:
                while waiting:
                    one = waiting.pop()
                    began = time.perf_counter()
                    async with session.post(
                        url + path, data=one.body, headers=one.headers
                    ) as answer:
                        assert answer.status == 200
                    latencies.append(time.perf_counter() - began)

            began = time.perf_counter()
            await asyncio.gather(*(some() for _ in range(at_once)))
            return time.perf_counter() - began, latencies

        rows: list[Figure] = []
        for at_once in (1, 50):
            await send("/bare", at_once)
            await send("/webhooks/rmz", at_once)
            bare: list[float] = []
            ours: list[float] = []
            latencies: list[float] = []
            for _ in range(ROUNDS):
                bare.append((await send("/bare", at_once))[0])
                spent, found = await send("/webhooks/rmz", at_once)
                ours.append(spent)
                latencies += found
            rows.append(
                ratio(
                    f"the FastAPI router, {at_once} at a time, compared with a route that inserts "
                    "one row",
                    statistics.median(bare) / statistics.median(ours),
                    0.6,
                )
            )
            must = (5.0, 25.0) if at_once == 1 else (0.0, 0.0)
            rows += _latencies(f"its answer, {at_once} at a time", latencies, must)
        return rows


def _latencies(work: str, latencies: list[float], must: tuple[float, float]) -> list[Figure]:
    cuts = statistics.quantiles(latencies, n=100)
    rows: list[Figure] = []
    for name, value, most in (("p50", cuts[49], must[0]), ("p99", cuts[98], must[1])):
        milliseconds = value * 1000
        limit = f"< {most:g} ms" if most else ""
        rows.append(
            Figure(
                f"{work}: {name}", f"{milliseconds:.1f} ms", limit, not most or milliseconds < most
            )
        )
    return rows


def _workers() -> Iterator[Figure]:
    rates: dict[str, list[float]] = {"hand": [], "work": []}
    for _ in range(TIMES):
        for job, found in rates.items():
            found.append(_rate(job))
    hand, ours = (statistics.median(rates[job]) for job in ("hand", "work"))
    shown = f"{hand:,.0f} a second"
    yield Figure(f"PostgreSQL, {WORKERS} workers by hand", shown, "", True)
    shown = f"{ours:,.0f} a second"
    work = f"PostgreSQL, {WORKERS} workers with the effect in the inbox's transaction"
    yield Figure(work, shown, "≥ 2,000", ours >= 2000)
    yield ratio("the same, compared with by hand", ours / hand, 0.5)


def _rate(job: str) -> float:
    """Return how many effects a second several processes have."""
    with tempfile.TemporaryDirectory() as folder:
        database = new_database("postgres", Path(folder))
        database.create(None)
        receiver = transacting(database, database.inbox())
        _store(receiver, _deliveries(FOR_WORKERS))
        receiver.inbox.close()
        for statement in rivals.WORK_IN_POSTGRES if job == "hand" else ():
            database.rows(statement)
        with ExitStack() as stack:
            processes = [
                stack.enter_context(_process(job, database.address)) for _ in range(WORKERS)
            ]
            for process in processes:
                assert process.stdout is not None
                process.stdout.readline()
            first, began = _effects(database, 1)
            last, ended = _effects(database, FOR_WORKERS)
        database.drop()
    return (last - first) / (ended - began)


def _effects(database: AnyDatabase, wanted: int) -> tuple[int, float]:
    while (count := int(database.rows("SELECT COUNT(*) FROM effects")[0][0])) < wanted:
        time.sleep(0.05)
    return count, time.perf_counter()


@contextmanager
def _process(job: str, address: str) -> Generator[subprocess.Popen[str]]:
    command = [sys.executable, "-P", str(PROCESS), job, address, "--lease", "30"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        end(process)


def table(figures: list[Figure]) -> str:
    """Return the table as Markdown."""
    rows = ["| Work | Measured | Must |", "| --- | --- | --- |"]
    rows += [
        f"| {row.work} | {row.value} | {row.must}{'' if row.met else ' (missed)'} |"
        for row in figures
    ]
    load = os.getloadavg()[0]
    return "\n".join([*rows, "", f"Python {platform.python_version()}, load {load:.1f}"])
