"""A customer who changes subscriptions in the portal while calls are under way."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

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

# Its own words for "somebody made it active".
_ALSO = {"subscriptions.unpause": ("renewal",)}


class Customer:
    """Does something now and then, to one of the shop's subscriptions.

    Attributes:
        done: What was done: when, to which, what; the ledger holds none of it.
    """

    def __init__(self, shop: Shop) -> None:
        self.done: list[tuple[float, int, str]] = []
        self._shop = shop

    def act(self, chance: random.Random, subscription_id: int) -> None:
        """Do something that the subscription's state allows, or nothing."""
        what = chance.choice(tuple(DOINGS))
        subscription = self._shop.state.subscriptions.get(subscription_id)
        if subscription is None:
            return
        now = self._shop.timing.today().replace(microsecond=0)
        try:
            DOINGS[what](subscription, now)
        except RefusedError:
            return
        self.done.append((self._shop.timing.clock(), subscription_id, what))

    def did(self, since: float, subscription_id: int | None, what: str | None = None) -> bool:
        """Say whether *what*, or anything, was done to a subscription since then."""
        wanted = None if what is None else (what, *_ALSO.get(what, ()))
        return any(
            at >= since and number == subscription_id and (wanted is None or done in wanted)
            for at, number, done in reversed(self.done[-50:])
        )
