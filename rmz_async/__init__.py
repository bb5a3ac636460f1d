"""The RMZ client for asyncio and trio.

``async with rmz_async.Client() as rmz: await rmz.subscriptions.get(501)``
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rmz_async._decoding.converter import from_dict
from rmz_async._lazy import lazily
from rmz_async._pacing.memory import InMemoryQuotaStore
from rmz_async._version import __version__
from rmz_async.client import Client
from rmz_async.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    FieldErrors,
    InvalidRequestError,
    MissingExtraError,
    NotFoundError,
    OutcomeUnknownError,
    PacingError,
    PayloadError,
    PermissionDeniedError,
    RateLimitError,
    RefusedFieldsError,
    RMZError,
    ServerError,
    SignatureError,
    UnexpectedAnswerError,
    UnprocessableEntityError,
    WebhookError,
)
from rmz_async.options import Pacing, QuotaReport, QuotaStore, RetryPolicy
from rmz_async.pagination import Page, Pager

if TYPE_CHECKING:
    from rmz_async import webhooks
    from rmz_async.models import (
        Category,
        CheckoutSession,
        Code,
        CompletedOrder,
        CreatedOrder,
        Customer,
        DuplicateOrder,
        Duration,
        JSONObject,
        Model,
        NewCustomer,
        Order,
        OrderedProduct,
        OrderItem,
        OrderLine,
        OrderStatus,
        OrderStatusChange,
        PaymentMethod,
        PendingOrder,
        PhoneNumber,
        PortalSession,
        Price,
        Product,
        ProductImage,
        ProductStatus,
        ProductType,
        ProductVariant,
        Store,
        StoreStatistics,
        Subscription,
        SubscriptionLookup,
        SubscriptionProduct,
        SubscriptionSnapshot,
        SubscriptionStatus,
        Transaction,
        Variant,
    )
    from rmz_async.webhooks import Event, EventType

__all__ = (
    "APIError",
    "AuthenticationError",
    "BadRequestError",
    "Category",
    "CheckoutSession",
    "Client",
    "Code",
    "CompletedOrder",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "CreatedOrder",
    "Customer",
    "DuplicateOrder",
    "Duration",
    "Event",
    "EventType",
    "FieldErrors",
    "InMemoryQuotaStore",
    "InvalidRequestError",
    "JSONObject",
    "MissingExtraError",
    "Model",
    "NewCustomer",
    "NotFoundError",
    "Order",
    "OrderItem",
    "OrderLine",
    "OrderStatus",
    "OrderStatusChange",
    "OrderedProduct",
    "OutcomeUnknownError",
    "Pacing",
    "PacingError",
    "Page",
    "Pager",
    "PayloadError",
    "PaymentMethod",
    "PendingOrder",
    "PermissionDeniedError",
    "PhoneNumber",
    "PortalSession",
    "Price",
    "Product",
    "ProductImage",
    "ProductStatus",
    "ProductType",
    "ProductVariant",
    "QuotaReport",
    "QuotaStore",
    "RMZError",
    "RateLimitError",
    "RefusedFieldsError",
    "RetryPolicy",
    "ServerError",
    "SignatureError",
    "Store",
    "StoreStatistics",
    "Subscription",
    "SubscriptionLookup",
    "SubscriptionProduct",
    "SubscriptionSnapshot",
    "SubscriptionStatus",
    "Transaction",
    "UnexpectedAnswerError",
    "UnprocessableEntityError",
    "Variant",
    "WebhookError",
    "__version__",
    "from_dict",
    "webhooks",
)

if not TYPE_CHECKING:
    # Or a type checker would take any name for one of this package.
    __getattr__, __dir__ = lazily(
        __name__,
        dict.fromkeys(set(__all__) - globals().keys(), f"{__name__}.models")
        | dict.fromkeys(("Event", "EventType", "webhooks"), f"{__name__}.webhooks"),
    )
