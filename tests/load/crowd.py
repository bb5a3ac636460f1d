"""Many deliveries to a real server, while workers are killed and the database is restarted."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import psycopg

from rmz_async.integrations._bodies import PATH
from tests.load.databases import (
    AnyDatabase,
    effects,
    let_sqlite_tell_uptime,
    new_database,
    takeovers,
    waiting,
)
from tests.load.deliveries import Sent, crowd

AT_ONCE = 50
"""Deliveries on their way together."""

KILLED = (0, 0, 1)
"""The workers that are killed, one after another; only the first of them among few deliveries."""

FEW = 1_000

PROCESS = Path(__file__).with_name("process.py")

LONGEST = 600.0
"""Seconds without the end of all handlers, after which the proof has failed."""


class Crew:
    """The server and the two workers, each a process of its own."""

    def __init__(self, address: str, lease: float) -> None:
        self._options = [address, "--lease", str(lease)]
        self.server, self.port = self.serve()
        self.workers = [self.work(), self.work()]

    def serve(self) -> tuple[subprocess.Popen[str], int]:
        """Start a server, and return it with its port."""
        server = self._start("serve")
        assert server.stdout is not None
        return server, int(server.stdout.readline())

    def work(self) -> subprocess.Popen[str]:
        """Start a worker, and return it as soon as it works."""
        worker = self._start("work")
        assert worker.stdout is not None
        worker.stdout.readline()
        return worker

    def kill_worker(self, number: int) -> None:
        """Kill a worker in the middle of its work, and start another one."""
        end(self.workers[number], kill=True)
        self.workers[number] = self.work()

    def restart_server(self) -> None:
        """Kill the server in the middle of its work, and start another one."""
        end(self.server, kill=True)
        self.server, self.port = self.serve()

    def end(self) -> None:
        """End all processes."""
        for process in (self.server, *self.workers):
            end(process)

    def _start(self, job: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-P", str(PROCESS), job, *self._options]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def end(process: subprocess.Popen[str], *, kill: bool = False) -> None:
    """End a process that this one has started."""
    (process.kill if kill else process.terminate)()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def play(name: str, count: int, seed: int, lease: float) -> dict[str, Any]:
    """Send *count* deliveries to a receiver on the database *name*, and return the figures."""
    let_sqlite_tell_uptime()
    with tempfile.TemporaryDirectory() as folder:
        database = new_database(name, Path(folder))
        database.create(lease)
        crew = Crew(database.address, lease)
        try:
            return asyncio.run(_play(database, crew, crowd(seed, count)))
        finally:
            crew.end()


async def _play(database: AnyDatabase, crew: Crew, sent: list[Sent]) -> dict[str, Any]:
    began = time.monotonic()
    killed = KILLED if len(sent) > FEW else KILLED[:1]
    keys = {one.key for one in sent if one.key is not None}
    sender = Sender(crew, sent)
    sending = asyncio.create_task(sender.send())

    def done() -> int:
        return int(database.rows("SELECT COUNT(*) FROM effects")[0][0])

    def restart_database() -> None:
        if database.name == "postgres":
            from tests.load.postgres import restart

            restart()
        else:
            crew.restart_server()

    async def kill_workers() -> None:
        for number, worker in enumerate(killed, 1):
            await _until(done, len(keys) * number // (len(killed) + 1))
            await asyncio.to_thread(crew.kill_worker, worker)

    async def restart_once() -> None:
        await _until(lambda: sender.answered, len(sent) // 2)
        await asyncio.to_thread(restart_database)

    await asyncio.gather(kill_workers(), restart_once())
    await sending
    await _until(done, len(keys))
    # A doubled effect comes at the end of a lease.
    await _until(lambda: -waiting(database), 0)
    counts = effects(database)
    found = Counter({key: count for (_, key), count in counts.items()})
    late = [taken - ended for ended, taken in takeovers(database)]
    return {
        "deliveries": len(sent),
        "forged": sum(one.key is None for one in sent),
        "events": len(keys),
        "not answered, and delivered again": sender.refused,
        "lost": len(keys - found.keys()),
        "doubled": sum(count > 1 for count in found.values()),
        "unknown": len(found.keys() - keys),
        "accepted": sender.accepted,
        "workers killed": len(killed),
        "restarts": 1,
        "taken over": len(late),
        "taken over late": round(max(late, default=0.0), 3),
        "seconds": round(time.monotonic() - began, 1),
    }


async def _until(measure: Callable[[], int], wanted: int) -> None:
    began = time.monotonic()
    while time.monotonic() < began + LONGEST:
        # The server that is being restarted says nothing.
        with suppress(psycopg.OperationalError):
            if await asyncio.to_thread(measure) >= wanted:
                return
        await asyncio.sleep(0.1)


class Sender:
    """RMZ: delivers, and delivers again what was not answered with 200."""

    def __init__(self, crew: Crew, sent: list[Sent]) -> None:
        self._crew = crew
        self._waiting = list(reversed(sent))
        self.answered = 0
        self.accepted = 0
        self.refused = 0

    async def send(self) -> None:
        """Deliver all."""
        timeout = aiohttp.ClientTimeout(total=3)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            await asyncio.gather(*(self._send(session) for _ in range(AT_ONCE)))

    async def _send(self, session: aiohttp.ClientSession) -> None:
        while self._waiting:
            one = self._waiting.pop()
            status = await self._status(session, one)
            self.answered += status is not None
            if one.key is None and status is not None:
                self.accepted += status != 401
            elif status != 200:
                self.refused += one.key is not None
                await asyncio.sleep(0.3)
                self._waiting.insert(0, one)

    async def _status(self, session: aiohttp.ClientSession, one: Sent) -> int | None:
        url = f"http://127.0.0.1:{self._crew.port}{PATH}"
        try:
            async with session.post(url, data=one.body, headers=one.headers) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return None
