"""The users about whom RMZ is asked again in the background."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import anyio
import attrs

from rmz_async._calls.clock import Clock
from rmz_async._per_loop import PerLoop

logger: logging.Logger = logging.getLogger("rmz_async.paywall")

# The rest of the minute is for those who wait: customers who are new, or whose period has ended.
SHARE = 0.5

# The refreshes that may follow each other immediately, after a time without any.
BURST = 20

WORKERS = 4


@attrs.define(eq=False)
class Due:
    """The users who wait in one event loop.

    Attributes:
        reported: The users of whom an event has reported a change; the keys, in order. They go
            first.
        users: The same for all others.
        wake: Set when a user was added.
        runs: Whether workers refresh the users.
    """

    reported: dict[str, None] = attrs.field(factory=dict[str, None])
    users: dict[str, None] = attrs.field(factory=dict[str, None])
    wake: anyio.Event = attrs.field(factory=anyio.Event)
    runs: bool = False

    def __len__(self) -> int:
        return len(self.reported) + len(self.users)

    def pop(self) -> str:
        """Take the first user out."""
        users = self.reported or self.users
        user = next(iter(users))
        del users[user]
        return user


class Refreshing:
    """Asks RMZ again for users whose answer has become old, with a share of the minute.

    Args:
        refresh: Asks for one user.
        per_minute: RMZ's requests a minute.
        clock: Time and sleep.
        pause: Returns the seconds for which RMZ is not to be asked.
    """

    def __init__(
        self,
        refresh: Callable[[str], Awaitable[object]],
        per_minute: int,
        clock: Clock,
        pause: Callable[[], float],
    ) -> None:
        self._refresh = refresh
        self._interval = 60.0 / (per_minute * SHARE)
        self._clock = clock
        self._pause = pause
        self._next = 0.0
        self._due: PerLoop[Due] = PerLoop(Due)
        self.waiting: int = 0

    def backlog(self) -> float:
        """Return the seconds that the users who wait will take."""
        return self.waiting * self._interval

    def later(self, user: str, *, first: bool = False) -> bool:
        """Refresh a user in the background; False if no task of this event loop does that.

        Args:
            user: The user.
            first: Whether to do so before all others.
        """
        due = self._due.for_running_loop()
        if not due.runs:
            return False
        (due.reported if first else due.users)[user] = None
        self.waiting = len(due)
        due.wake.set()
        return True

    def begin(self) -> None:
        """Take users from now on, because `run` is about to begin in this event loop."""
        due = self._due.for_running_loop()
        due.runs = True
        # In the child of a fork, those of the parent wait no more.
        self.waiting = len(due)

    async def run(self) -> None:
        """Refresh users until this is cancelled."""
        due = self._due.for_running_loop()
        try:
            async with anyio.create_task_group() as workers:
                for _ in range(WORKERS):
                    workers.start_soon(self._work, due)
        finally:
            due.runs = False
            due.reported.clear()
            due.users.clear()
            self.waiting = 0

    async def _work(self, due: Due) -> None:
        while True:
            while not due:
                # Idle workers share one event.
                if due.wake.is_set():
                    due.wake = anyio.Event()
                await due.wake.wait()
            await self._clock.sleep(self._slot())
            while pause := self._pause():
                await self._clock.sleep(pause)
            if not due:
                continue
            # Read now, because an event may have reported a change meanwhile.
            user = due.pop()
            self.waiting = len(due)
            try:
                await self._refresh(user)
            # RMZ may refuse one user's name, and all others are still to be refreshed.
            except Exception as error:  # noqa: BLE001 - see above
                logger.warning("The paywall could not refresh a user: %s", type(error).__name__)

    def _slot(self) -> float:
        now = self._clock.clock()
        self._next = max(self._next + self._interval, now - BURST * self._interval)
        return max(self._next - now, 0.0)
