"""A line in which requests wait for a slot: first come, first served."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

from rmz_async._calls.clock import Clock


class NoSlotError(Exception):
    """The next slot would come too late, and nothing was sent.

    Attributes:
        wait: Seconds until the next slot.
    """

    def __init__(self, wait: float) -> None:
        super().__init__(f"the next slot comes in {wait:.1f} s")
        self.wait = wait


class Line:
    """The requests of one event loop that wait for slots of one quota.

    Attributes:
        waiters: The first comes first.
    """

    def __init__(self) -> None:
        self.waiters: list[_Waiter] = []

    async def wait(
        self, ask: Callable[[float, int], Awaitable[float]], clock: Clock, latest: float
    ) -> float:
        """Wait for a slot, behind all who came before.

        Args:
            ask: Returns the seconds until the slot, given the time and how many go first.
            clock: The time, and how to sleep.
            latest: When the slot must have come; seconds, monotonic.

        Returns:
            When the slot came; seconds, monotonic.

        Raises:
            NoSlotError: The slot would come later than *latest*.
        """
        waiter = _Waiter()
        self.waiters.append(waiter)
        try:
            while True:
                # A fresh scope for each check: if it is cancelled before the sleep starts, the
                # sleep returns immediately.
                waiter.wait_scope = anyio.CancelScope()
                ahead = self.waiters.index(waiter)
                now = clock.clock()
                wait = await ask(now, ahead)
                if wait <= 0 and not ahead:
                    return now
                if now + wait > latest:
                    raise NoSlotError(wait)
                with waiter.wait_scope:
                    # Only the first waiter watches the clock. As it leaves the line, it wakes the
                    # next waiter.
                    await (anyio.sleep_forever() if ahead else clock.sleep(wait))
                # A task that is woken and cancelled together must not take a slot.
                await anyio.lowlevel.checkpoint_if_cancelled()
        finally:
            self._leave(waiter)

    def wake(self) -> None:
        """Wake all waiters, so that each whose wait is now too long fails immediately."""
        for waiter in self.waiters:
            waiter.wait_scope.cancel()

    def _leave(self, waiter: _Waiter) -> None:
        was_first = self.waiters[0] is waiter
        self.waiters.remove(waiter)
        if was_first and self.waiters:
            self.waiters[0].wait_scope.cancel()


class _Waiter:
    __slots__ = ("wait_scope",)

    def __init__(self) -> None:
        self.wait_scope = anyio.CancelScope()
