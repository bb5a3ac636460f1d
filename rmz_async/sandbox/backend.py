"""What every endpoint and page works on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from rmz_async.sandbox.delivery.courier import Courier, Parcel
from rmz_async.sandbox.delivery.webhook import Webhook
from rmz_async.sandbox.shapes.order_events import order_payload
from rmz_async.sandbox.shapes.subscription_events import Event, subscription_payload
from rmz_async.sandbox.store.ledger import Effect
from rmz_async.sandbox.store.orders import Order
from rmz_async.sandbox.store.replica import Replica
from rmz_async.sandbox.store.state import Store, Subscription
from rmz_async.sandbox.wire.exact_json import dumps

__all__ = ("Backend",)


class Backend:
    """The store, the time, and those who want to know what happens."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.webhooks: dict[int, Webhook] = {}
        self.courier: Courier = Courier(self.now)
        self.ledger: list[Effect] = []
        self._clock = clock
        self.replica: Replica = Replica(store, clock)

    def now(self) -> datetime:
        """Return the time, UTC, in whole seconds: RMZ's tables hold no fractions."""
        return whole_seconds(self._clock())

    def record(self, operation: str, object_id: int | str, detail: str) -> None:
        """Note in the ledger what a call has changed."""
        self.ledger.append(Effect(operation, object_id, self.now(), detail))

    def announce(self, event: Event, subscription: Subscription) -> None:
        """Send a subscription's *event* to every enabled webhook, with one event id for all."""
        event_id = self.store.ids.uuid("event")
        self._send(event, event_id, subscription_payload(event, event_id, subscription, self.store))

    def announce_order(self, event: Event, order: Order) -> None:
        """Send an order's *event* to every enabled webhook; it has no event id."""
        self._send(event, None, order_payload(event, order, self.store, self.now()))

    def announce_placed(self, order: Order) -> None:
        """Tell of an order that was just made: of its subscriptions, then of itself."""
        for item in order.items:
            if item.subscription_id is not None:
                self.announce(Event.CREATED, self.store.subscriptions[item.subscription_id])
        self.announce_order(Event.ORDER_CREATED, order)

    def _send(self, event: Event, event_id: str | None, payload: dict[str, object]) -> None:
        body = dumps(payload)
        for webhook in tuple(self.webhooks.values()):
            if webhook.enabled:
                self.courier.send(
                    Parcel(
                        webhook=webhook,
                        event=event,
                        event_id=event_id,
                        request_id=self.store.ids.number("request", first=90001),
                        body=body,
                    )
                )


def whole_seconds(moment: datetime) -> datetime:
    """Return an aware *moment* as UTC without its fraction of a second.

    Raises:
        ValueError: It is naive.
    """
    if moment.tzinfo is None:
        raise ValueError("the clock must return aware datetimes, for example datetime.now(UTC)")
    return moment.astimezone(UTC).replace(microsecond=0)
