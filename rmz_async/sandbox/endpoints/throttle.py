"""The limit of requests in a minute: Laravel's fixed windows."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs

__all__ = ("Admission", "Throttle")

_WINDOW = timedelta(minutes=1)


@attrs.frozen
class Admission:
    """Whether one request is served, and what its answer says about the limit."""

    limit: int
    remaining: int
    now: datetime
    retry_at: datetime | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers that every answer carries; a refused one has two more."""
        headers = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
        }
        if self.retry_at is not None:
            headers["Retry-After"] = str(int((self.retry_at - self.now).total_seconds()))
            headers["X-RateLimit-Reset"] = str(int(self.retry_at.timestamp()))
        return headers


class Throttle:
    """Serves *limit* requests in each minute; the first request opens the minute."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._closes_at: datetime | None = None
        self._served = 0

    def keep(self) -> tuple[datetime | None, int]:
        """Return when the window closes, and how many requests it has served."""
        return self._closes_at, self._served

    def put_back(self, window: tuple[datetime | None, int]) -> None:
        """Have a window again."""
        self._closes_at, self._served = window

    def admit(self, now: datetime) -> Admission:
        """Count one request, unless the window is full."""
        if self._closes_at is None or now >= self._closes_at:
            self._closes_at = now + _WINDOW
            self._served = 0
        if self._served >= self._limit:
            return Admission(self._limit, 0, now, self._closes_at)
        self._served += 1
        return Admission(self._limit, self._limit - self._served, now)
