"""Whether RMZ can be asked at present."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

from rmz_async.errors import AuthenticationError, PacingError, PermissionDeniedError, RMZError

logger: logging.Logger = logging.getLogger("rmz_async.paywall")

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 10.0
SLOT_PAUSE = 2.0


class Reachability:
    """Remembers the last failure, so that not every asker waits for the next one.

    Args:
        now: Returns seconds, steady.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._failures = 0
        self._paused_until = -math.inf
        self.problem: str | None = None
        self.answered: bool = False

    @property
    def pause(self) -> float:
        """Seconds for which RMZ is not asked; 0 if it can be asked."""
        return max(self._paused_until - self._now(), 0.0)

    @property
    def first_pause(self) -> float:
        """The same if RMZ has failed only once or twice: it may be back immediately; else 0."""
        return self.pause if self._failures <= 2 else 0.0

    def succeeded(self) -> None:
        """Note an answer."""
        if self._failures:
            logger.warning("The paywall can ask RMZ again, after %d failures", self._failures)
        self._failures = 0
        self._paused_until = -math.inf
        self.problem = None
        self.answered = True

    def failed(self, error: Exception) -> None:
        """Note a failure."""
        if isinstance(error, PacingError):
            # RMZ is well, and the minute is used up: the next one may be luckier.
            self.problem = "the requests of this minute are used up"
            return
        self._failures += 1
        pause = FIRST_PAUSE * 2 ** min(self._failures - 1, 10)
        self._paused_until = self._now() + min(pause, LONGEST_PAUSE)
        self.problem = type(error).__name__
        if self._failures == 1:
            denied = isinstance(error, AuthenticationError | PermissionDeniedError)
            logger.log(
                logging.ERROR if denied else logging.WARNING,
                "The paywall cannot ask RMZ: %s",
                # The message of a token source's own error might show the token.
                error if isinstance(error, RMZError) else self.problem,
            )
