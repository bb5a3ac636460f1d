"""The time of an inbox: Unix time that never goes back, even if the clock is set back."""

from __future__ import annotations

from rmz_async._calls.clock import Clock


class SteadyTime:
    """Follows the calendar when it runs ahead, and the monotonic clock when it falls behind.

    A lease ends at a time. If the calendar were put back by an hour, the tasks of a worker that has
    died would otherwise wait for an hour longer.

    Args:
        clock: Both clocks.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = clock.today().timestamp() - clock.clock()

    def now(self, at_least: float = 0.0) -> float:
        """Return the time in seconds; several threads may ask.

        Args:
            at_least: A time that another process has seen already.
        """
        monotonic = self._clock.clock()
        seen = max(self._clock.today().timestamp(), at_least)
        self._ahead = max(self._ahead, seen - monotonic)
        return monotonic + self._ahead
