"""A customer who changes subscriptions in the portal while calls are under way."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import attrs

from rmz_async.sandbox.rules import subscriptions as lifecycle
from rmz_async.sandbox.store.state import Status, Subscription
from rmz_async.sandbox.wire.answers import RefusedError
from tests.faults.shop import Shop

_MONTH = timedelta(days=30)


def renew(subscription: Subscription, now: datetime) -> None:
    """Begin the next period, as a payment does."""
    subscription.status = Status.ACTIVE
    subscription.current_period_start = subscription.current_period_end
    subscription.current_period_end += _MONTH
    subscription.cancel_at_period_end = False
    subscription.paused_at = None
    subscription.paused_remaining_days = None
    subscription.updated_at = now


DOINGS: dict[str, Callable[[Subscription, datetime], None]] = {
    "subscriptions.pause": lifecycle.pause,
    "subscriptions.unpause": lifecycle.unpause,
    "subscriptions.cancel": partial(lifecycle.cancel, immediately=False),
    "subscriptions.cancel+immediate": partial(lifecycle.cancel, immediately=True),
    "renewal": renew,
}
"""By the names of the calls that do the same."""

WANTED: dict[str, Callable[[Subscription], bool]] = {
    "subscriptions.pause": lambda found: found.status is Status.PAUSED,
    "subscriptions.unpause": lambda found: found.status is Status.ACTIVE,
    "subscriptions.cancel": lambda found: found.cancel_at_period_end,
    "subscriptions.cancel+immediate": lambda found: found.status is Status.CANCELED,
}
"""By the names of the calls: whether a subscription is as the call wants it."""


@attrs.frozen
class Doing:
    """A change by the customer to a subscription.

    Attributes:
        at: When; seconds, monotonic.
        before: The subscription as it was.
        after: The subscription as it was then.
    """

    at: float
    before: Subscription
    after: Subscription


class Customer:
    """Does something now and then, to one of the shop's subscriptions; no ledger holds that."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._done: list[Doing] = []

    def act(self, chance: random.Random, subscription_id: int) -> None:
        """Do something that the subscription's state allows, or nothing."""
        self.do(chance.choice(tuple(DOINGS)), subscription_id)

    def do(self, what: str, subscription_id: int) -> None:
        """Do one of `DOINGS`, if the subscription's state allows it."""
        subscription = self._shop.state.subscriptions.get(subscription_id)
        if subscription is None:
            return
        before = attrs.evolve(subscription)
        now = self._shop.timing.today().replace(microsecond=0)
        try:
            DOINGS[what](subscription, now)
        except RefusedError:
            return
        self._done.append(Doing(self._shop.timing.clock(), before, attrs.evolve(subscription)))

    def explains(self, name: str, subscription_id: int | None, since: float) -> bool:
        """Say whether the customer's own change is what a call wanted.

        Args:
            name: The name of the call.
            subscription_id: On which it was made.
            since: From when on the call may have been applied; seconds, monotonic.
        """
        return name in WANTED and any(
            doing.at >= since and explains(name, subscription_id, doing)
            for doing in self._done[-50:]
        )


def explains(name: str, subscription_id: int | None, doing: Doing) -> bool:
    """Say whether *doing* has brought about, on that subscription, what the call wanted."""
    is_wanted = WANTED[name]
    same = doing.after.id == subscription_id
    return same and is_wanted(doing.after) and not is_wanted(doing.before)
