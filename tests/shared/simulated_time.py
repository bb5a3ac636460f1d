"""Time that several processes share, and that passes only while all of them sleep."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from multiprocessing.connection import Client, Connection, Listener, wait
from pathlib import Path

__all__ = ("Sleeper", "Time", "Timekeeper")

BEGIN = 1000.0
"""Seconds on the clock when the simulation begins."""

Happening = tuple[float, Callable[[], object]]


class Time:
    """The clock of one process; its sleepers move it."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> float:
        """Return seconds, monotonic."""
        return self.now


class Sleeper:
    """A thread that is either asleep or at work.

    Args:
        path: The socket of the timekeeper.
        time: The clock of this process.
    """

    def __init__(self, path: str, time: Time) -> None:
        self._time = time
        self._connection = Client(path, family="AF_UNIX")

    def sleep(self, seconds: float) -> None:
        """Sleep until the others have slept so long, too."""
        self._connection.send(self._time.now + seconds)
        self._time.now = self._connection.recv()

    def close(self) -> None:
        """Let the others go on without this one."""
        self._connection.close()


class Timekeeper:
    """Moves the time on to the next moment at which a sleeper wakes up.

    Args:
        path: The path of the socket to make.

    Attributes:
        now: Seconds, monotonic.
    """

    def __init__(self, path: Path) -> None:
        self.now = BEGIN
        self._listener = Listener(str(path), family="AF_UNIX", backlog=100)

    def keep(self, sleepers: int, happenings: Sequence[Happening]) -> None:
        """Keep the time of so many sleepers until all of them are gone.

        Args:
            sleepers: How many will connect.
            happenings: Moments, and what happens then, in order; all others are asleep meanwhile.
        """
        with self._listener:
            awake = [self._listener.accept() for _ in range(sleepers)]
        asleep: list[tuple[float, int, Connection]] = []
        coming = list(happenings)
        number = 0
        while awake or asleep:
            while awake:
                for one in wait(awake):
                    assert isinstance(one, Connection)
                    awake.remove(one)
                    try:
                        until = max(one.recv(), self.now)
                    except EOFError:
                        one.close()
                        continue
                    number += 1
                    heapq.heappush(asleep, (until, number, one))
            if not asleep:
                break
            while coming and coming[0][0] <= asleep[0][0]:
                self.now, happen = coming.pop(0)
                happen()
            self.now = asleep[0][0]
            while asleep and asleep[0][0] <= self.now:
                awake.append(heapq.heappop(asleep)[2])
                awake[-1].send(self.now)
