"""A shop of 10,000 users over a sandbox: who they are, who visits, and what changes in a day."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TypeAlias

import attrs

from rmz_async.sandbox import Sandbox
from rmz_async.sandbox.store.cards import Card, CardBehaviour
from rmz_async.sandbox.store.state import Status, Subscription
from rmz_async.sandbox.store.switches import ChargeAt
from tests.day.simulated_time import MIDNIGHT, now

__all__ = ("Change", "Kind", "Shop")

FIRST = 10_001
VARIANT, PRODUCT = 15, 102

# Out of 100 users; the rest has never bought anything.
KINDS: dict[str, int] = {
    "renewing": 52,
    "renews today": 4,
    "cannot pay": 2,
    "ends today": 5,
    "trial ends today": 3,
    "past due": 4,
    "paused": 5,
    "canceled": 5,
    "expired": 5,
}
Kind: TypeAlias = str

# So often in an hour something happens to some subscription.
CHANGES: dict[Kind, float] = {
    "cancel": 12.0,
    "cancel at the end": 12.0,
    "pause": 8.0,
    "unpause": 8.0,
    "extend": 4.0,
    "subscribe": 20.0,
}


@attrs.frozen
class Change:
    """A thing that happens.

    Attributes:
        at: Seconds from the beginning.
        kind: As in `CHANGES`.
    """

    at: float
    kind: Kind


class Shop:
    """The users of a shop.

    Args:
        seed: Makes all that is left to chance.
        users: How many there are.
        hours: For how long they come.
        checks: How many pages they view in a second, on average.
    """

    def __init__(self, seed: int, users: int, hours: float, checks: float) -> None:
        self.chance = random.Random(seed)
        self.length = hours * 3600.0
        self.users = [f"usr_{number}" for number in range(1, users + 1)]
        self._checks = checks
        self.sandbox = Sandbox(clock=now, seed=seed)
        self.sandbox.switches.charge_at = ChargeAt.PERIOD_END
        kinds = list(itertools.chain(*([kind] * share for kind, share in KINDS.items())))
        kinds += ["unknown"] * (100 - len(kinds))
        self.kinds: dict[str, Kind] = {user: self.chance.choice(kinds) for user in self.users}
        for number, (user, kind) in enumerate(self.kinds.items(), FIRST):
            if kind != "unknown":
                row = self._row(number, user, kind)
                self.sandbox.state.subscriptions[number] = row
        self._visitors = self.users.copy()
        self.chance.shuffle(self._visitors)
        # Zipf: the n-th user comes 1/n times as often as the first one.
        self._weights = list(itertools.accumulate(1 / n for n in range(1, users + 1)))

    def visits(self) -> Iterator[tuple[float, str]]:
        """Make the moments of all page views, and who comes: most by day, few by night."""
        chance, at = random.Random(self.chance.random()), 0.0
        while True:
            by_day = 1.0 - 0.7 * math.cos(2 * math.pi * at / 86_400.0)
            at += chance.expovariate(self._checks * by_day)
            if at >= self.length:
                return
            yield at, chance.choices(self._visitors, cum_weights=self._weights)[0]

    def changes(self) -> Iterator[Change]:
        """Make all that happens to subscriptions, in order."""
        chance, at = random.Random(self.chance.random()), 0.0
        kinds = list(CHANGES)
        while True:
            at += chance.expovariate(sum(CHANGES.values()) / 3600.0)
            if at >= self.length:
                return
            yield Change(at, chance.choices(kinds, list(CHANGES.values()))[0])

    def someone(self, *statuses: Status) -> Subscription | None:
        """Return a subscription in one of these states, and of one who visits often, perhaps."""
        rows = self.sandbox.state.subscriptions
        for _ in range(200):
            row = rows.get(self.chance.randrange(FIRST, FIRST + len(self.users)))
            if (
                row is not None
                and row.status in statuses
                and row.renews == (Status.ACTIVE in statuses)
            ):
                return row
        return None

    def newcomer(self) -> str:
        """Return a user without a subscription that lets him in."""
        kinds = ("unknown", "expired", "canceled")
        users = [user for user, kind in self.kinds.items() if kind in kinds]
        user = self.chance.choice(users)
        self.kinds[user] = "new"
        return user

    def _row(self, number: int, user: str, kind: Kind) -> Subscription:
        start = MIDNIGHT - timedelta(seconds=self.chance.randrange(3600, 340 * 86_400))
        today = MIDNIGHT + timedelta(seconds=self.chance.randrange(60, int(self.length) + 60))
        later = MIDNIGHT + timedelta(days=self.chance.randrange(2, 300))
        row = Subscription(
            id=number,
            customer_id=4501,
            product_id=PRODUCT,
            variant_id=VARIANT,
            order_id=78901,
            price=self.sandbox.state.variants[VARIANT].price,
            started_at=start,
            current_period_start=start,
            current_period_end=later,
            updated_at=start,
            external_customer_id=user,
            card=Card(last_four="4242", scheme="visa"),
        )
        _shape(row, kind, today, start)
        return row


def _shape(row: Subscription, kind: Kind, today: datetime, start: datetime) -> None:
    match kind:
        case "renews today":
            row.current_period_end = today
        case "cannot pay":
            row.current_period_end = today
            row.card = Card(
                last_four="0341", scheme="visa", behaviour=CardBehaviour.FAILS_AT_RENEWAL
            )
        case "ends today":
            row.current_period_end = today
            row.cancel_at_period_end, row.auto_renew, row.canceled_at = True, False, start
        case "trial ends today":
            row.status, row.paid_periods = Status.TRIALING, 0
            row.trial_ends_at = row.current_period_end = today
        case "past due":
            row.status, row.failed_attempts = Status.PAST_DUE, 1
            # The grace of some of them ends today.
            row.failed_at = row.current_period_end = today - timedelta(days=7)
            row.card = Card(
                last_four="0341", scheme="visa", behaviour=CardBehaviour.FAILS_AT_RENEWAL
            )
        case "paused":
            row.status, row.paused_at, row.paused_remaining_days = Status.PAUSED, start, 20
        case "canceled":
            row.status, row.canceled_at, row.auto_renew = Status.CANCELED, start, False
        case "expired":
            row.status, row.auto_renew = Status.EXPIRED, False
            row.current_period_end = start + timedelta(minutes=30)
        case _:
            pass
