"""Changes that an event has reported, to this process or to another one."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import datetime

from rmz_async.models import Subscription, SubscriptionStatus
from rmz_async.paywall._doubts import Doubts
from rmz_async.paywall._expectations import Expectation, Expectations
from rmz_async.paywall._memory import Memory
from rmz_async.paywall.sharing import Change

__all__ = ("ReportedChanges",)

# The most events that are recognized when they are fed again.
MOST_EVENTS = 10_000


class ReportedChanges:
    """Doubts what is known of a user as soon as an event has reported a change.

    Args:
        memory: The known payers.
        doubts: The users of whom an event has reported a change.
        expectations: The states that the events have named.
        now: Returns seconds, steady.
        replica_lag: For how many seconds RMZ may answer with the state before the event.
    """

    def __init__(
        self,
        memory: Memory,
        doubts: Doubts,
        expectations: Expectations,
        now: Callable[[], float],
        replica_lag: float,
    ) -> None:
        self._memory = memory
        self._doubts = doubts
        self._expectations = expectations
        self._now = now
        self._replica_lag = replica_lag
        self._came: dict[Hashable, Change] = {}

    def first(self, event: Hashable, change: Change) -> Change:
        """Return the change as an event reported it when it was fed for the first time.

        A handler that fails is attempted for hours, and no replica lags for so long.

        Args:
            event: The key of the event.
            change: The change, as it is reported now.
        """
        first = self._came.setdefault(event, change)
        if len(self._came) > MOST_EVENTS:
            self._came.pop(next(iter(self._came)), None)
        return first

    def doubt(self, change: Change) -> None:
        """Doubt all that is known of a user."""
        self.expect(change.user, change.subscription_id, change.status)
        self._doubts.add(change.user, change.at)
        self._memory.expire(change.user)

    def note(self, change: Change) -> None:
        """Take over a change that was reported to another process."""
        entry = self._memory.payer(change.user)
        if entry is None or entry.access.checked_at < change.at:
            self.doubt(change)

    def returned(self, user: str, subscription: Subscription, checked_at: datetime) -> None:
        """Expect a state that RMZ has returned, unless an event has named another one since.

        Args:
            user: The user.
            subscription: As it was returned.
            checked_at: When RMZ was asked; UTC.
        """
        if self._doubts.concern(user, checked_at):
            _, missing = self._expectations.missing(user, (subscription,))
            if any(each.subscription_id == subscription.id for each in missing):
                return
        self.expect(user, subscription.id, subscription.status, subscription)

    def expect(
        self,
        user: str,
        subscription_id: int,
        status: SubscriptionStatus | str,
        subscription: Subscription | None = None,
    ) -> None:
        """Expect the next answers about a user to show a state.

        Args:
            user: The user.
            subscription_id: The subscription.
            status: Its status.
            subscription: The subscription as RMZ's API returned it; None if it did not.
        """
        self._expectations.expect(
            user,
            Expectation(
                subscription_id=subscription_id,
                status=status,
                until=self._now() + self._replica_lag,
                subscription=subscription,
            ),
        )
