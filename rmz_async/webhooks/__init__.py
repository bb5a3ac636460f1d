"""Webhooks: make sure that RMZ sent a delivery, and read it.

These are pure functions: they need no event loop and no connection.
"""

from __future__ import annotations

from rmz_async.webhooks.diagnosis import diagnose
from rmz_async.webhooks.events import (
    AnyEvent,
    Event,
    EventType,
    OrderCreated,
    OrderEvent,
    OrderStatusChanged,
    SubscriptionActivated,
    SubscriptionCanceled,
    SubscriptionCreated,
    SubscriptionEvent,
    SubscriptionExpired,
    SubscriptionPastDue,
    SubscriptionPaused,
    SubscriptionRenewalFailed,
    SubscriptionRenewed,
    SubscriptionResumed,
    SubscriptionUnpaused,
    SubscriptionUpdated,
    UnknownEvent,
)
from rmz_async.webhooks.receiver import Ack, Receiver
from rmz_async.webhooks.samples import sample
from rmz_async.webhooks.signature import sign, verify

__all__ = (
    "Ack",
    "AnyEvent",
    "Event",
    "EventType",
    "OrderCreated",
    "OrderEvent",
    "OrderStatusChanged",
    "Receiver",
    "SubscriptionActivated",
    "SubscriptionCanceled",
    "SubscriptionCreated",
    "SubscriptionEvent",
    "SubscriptionExpired",
    "SubscriptionPastDue",
    "SubscriptionPaused",
    "SubscriptionRenewalFailed",
    "SubscriptionRenewed",
    "SubscriptionResumed",
    "SubscriptionUnpaused",
    "SubscriptionUpdated",
    "UnknownEvent",
    "diagnose",
    "sample",
    "sign",
    "verify",
)
