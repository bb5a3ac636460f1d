"""Facts about users that several processes share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import attrs

from rmz_async.models import Subscription

__all__ = ("AccessCache", "Fact")


@attrs.frozen
class Fact:
    """The answer of RMZ about one user.

    Attributes:
        subscriptions: All subscriptions of the user, inactive ones included.
        checked_at: When RMZ was asked; UTC.
    """

    subscriptions: Sequence[Subscription] = attrs.field(repr=False)
    checked_at: datetime


class AccessCache(Protocol):
    """A store of facts that several processes share, so that one of them asks RMZ for all.

    A paywall goes on without its cache if a method raises.
    """

    async def get(self, user: str) -> Fact | None:
        """Return what a process has learnt about a user, or None."""
        ...

    async def put(self, user: str, fact: Fact) -> None:
        """Store what this process has learnt."""
        ...

    async def forget(self, user: str) -> None:
        """Remove the fact about a user, because something has changed."""
        ...

    async def lease(self, user: str) -> str | None:
        """Return a token if this process may ask RMZ; None if another process asks now."""
        ...

    async def release(self, user: str, token: str) -> None:
        """Give back a lease of this process."""
        ...

    async def learnt(self, user: str, *, after: datetime | None, seconds: float) -> Fact | None:
        """Wait for the answer of the process that asks now.

        Args:
            user: The user.
            after: A fact that is not newer than this does not count.
            seconds: How long to wait.

        Returns:
            The fact; None if none came in time, or the other process gave its lease back.
        """
        ...
