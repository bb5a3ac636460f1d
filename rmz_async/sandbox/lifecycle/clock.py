"""The sandbox's time, which stands still unless it is moved or set running."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import anyio.lowlevel

__all__ = ("Clock",)

# Takes a function that says until when, because another move may come first.
Move = Callable[[Callable[[], datetime]], Awaitable[None]]


class Clock:
    """The time of one sandbox.

    Args:
        source: Returns the time, aware, for a clock that follows another one; None for a clock
            that stands still at the machine's time of now.
        monotonic: Returns seconds, for a clock that is set running.

    Raises:
        ValueError: *source* returns a naive time.
    """

    def __init__(
        self,
        source: Callable[[], datetime] | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._base = datetime.now(UTC)
        self._offset = timedelta(0)
        self._monotonic = monotonic
        self._running_since: float | None = None
        self._pinned: datetime | None = None
        self._move: Move | None = None
        self.now()

    @property
    def follows_another(self) -> bool:
        """Whether the time comes from a source of the caller's."""
        return self._source is not None

    @property
    def is_running(self) -> bool:
        """Whether time passes by itself."""
        return self._running_since is not None or self.follows_another

    def now(self) -> datetime:
        """Return the time, UTC, with its fraction of a second."""
        return self._unpinned() if self._pinned is None else self._pinned

    def run(self) -> None:
        """Let time pass as fast as it does outside.

        Raises:
            ValueError: The clock follows another one.
        """
        if self.follows_another:
            raise ValueError("this clock follows the one that the sandbox was given")
        if self._running_since is None:
            self._running_since = self._monotonic()

    def stop(self) -> None:
        """Let time stand still."""
        if self._running_since is not None:
            self._base = self._unpinned() - self._offset
            self._running_since = None

    async def advance(
        self,
        duration: timedelta | None = None,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> None:
        """Move the time on, and bring about in order what comes due on the way.

        The call returns when all deliveries that came due were attempted, retries included.

        Args:
            duration: How far; added to the others.
            days: Days to add.
            hours: Hours to add.
            minutes: Minutes to add.
            seconds: Seconds to add.

        Raises:
            ValueError: Time cannot go back.
        """
        distance = (duration or timedelta(0)) + timedelta(
            days=days, hours=hours, minutes=minutes, seconds=seconds
        )
        if distance < timedelta(0):
            raise ValueError("time goes on and never back: advance by 0 seconds or more")
        await self._move_until(lambda: self.now() + distance)

    async def sleep(self, seconds: float) -> None:
        """Move the time on until *seconds* from now, unless somebody else has moved it so far."""
        until = self.now() + timedelta(seconds=seconds)
        await self._move_until(lambda: max(until, self.now()))
        await anyio.lowlevel.checkpoint()

    def set_to(self, moment: datetime) -> None:
        """Show *moment* from now on, without bringing anything about."""
        self._pinned = None
        self._offset += moment - self._unpinned()

    def pin(self, moment: datetime | None) -> None:
        """Show *moment* for a while; None ends it."""
        self._pinned = moment

    def moved_by(self, move: Move | None) -> Move | None:
        """Let *move* do the work of `advance`; return the function that did so before."""
        before, self._move = self._move, move
        return before

    async def _move_until(self, until: Callable[[], datetime]) -> None:
        if self._move is None:
            self.set_to(until())
        else:
            await self._move(until)

    def _unpinned(self) -> datetime:
        if self._source is not None:
            moment = self._source()
            if moment.tzinfo is None:
                raise ValueError(
                    "the clock must return aware datetimes, for example datetime.now(UTC)"
                )
            return moment.astimezone(UTC) + self._offset
        passed = 0.0
        if self._running_since is not None:
            passed = self._monotonic() - self._running_since
        return self._base + self._offset + timedelta(seconds=passed)
