"""What every endpoint and page works on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from rmz_async.sandbox.deliveries import Courier, Parcel
from rmz_async.sandbox.events import Event, subscription_payload
from rmz_async.sandbox.exact_json import dumps
from rmz_async.sandbox.state import Store, Subscription
from rmz_async.sandbox.webhooks import Webhook

__all__ = ("Backend",)


class Backend:
    """The store, the time, and those who want to know what happens."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.webhooks: dict[int, Webhook] = {}
        self.courier: Courier = Courier(self.now)
        self._clock = clock

    def now(self) -> datetime:
        """Return the time, UTC, in whole seconds: RMZ's tables hold no fractions."""
        return whole_seconds(self._clock())

    def announce(self, event: Event, subscription: Subscription) -> None:
        """Send *event* to every enabled webhook, with one event id for all."""
        ids = self.store.ids
        event_id = ids.uuid("event")
        body = dumps(subscription_payload(event, event_id, subscription, self.store))
        for webhook in tuple(self.webhooks.values()):
            if webhook.enabled:
                self.courier.send(
                    Parcel(
                        webhook=webhook,
                        event=event,
                        event_id=event_id,
                        request_id=ids.number("request", first=90001),
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
