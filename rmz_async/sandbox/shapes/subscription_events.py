"""The content of an event about a subscription."""

from __future__ import annotations

from enum import StrEnum
from typing import Never

from rmz_async.sandbox.shapes.subscriptions import metadata_of
from rmz_async.sandbox.store.state import Store, Subscription
from rmz_async.sandbox.wire.forms import assoc, instant

__all__ = ("Event", "subscription_payload")


class Event(StrEnum):
    """An event of a subscription or an order."""

    CREATED = "subscription.created"
    ACTIVATED = "subscription.activated"
    RENEWED = "subscription.renewed"
    RENEWAL_FAILED = "subscription.renewal_failed"
    PAST_DUE = "subscription.past_due"
    EXPIRED = "subscription.expired"
    CANCELED = "subscription.canceled"
    PAUSED = "subscription.paused"
    UNPAUSED = "subscription.unpaused"
    RESUMED = "subscription.resumed"
    UPDATED = "subscription.updated"
    ORDER_CREATED = "order.created"
    ORDER_STATUS_CHANGED = "order.status.changed"

    @classmethod
    def _missing_(cls, value: object) -> Never:
        raise ValueError(f"event must be one of {', '.join(cls)}, not {value!r}")


def subscription_payload(
    event: Event, event_id: str, subscription: Subscription, store: Store
) -> dict[str, object]:
    """Return the documented body; its subscription has not the shape that the API sends."""
    customer = store.customers[subscription.customer_id]
    duration = store.variants[subscription.variant_id].duration
    return {
        "event": event,
        "event_id": event_id,
        "data": {
            "subscription": {
                "id": subscription.id,
                "status": subscription.status,
                "external_customer_id": subscription.external_customer_id,
                "product_id": subscription.product_id,
                "product_name": store.products[subscription.product_id].name,
                "variant": {
                    "id": subscription.variant_id,
                    "price": subscription.price,
                    "duration": duration,
                },
                "duration": duration,
                "current_period_start": instant(subscription.current_period_start),
                "current_period_end": instant(subscription.current_period_end),
                "auto_renew": subscription.renews,
                "metadata": assoc(metadata_of(subscription)),
                "customer": {
                    "id": customer.id,
                    "email": customer.email,
                    "name": customer.name,
                },
            }
        },
    }
