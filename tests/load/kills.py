"""Processes killed at named points, one after another, and what became of their deliveries."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Generator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import attrs

from tests.load.databases import (
    AnyDatabase,
    SQLiteDatabase,
    effects,
    let_sqlite_tell_uptime,
    new_database,
    takeovers,
    uptime,
    waiting,
)
from tests.load.deliveries import Sent, genuine
from tests.load.disks import SmallDisk, small_disk
from tests.load.points import NORMAL, POINTS
from tests.load.victims import HANDLERS, LEASE, Plan, live, lock, start, survive

BLOCK = 100
"""Processes on one database; each block can be played again by its seed."""

ALONE = 60.0
"""Seconds that the process which goes on may take for what is left of a block."""

TROUBLES = ("none", "busy", "clock", "disk")


@attrs.define
class Tally:
    """The figures of some blocks.

    Attributes:
        kills: How many processes were killed at each point.
        missed: How many processes ended before they had reached their point.
        hung: How many processes did not end.
        troubles: How many processes met each trouble.
        events: How many events RMZ had signed.
        repeated: How many deliveries were not answered, and came again.
        lost: Effects that are missing.
        doubled: Effects that have happened more than once.
        unknown: Effects of events that RMZ has not sent.
        takeovers: How many tasks were taken over after a lease had ended.
        late: Seconds after the lease's end at which one of these was taken over, at most; without
            the time in which the disk was full, or somebody else kept the database locked.
        latest_in: The block in which that was.
        wrong: The seeds of the blocks in which something is not as it must be.
    """

    kills: Counter[str] = attrs.field(factory=Counter[str])
    missed: int = 0
    hung: int = 0
    troubles: Counter[str] = attrs.field(factory=Counter[str])
    events: int = 0
    repeated: int = 0
    lost: int = 0
    doubled: int = 0
    unknown: int = 0
    takeovers: int = 0
    late: float = 0.0
    latest_in: str = ""
    wrong: list[str] = attrs.field(factory=list[str])

    def figures(self) -> dict[str, Any]:
        """Return the figures as they are printed."""
        return {
            "killed": self.kills.total(),
            "points at which": len(self.kills),
            "at each": dict(sorted(self.kills.items())),
            "ended before their point": self.missed,
            "hung": self.hung,
            "troubles": dict(self.troubles),
            "events": self.events,
            "delivered again": self.repeated,
            "lost": self.lost,
            "doubled": self.doubled,
            "unknown": self.unknown,
            "taken over": self.takeovers,
            "taken over late": round(self.late, 3),
            "latest in": self.latest_in,
            "wrong": self.wrong,
        }

    @property
    def faults(self) -> int:
        """How much there is of what must not be."""
        return self.hung + self.lost + self.doubled + self.unknown


def play(name: str, seed: int, kills: int, seconds: float = float("inf")) -> Tally:
    """Play blocks until so many processes were killed, or so much time has passed."""
    logging.disable(logging.CRITICAL)
    let_sqlite_tell_uptime()
    tally = Tally()
    until = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder, small_disk(Path(folder, "small")) as disk:
        # PostgreSQL's server, which may be another user's process, keeps tables on the small disk.
        Path(folder).chmod(0o711)
        while tally.kills.total() < kills and time.monotonic() < until:
            faults, late = tally.faults, tally.late
            # Every other block lies on the small disk, if there is one.
            small = disk if seed % 2 == 0 else None
            left = kills - tally.kills.total()
            with _database(name, Path(folder), small) as database:
                _Block(database, seed, small, tally).play(min(left, BLOCK))
            block = f"kills/{name}/{seed}"
            if tally.faults > faults:
                tally.wrong.append(block)
            if tally.late > late:
                tally.latest_in = block
            seed += 1
    return tally


@contextmanager
def _database(name: str, folder: Path, disk: SmallDisk | None) -> Generator[AnyDatabase]:
    lying = (folder if disk is None else disk.folder) / "block"
    lying.mkdir()
    from tests.load.postgres import tablespace

    apart = name == "postgres" and disk is not None
    with tablespace(lying) if apart else nullcontext("") as place:
        database = new_database(name, lying, place)
        database.create(LEASE)
        yield database
        database.drop()
    shutil.rmtree(lying)


class _Block:
    """A database, and the processes that die on it."""

    def __init__(
        self, database: AnyDatabase, seed: int, disk: SmallDisk | None, tally: Tally
    ) -> None:
        self._database = database
        self._disk = disk
        self._tally = tally
        self._chance = Random(f"{database.name} {seed}")
        self._number = 0
        self._unanswered: list[Sent] = []
        self._keys: set[str] = set()
        # The times in which nobody could write, so that no task could be taken over.
        self._unwritables: list[tuple[float, float]] = []

    def play(self, kills: int) -> None:
        """Kill so many processes, and compare the effects with what was delivered."""
        survivor = start(partial(survive, self._database))
        try:
            points = [point for _ in range(kills) for point in POINTS]
            self._chance.shuffle(points)
            wanted = self._tally.kills.total() + kills
            while self._tally.kills.total() < wanted and points:
                self._let_one_live(points.pop())
            while self._unanswered:
                self._run(self._plan("nowhere", [self._unanswered.pop()]))
            self._wait()
        finally:
            os.kill(survivor, signal.SIGKILL)
            os.waitpid(survivor, 0)
        compare(self._database, self._keys, self._unwritables, self._tally)

    def _let_one_live(self, point: str) -> None:
        trouble = self._chance.choice(TROUBLES) if self._chance.random() < 0.25 else "none"
        if trouble == "disk" and self._disk is None and self._database.name == "postgres":
            # The disk of its server is full for nobody.
            trouble = "none"
        plan = self._plan(point, self._deliveries())
        self._tally.troubles[trouble] += 1
        match trouble:
            case "clock":
                self._run(attrs.evolve(plan, clock=self._chance.uniform(1, 7200)))
            case "busy":
                with self._unwritable():
                    locker = start(partial(lock, self._database, self._chance.uniform(0.01, 1.4)))
                    self._run(plan)
                    os.waitpid(locker, 0)
            case "disk" if self._disk is not None:
                with self._unwritable(), self._disk.full():
                    self._run(plan)
            case "disk" if isinstance(self._database, SQLiteDatabase):
                wal = self._database.path.with_name("inbox.db-wal")
                self._run(attrs.evolve(plan, limited=wal))
            case _:
                self._run(plan)

    @contextmanager
    def _unwritable(self) -> Generator[None]:
        began = uptime()
        yield
        self._unwritables.append((began, uptime()))

    def _plan(self, point: str, sent: list[Sent]) -> Plan:
        return Plan(
            seed=self._chance.randrange(1 << 32),
            sent=sent,
            point=point,
            times=self._chance.choice([1, 1, 1, 2, 3]),
            mode=POINTS.get(point, NORMAL),
        )

    def _deliveries(self) -> list[Sent]:
        sent = [self._unanswered.pop() for _ in range(min(3, len(self._unanswered)))]
        for _ in range(self._chance.randint(1, 3)):
            self._number += 1
            first, second = genuine(self._chance, self._number)
            sent.append(first)
            # Sometimes the other webhook's delivery comes at the same time.
            if self._chance.random() < 0.2:
                sent.append(second)
        return sent

    def _run(self, plan: Plan) -> None:
        self._keys.update(one.key for one in plan.sent if one.key is not None)
        reading, writing = os.pipe()
        pid = start(partial(live, self._database, plan, writing))
        os.close(writing)
        with os.fdopen(reading) as pipe:
            lines = pipe.read().split()
        _, status = os.waitpid(pid, 0)
        answered = {int(line) for line in lines if line.isdigit()}
        points = [line for line in lines if not line.isdigit()]
        left = [one for number, one in enumerate(plan.sent) if number not in answered]
        self._unanswered += left
        self._tally.repeated += len(left)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            self._tally.kills[points[0]] += 1
        elif os.WIFSIGNALED(status):
            self._tally.hung += 1
        else:
            self._tally.missed += 1

    def _wait(self) -> None:
        until = time.monotonic() + ALONE
        while waiting(self._database) and time.monotonic() < until:
            time.sleep(0.05)


def compare(
    database: AnyDatabase,
    keys: Collection[str],
    unwritable: Collection[tuple[float, float]],
    tally: Tally,
) -> None:
    """Compare the effects in a database with what was delivered.

    Args:
        database: The database, in which nothing goes on any more.
        keys: The events' keys.
        unwritable: From when until when nobody could write, so that nothing could be taken over.
        tally: Gets the result.
    """
    counts = effects(database)
    wanted = {(handler, key) for handler in HANDLERS for key in keys}
    tally.events += len(keys)
    tally.lost += len(wanted - counts.keys())
    tally.unknown += len(counts.keys() - wanted)
    tally.doubled += sum(count > 1 for count in counts.values())
    for ended, taken in takeovers(database):
        excused = sum(max(0.0, min(end, taken) - max(begin, ended)) for begin, end in unwritable)
        tally.takeovers += 1
        tally.late = max(tally.late, taken - ended - excused)
