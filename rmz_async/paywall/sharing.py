"""Facts about users that several processes share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

import attrs

from rmz_async._frozen import frozen
from rmz_async.models import Subscription, SubscriptionStatus

__all__ = ("AccessCache", "Change", "Changes", "Fact")


@frozen
class Fact:
    """The answer of RMZ about one user."""

    subscriptions: Sequence[Subscription] = attrs.field(repr=False)
    """All subscriptions of the user, inactive ones included."""

    checked_at: datetime
    """When RMZ was asked; UTC."""

    is_doubted: bool = False
    """Whether something has changed since then."""

    is_partial: bool = False
    """Whether the user may have more subscriptions than these."""


@frozen(kw_only=True)
class Change:
    """A change of a subscription, which a webhook has reported to one of the processes."""

    user: str
    """Whose subscription has changed."""

    at: datetime
    """When the webhook came to the process; UTC."""

    subscription_id: int
    """The subscription."""

    status: SubscriptionStatus | str
    """The status that the webhook has named."""


@frozen(kw_only=True)
class Changes:
    """The changes since a mark."""

    mark: str
    """The place in the list to go on from."""

    changes: Sequence[Change] = ()
    """The oldest first."""


@runtime_checkable
class AccessCache(Protocol):
    """A store of facts that several processes share, so that one of them asks RMZ for all.

    A paywall goes on without its cache if a method raises.
    """

    async def get(self, user: str) -> Fact | None:
        """Return what a process has learnt about a user, or None."""
        ...

    async def put(self, user: str, fact: Fact) -> None:
        """Store what this process has learnt, unless a newer fact is known."""
        ...

    async def announce(self, change: Change) -> None:
        """Let all processes know of a change; a fact that is older is doubted from now on."""
        ...

    async def changes(self, after: str | None) -> Changes:
        """Return the changes that were announced since a mark.

        Args:
            after: The mark of the last call; None for all that are still known.
        """
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
