"""The RMZ client for code that cannot await: the names of ``rmz_async``, and the same calls.

``with rmz_sync.Client() as rmz: rmz.subscriptions.get(501)``
"""

from __future__ import annotations

from rmz_async import webhooks
from rmz_async._converter import from_dict
from rmz_async._version import __version__
from rmz_async.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    FieldErrors,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    PayloadError,
    PermissionDeniedError,
    RateLimitError,
    RMZError,
    ServerError,
    SignatureError,
    UnexpectedAnswerError,
    UnprocessableEntityError,
    WebhookError,
)
from rmz_async.models import (
    CheckoutSession,
    Customer,
    Duration,
    JSONObject,
    Model,
    NewCustomer,
    PaymentMethod,
    PhoneNumber,
    PortalSession,
    Price,
    Subscription,
    SubscriptionLookup,
    SubscriptionProduct,
    SubscriptionSnapshot,
    SubscriptionStatus,
    Variant,
)
from rmz_async.options import RetryPolicy
from rmz_async.webhooks import Event, EventType
from rmz_sync.client import Client
from rmz_sync.pagination import Page, Pager

__all__ = (
    "APIError",
    "AuthenticationError",
    "BadRequestError",
    "CheckoutSession",
    "Client",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "Customer",
    "Duration",
    "Event",
    "EventType",
    "FieldErrors",
    "InvalidRequestError",
    "JSONObject",
    "Model",
    "NewCustomer",
    "NotFoundError",
    "OutcomeUnknownError",
    "Page",
    "Pager",
    "PayloadError",
    "PaymentMethod",
    "PermissionDeniedError",
    "PhoneNumber",
    "PortalSession",
    "Price",
    "RMZError",
    "RateLimitError",
    "RetryPolicy",
    "ServerError",
    "SignatureError",
    "Subscription",
    "SubscriptionLookup",
    "SubscriptionProduct",
    "SubscriptionSnapshot",
    "SubscriptionStatus",
    "UnexpectedAnswerError",
    "UnprocessableEntityError",
    "Variant",
    "WebhookError",
    "__version__",
    "from_dict",
    "webhooks",
)
