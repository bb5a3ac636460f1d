"""A sandbox that is served, with fresh objects and a ledger to look at."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta

import attrs

from rmz_async.sandbox import Sandbox
from rmz_async.sandbox.serving.served import Served
from rmz_async.sandbox.store.catalog import Product
from rmz_async.sandbox.store.orders import Order, OrderStatus, StatusChange
from rmz_async.sandbox.store.state import Status, Subscription
from tests.faults.proxy import Proxy
from tests.faults.timing import Timing

_FIRST_ID = 100_000
_PLAIN_PRODUCT = 105


class Shop:
    """The objects that the client changes, and the record of their changes.

    Attributes:
        timing: The sandbox's time and the clients'.
        proxy: The way to it.
    """

    def __init__(self, served: Served, proxy: Proxy, timing: Timing) -> None:
        self.timing = timing
        self.proxy = proxy
        self.token = served.token
        self.state = served.state
        self._served = served
        self._next_id = _FIRST_ID
        self._added: list[int] = []
        self._before: dict[int, Subscription] = {}

    def subscription(self, status: Status = Status.ACTIVE) -> Subscription:
        """Add a subscription that nothing has touched for ten days."""
        plain = self.state.subscriptions[510]
        subscription = attrs.evolve(plain, id=self._new_id(), status=status)
        if status is Status.PAUSED:
            subscription.paused_at = self.timing.today() - timedelta(days=2)
            subscription.paused_remaining_days = 12
        self.state.subscriptions[subscription.id] = subscription
        self._before[subscription.id] = attrs.evolve(subscription)
        return subscription

    def order(self) -> Order:
        """Add an order that is in progress."""
        plain = self.state.orders[78901]
        at = plain.statuses[0].at
        order = attrs.evolve(
            plain,
            id=self._new_id(),
            statuses=[StatusChange(id=1, status=OrderStatus.IN_PROGRESS, at=at)],
        )
        self.state.orders[order.id] = order
        return order

    def product(self) -> Product:
        """Add a product that is sold by the piece."""
        plain = self.state.products[_PLAIN_PRODUCT]
        number = self._new_id()
        product = attrs.evolve(plain, id=number, slug=f"tea-{number}")
        self.state.products[number] = product
        return product

    def upload(self) -> int:
        """Return the id of a picture that the shop has."""
        return next(iter(self.state.uploads))

    def behave(self, lag: float = 0.0, answers: float = 0.0, updates: float = 0.0) -> None:
        """Let reads lag, and the two clocks of RMZ's servers differ, by so many seconds."""
        switches = self.state.switches
        switches.replica_lag = lag
        switches.timestamp_skew, switches.updated_at_skew = answers, updates

    def restore(self, number: int) -> None:
        """Make a subscription what it was when it was added, as its owner may in the portal."""
        before = self._before[number]
        now = self.timing.today().replace(microsecond=0)
        self.state.subscriptions[number] = attrs.evolve(before, updated_at=now)

    def forget(self) -> None:
        """Remove the objects that were added, so that lists stay short."""
        while self._added:
            number = self._added.pop()
            self.state.subscriptions.pop(number, None)
            self._before.pop(number, None)
            self.state.orders.pop(number, None)
            self.state.products.pop(number, None)

    def mark(self) -> int:
        """Return how long the ledger is."""
        return len(self._served.ledger)

    def effects(self, since: int, operation: str) -> list[int | str]:
        """Return whose state *operation* has changed since the ledger was so long."""
        later = self._served.ledger[since:]
        return [effect.object_id for effect in later if effect.operation == operation]

    def _new_id(self) -> int:
        self._next_id += 1
        self._added.append(self._next_id)
        return self._next_id


@contextmanager
def open_shop(*, throttle: bool = False, timing: Timing | None = None) -> Generator[Shop]:
    """Serve a sandbox behind a proxy."""
    timing = Timing() if timing is None else timing
    with (
        Sandbox(clock=timing.today, throttle=throttle).serve() as served,
        Proxy(served.base_url) as proxy,
    ):
        yield Shop(served, proxy, timing)
