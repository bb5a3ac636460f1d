"""The last known state of each subscription, to be compared with RMZ's list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import attrs

from rmz_async._frozen import frozen
from rmz_async.webhooks.inbox.interface import Inbox
from rmz_async.webhooks.inbox.records import Delivery

__all__ = ("Decide", "KnownStates", "Seen", "Walk")

RESTART = 3_600.0
"""Seconds after which a walk that was left begins at the first page again."""


@frozen(kw_only=True)
class Walk:
    """A walk through RMZ's list of subscriptions, which one process at a time makes.

    Attributes:
        page: The page to go on with; 1 or more.
        fence: A number that is larger with each process that takes the walk up.
        is_first: Whether no walk has come to its end yet.
    """

    page: int
    fence: int
    is_first: bool


@frozen(kw_only=True)
class Seen:
    """A subscription as RMZ's list shows it.

    Attributes:
        subject: Such as ``subscription:501``.
        state: All that is compared; JSON values. A key that RMZ left out is not there.
        source: The subscription itself.
    """

    subject: str
    state: Mapping[str, Any]
    source: Any = attrs.field(repr=False)


Decide = Callable[[Seen, Mapping[str, Any]], Sequence[Delivery]]
"""Returns the deliveries that bring the known state to the one that was seen. The known state is
empty for a subscription that nobody knows."""


@runtime_checkable
class KnownStates(Inbox, Protocol):
    """An inbox that keeps known states beside the deliveries.

    All methods block, and each is one transaction. ``Inbox.add`` takes over the state of a new
    delivery, unless its period began before the known one: such a delivery is late.
    """

    def resume(self, *, lease: float) -> Walk | None:
        """Take up the walk for *lease* seconds; None if another process makes it now."""
        ...

    def compare(
        self,
        walk: Walk,
        page: Sequence[Seen],
        decide: Decide,
        *,
        asked: float,
        lease: float,
        delay: float = 0.0,
    ) -> Sequence[int] | None:
        """Store what a page shows, the deliveries that follow, and that the walk is a page further.

        Args:
            walk: The walk, with the page's number.
            page: The subscriptions, each once.
            decide: Returns the deliveries; pure, called inside the transaction.
            asked: How many seconds ago RMZ may have read its answer. A state that became known
                since then is newer, and stays.
            lease: Seconds for which the walk is this process's.
            delay: Seconds until the deliveries' tasks are due.

        Returns:
            The new deliveries' numbers; None if another process has taken up the walk, and nothing
            was changed.
        """
        ...

    def leave(self, walk: Walk, *, is_complete: bool) -> None:
        """Give the walk back, so that it begins again, or goes on if it is not complete."""
        ...
