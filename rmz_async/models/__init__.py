"""What RMZ sends and takes, one module for each resource.

Models are frozen and keyword-only. They can be pickled and copied, and ``to_dict()`` gives plain
data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rmz_async._lazy import lazily
from rmz_async.models._model import JSONObject, Model

if TYPE_CHECKING:
    from rmz_async.models.categories import Category
    from rmz_async.models.customers import Customer, NewCustomer, PhoneNumber
    from rmz_async.models.new_orders import (
        CompletedOrder,
        CreatedOrder,
        DuplicateOrder,
        OrderLine,
        PendingOrder,
    )
    from rmz_async.models.orders import (
        Order,
        OrderedProduct,
        OrderItem,
        OrderStatus,
        OrderStatusChange,
        Transaction,
    )
    from rmz_async.models.products import (
        Code,
        Product,
        ProductImage,
        ProductStatus,
        ProductType,
        ProductVariant,
    )
    from rmz_async.models.sessions import CheckoutSession, PortalSession
    from rmz_async.models.store import Store, StoreStatistics
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
    "Category",
    "CheckoutSession",
    "Code",
    "CompletedOrder",
    "CreatedOrder",
    "Customer",
    "DuplicateOrder",
    "Duration",
    "JSONObject",
    "Model",
    "NewCustomer",
    "Order",
    "OrderItem",
    "OrderLine",
    "OrderStatus",
    "OrderStatusChange",
    "OrderedProduct",
    "PaymentMethod",
    "PendingOrder",
    "PhoneNumber",
    "PortalSession",
    "Price",
    "Product",
    "ProductImage",
    "ProductStatus",
    "ProductType",
    "ProductVariant",
    "Store",
    "StoreStatistics",
    "Subscription",
    "SubscriptionLookup",
    "SubscriptionProduct",
    "SubscriptionSnapshot",
    "SubscriptionStatus",
    "Transaction",
    "Variant",
)

_MODULES = {
    "categories": "Category",
    "customers": "Customer NewCustomer PhoneNumber",
    "new_orders": "CompletedOrder CreatedOrder DuplicateOrder OrderLine PendingOrder",
    "orders": "Order OrderedProduct OrderItem OrderStatus OrderStatusChange Transaction",
    "products": "Code Product ProductImage ProductStatus ProductType ProductVariant",
    "sessions": "CheckoutSession PortalSession",
    "store": "Store StoreStatistics",
    "subscriptions": (
        "Duration PaymentMethod Price Subscription SubscriptionLookup SubscriptionProduct"
        " SubscriptionSnapshot SubscriptionStatus Variant"
    ),
}

if not TYPE_CHECKING:
    # Or a type checker would take any name for one of this package.
    __getattr__, __dir__ = lazily(
        __name__,
        {name: f"{__name__}.{key}" for key, names in _MODULES.items() for name in names.split()},
    )
