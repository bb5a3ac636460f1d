"""What a delivery says."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import attrs

from rmz_async.models._model import Model, model
from rmz_async.models.orders import Order
from rmz_async.models.subscriptions import SubscriptionSnapshot

__all__ = ("Event", "EventType")


class EventType(StrEnum):
    """What can happen."""

    ORDER_CREATED = "order.created"
    ORDER_STATUS_CHANGED = "order.status.changed"
    SUBSCRIPTION_CREATED = "subscription.created"
    SUBSCRIPTION_ACTIVATED = "subscription.activated"
    SUBSCRIPTION_RENEWED = "subscription.renewed"
    SUBSCRIPTION_RENEWAL_FAILED = "subscription.renewal_failed"
    SUBSCRIPTION_PAST_DUE = "subscription.past_due"
    SUBSCRIPTION_EXPIRED = "subscription.expired"
    SUBSCRIPTION_CANCELED = "subscription.canceled"
    SUBSCRIPTION_PAUSED = "subscription.paused"
    SUBSCRIPTION_UNPAUSED = "subscription.unpaused"
    SUBSCRIPTION_RESUMED = "subscription.resumed"
    SUBSCRIPTION_UPDATED = "subscription.updated"


@model
class Event(Model):
    """One event, as a delivery told it.

    Every webhook gets every event, more than once and in any order: look at ``event`` first, and
    expect events that you do not know.

    Attributes:
        event: A known type, or the text that RMZ sent where it has grown a new one.
        event_id: The same for each delivery of one event; None for orders.
        data: What came with it, as plain data; numbers with a fraction are ``Decimal``. Hidden in
            ``repr``: an order's may hold the codes that were sold.
        request_id: The delivery's number. It is not signed: good for a log, and for nothing else.
        subscription: For events about subscriptions: how it was when the event happened.
        order: For the known events about orders: how it was when the event happened.

    Source: https://docs.rmz.gg/webhooks/payload-format
    """

    event: EventType | str
    event_id: str | None = None
    data: Mapping[str, Any] = attrs.field(repr=False)
    request_id: str | None = None
    subscription: SubscriptionSnapshot | None = None
    order: Order | None = None
