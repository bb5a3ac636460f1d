"""Webhooks: make sure that RMZ sent a delivery, read it, and handle its event once.

``verify`` and the other functions are pure: they need no event loop and no connection. A `Receiver`
stores what was verified, and runs handlers.
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
from rmz_async.webhooks.health import Health, HealthLevel
from rmz_async.webhooks.inbox.interface import Inbox, Stats
from rmz_async.webhooks.receiver import Ack, Receiver, Replay
from rmz_async.webhooks.reconciliation import Reconciliation
from rmz_async.webhooks.samples import sample
from rmz_async.webhooks.signature import sign, verify

__all__ = (
    "Ack",
    "AnyEvent",
    "Event",
    "EventType",
    "Health",
    "HealthLevel",
    "Inbox",
    "OrderCreated",
    "OrderEvent",
    "OrderStatusChanged",
    "Receiver",
    "Reconciliation",
    "Replay",
    "Stats",
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
