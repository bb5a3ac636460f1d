"""The state that every endpoint and page works on."""

from __future__ import annotations

import random
from datetime import datetime

import attrs
from starlette.requests import Request

from rmz_async.sandbox.delivery.courier import Courier
from rmz_async.sandbox.delivery.log import Parcel
from rmz_async.sandbox.delivery.webhook import Webhook
from rmz_async.sandbox.endpoints.throttle import Throttle
from rmz_async.sandbox.faults.faults import Faults
from rmz_async.sandbox.lifecycle.clock import Clock
from rmz_async.sandbox.serving.request_log import KeptRequests
from rmz_async.sandbox.serving.server import Server
from rmz_async.sandbox.shapes.events import Event, embed, order_payload, subscription_payload
from rmz_async.sandbox.store.ids import random_uuid
from rmz_async.sandbox.store.ledger import Effect, Happening
from rmz_async.sandbox.store.orders import Order
from rmz_async.sandbox.store.replica import Replica
from rmz_async.sandbox.store.state import Store, Subscription
from rmz_async.sandbox.wire.below import origin_of, root_of
from rmz_async.sandbox.wire.exact_json import dumps
from rmz_async.sandbox.wire.quirks import quirky

__all__ = ("Backend",)


class Backend:
    """The store, the time, chance, and those who want to know what happens.

    Args:
        seed: Makes chance, and with it the ids of events, the same in every run.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        seed: int | str,
        server: Server,
    ) -> None:
        self.store = store
        self._server = server
        self.clock = clock
        self.seed: int | str = seed
        self.chance: random.Random = random.Random(self.seed)  # noqa: S311 - nothing secret depends on it
        self.webhooks: dict[int, Webhook] = {}
        self.faults: Faults = Faults(self.chance.getrandbits(64))
        self.courier: Courier = Courier(
            self.webhooks, self.now, self.faults, for_retry=self._for_retry
        )
        self.ledger: list[Effect] = []
        self.requests: KeptRequests = KeptRequests()
        self.replica: Replica = Replica(store, clock.now)
        # Counts changes that the pages show and no table has, such as a new snapshot.
        self.other_changes: int = 0
        # The rate limits' windows, by a name of theirs.
        self.throttles: dict[str, Throttle] = {}
        self.last_request_id: int = self.chance.randrange(10**6, 10**9)

    @property
    def is_ending(self) -> bool:
        """Whether the server waits for the last answers, so that no stream may go on."""
        return self._server.is_ending

    def now(self) -> datetime:
        """Return the time, UTC, in whole seconds: RMZ's tables hold no fractions."""
        return self.clock.now().replace(microsecond=0)

    def origin_for(self, request: Request) -> str:
        """Return the address that links to pages begin with, without a trailing slash."""
        if self._server.public_url is not None:
            return f"{self._server.public_url}{root_of(request)}"
        return origin_of(request)

    def record(self, operation: str, object_id: int | str, detail: str) -> None:
        """Note in the ledger what a call has changed."""
        self.ledger.append(Effect(operation, object_id, self.now(), detail))

    def announce(self, event: Event, subscription: Subscription) -> None:
        """Send a subscription's *event* to every enabled webhook, with one event id for all."""
        happening = Happening(
            event=event,
            at=self.now(),
            status=subscription.status,
            period_start=subscription.current_period_start,
            period_end=subscription.current_period_end,
        )
        history = self.store.history
        history[subscription.id] = (*history.get(subscription.id, ()), happening)
        if self._has_listeners():
            event_id = random_uuid(self.chance)
            payload = subscription_payload(event, event_id, subscription, self.store)
            self._send(event, event_id, payload, subscription)

    def announce_order(self, event: Event, order: Order) -> None:
        """Send an order's *event* to every enabled webhook; it has no event id."""
        if self._has_listeners():
            payload = order_payload(event, order, self.store, self.now())
            self._send(event, None, payload, order)

    def announce_placed(self, order: Order) -> None:
        """Announce an order that was just made: its subscriptions first, then the order."""
        for item in order.items:
            if item.subscription_id is not None:
                self.announce(Event.CREATED, self.store.subscriptions[item.subscription_id])
        self.announce_order(Event.ORDER_CREATED, order)

    def emit(self, event: Event, object_id: int) -> None:
        """Send *event* about an object as it is.

        Raises:
            ValueError: There is no such object.
        """
        if event.startswith("order."):
            if object_id not in self.store.orders:
                raise ValueError(f"there is no order {object_id}")
            self.announce_order(event, self.store.orders[object_id])
        else:
            if object_id not in self.store.subscriptions:
                raise ValueError(f"there is no subscription {object_id}")
            self.announce(event, self.store.subscriptions[object_id])

    def _new_request_id(self) -> int:
        self.last_request_id += 1
        return self.last_request_id

    def _for_retry(self, parcel: Parcel) -> Parcel:
        if not self.store.switches.request_id_per_attempt:
            return parcel
        return attrs.evolve(parcel, request_id=self._new_request_id())

    def _has_listeners(self) -> bool:
        return any(webhook.enabled for webhook in self.webhooks.values())

    def _send(
        self,
        event: Event,
        event_id: str | None,
        payload: dict[str, object],
        about: Subscription | Order,
    ) -> None:
        body = dumps({**payload, "data": quirky(payload["data"], self.store.switches)})
        for webhook in tuple(self.webhooks.values()):
            if webhook.enabled:
                # RMZ takes any such address for Discord's, wherever the word stands in it.
                for_discord = "discord" in webhook.url
                self.courier.send(
                    Parcel(
                        webhook_id=webhook.id,
                        event=event,
                        event_id=event_id,
                        request_id=self._new_request_id(),
                        body=embed(event, about) if for_discord else body,
                        object_id=about.id,
                    )
                )
