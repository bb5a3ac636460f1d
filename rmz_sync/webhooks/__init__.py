"""Webhooks, for code that cannot await: the names of ``rmz_async.webhooks``.

All of them are the same, except for `Receiver`, whose methods block.
"""

from __future__ import annotations

from rmz_async.webhooks import (
    Ack,
    AnyEvent,
    Event,
    EventType,
    Inbox,
    OrderCreated,
    OrderEvent,
    OrderStatusChanged,
    Replay,
    Stats,
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
    diagnose,
    sample,
    sign,
    verify,
)
from rmz_sync.webhooks.receiver import Receiver

__all__ = (
    "Ack",
    "AnyEvent",
    "Event",
    "EventType",
    "Inbox",
    "OrderCreated",
    "OrderEvent",
    "OrderStatusChanged",
    "Receiver",
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
