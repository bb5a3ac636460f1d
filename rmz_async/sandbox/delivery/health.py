"""Whether a webhook fails so often that RMZ switches it off."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

from rmz_async.sandbox.delivery.log import Delivery

__all__ = ("Health",)

# RMZ says three months, five attempts and 80 %.
_REMEMBERED = timedelta(days=90)
_LEAST_ATTEMPTS = 5
_PERCENT = 80


class Health:
    """The attempts of one webhook within the last three months.

    Args:
        attempts: When each was made, and whether it succeeded.
    """

    def __init__(self, attempts: Iterable[tuple[datetime, bool]] = ()) -> None:
        self._attempts: deque[tuple[datetime, bool]] = deque(attempts)
        self._failed = sum(not succeeded for _, succeeded in self._attempts)

    @property
    def attempts(self) -> tuple[tuple[datetime, bool], ...]:
        """The time of each attempt, and whether it succeeded."""
        return tuple(self._attempts)

    def note(self, delivery: Delivery) -> None:
        """Count one attempt, and forget those that are too old."""
        self._attempts.append((delivery.at, delivery.succeeded))
        self._failed += not delivery.succeeded
        while self._attempts[0][0] < delivery.at - _REMEMBERED:
            self._failed -= not self._attempts.popleft()[1]

    @property
    def is_bad(self) -> bool:
        """Whether at least five attempts were made, and 80 % of them failed."""
        total = len(self._attempts)
        return total >= _LEAST_ATTEMPTS and self._failed * 100 >= total * _PERCENT
