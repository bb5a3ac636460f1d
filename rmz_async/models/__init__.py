"""What RMZ sends and takes, one module for each resource.

Models are frozen and keyword-only. They can be pickled and copied, and ``to_dict()`` gives plain
data.
"""

from __future__ import annotations

from rmz_async.models._model import JSONObject, Model
from rmz_async.models.customers import Customer, NewCustomer, PhoneNumber
from rmz_async.models.sessions import CheckoutSession, PortalSession
from rmz_async.models.subscriptions import (
    Duration,
    PaymentMethod,
    Price,
    Subscription,
    SubscriptionLookup,
    SubscriptionProduct,
    SubscriptionSnapshot,
    SubscriptionStatus,
    Variant,
)

__all__ = (
    "CheckoutSession",
    "Customer",
    "Duration",
    "JSONObject",
    "Model",
    "NewCustomer",
    "PaymentMethod",
    "PhoneNumber",
    "PortalSession",
    "Price",
    "Subscription",
    "SubscriptionLookup",
    "SubscriptionProduct",
    "SubscriptionSnapshot",
    "SubscriptionStatus",
    "Variant",
)
