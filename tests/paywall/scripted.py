"""An RMZ whose answers, failures and time are set by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import anyio.lowlevel
import attrs

from rmz_async import (
    CheckoutSession,
    NotFoundError,
    RMZError,
    ServerError,
    Subscription,
    SubscriptionProduct,
)
from rmz_async.models import SubscriptionStatus
from tests.seams import Clock, Purchase, Urgency

START = datetime(2026, 1, 1, tzinfo=UTC)
DOWN = ServerError("RMZ is down", status=503)


def subscription(
    number: int = 501,
    status: str = "active",
    *,
    user: str = "noura",
    days: float = 30,
    auto_renew: bool = False,
    **fields: Any,
) -> Subscription:
    """Make a subscription whose period ends so many days after `START`."""
    return Subscription(
        id=number,
        status=SubscriptionStatus(status),
        external_customer_id=user,
        current_period_end=START + timedelta(days=days),
        auto_renew=auto_renew,
        product=SubscriptionProduct(id=102),
        **fields,
    )


def to(
    slug: str | None, number: int, status: str = "active", *, days: float = 30, **fields: Any
) -> Subscription:
    """A subscription to a product."""
    one = subscription(number, status, days=days, **fields)
    return attrs.evolve(one, product=SubscriptionProduct(id=number, slug=slug, name=slug))


class ScriptedRMZ:
    """Answers from a table, and keeps a list of those who asked."""

    per_minute = 120
    replica_lag = 30.0
    store = "https://shop.example"

    def __init__(self) -> None:
        self.seconds = 0.0
        self.back = timedelta(0)
        self.known: dict[str, tuple[Subscription, ...]] = {}
        self.failure: RMZError | None = None
        self.hold: anyio.Event | None = None
        self.asked: list[str] = []
        self.urgencies: list[Urgency] = []
        self.got: list[int] = []
        self.slept: list[float] = []
        self.meanwhile: Callable[[], object] = lambda: None
        self.clock = Clock(clock=lambda: self.seconds, today=self.today, sleep=self.sleep)

    def today(self) -> datetime:
        """The time on the calendar."""
        return START + timedelta(seconds=self.seconds) - self.back

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds

    async def sleep(self, seconds: float) -> None:
        """Let time pass while a task sleeps."""
        self.slept.append(seconds)
        self.seconds += seconds
        await anyio.lowlevel.checkpoint()

    def set(self, *subscriptions: Subscription, user: str = "noura") -> None:
        """Change the subscriptions of a user."""
        self.known[user] = subscriptions

    async def subscriptions(self, user: str, urgency: Urgency) -> Sequence[Subscription]:
        """Answer, after `hold` if there is one."""
        self.asked.append(user)
        self.urgencies.append(urgency)
        await anyio.lowlevel.checkpoint()
        if self.hold is not None:
            await self.hold.wait()
        if self.failure is not None:
            raise self.failure
        found = self.known.get(user, ())
        self.meanwhile()
        return found

    async def get(self, subscription_id: int) -> Subscription:
        """Return one subscription."""
        await anyio.lowlevel.checkpoint()
        self.got.append(subscription_id)
        if self.failure is not None:
            raise self.failure
        self.meanwhile()
        for found in self.known.values():
            for one in found:
                if one.id == subscription_id:
                    return one
        raise NotFoundError("there is none", status=404)

    async def start(self, user: str, purchase: Purchase) -> CheckoutSession:
        """Note who starts a checkout."""
        await anyio.lowlevel.checkpoint()
        self.asked.append(user)
        return CheckoutSession(checkout_url=purchase.success_url)
