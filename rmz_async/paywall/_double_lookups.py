"""Stands for RMZ, for a paywall whose answers are set by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rmz_async._calls.clock import Clock
from rmz_async.errors import ConfigurationError, ConnectionFailedError, NotFoundError
from rmz_async.models import CheckoutSession, Subscription
from rmz_async.paywall._lookups import Urgency
from rmz_async.paywall._purchase import Purchase


class DoubleLookups:
    """Stands for RMZ.

    Attributes:
        now: The time.
        known: The subscriptions of each user.
        is_out: Whether RMZ is out of reach.
    """

    per_minute: int = 120
    replica_lag: float = 0.0
    store: str = "double"

    def __init__(self, now: datetime) -> None:
        if now.tzinfo is None:
            raise ConfigurationError("now: must be an aware time, for example datetime.now(UTC)")
        # Two times of one zone are subtracted as the wall clock shows them, without the hour that
        # summer time takes.
        self.now: datetime = now.astimezone(UTC)
        self.known: dict[str, tuple[Subscription, ...]] = {}
        self.is_out: bool = False
        self.clock: Clock = Clock(clock=lambda: self.now.timestamp(), today=lambda: self.now)

    async def subscriptions(self, user: str, urgency: Urgency) -> Sequence[Subscription]:
        """Return the subscriptions of a user."""
        self._reach()
        return self.known.get(user, ())

    async def get(self, subscription_id: int) -> Subscription:
        """Return one subscription."""
        self._reach()
        for subscriptions in self.known.values():
            for subscription in subscriptions:
                if subscription.id == subscription_id:
                    return subscription
        raise NotFoundError("the double has no such subscription", status=404)

    async def start(self, user: str, purchase: Purchase) -> CheckoutSession:
        """Return a session whose address leads nowhere."""
        self._reach()
        return CheckoutSession(checkout_url=f"https://checkout.invalid/{purchase.variant_id}")

    def _reach(self) -> None:
        if self.is_out:
            raise ConnectionFailedError("the double plays an outage; nothing was sent")
