"""The objects that RMZ sends and takes, one module for each resource.

Models are frozen and keyword-only. They can be pickled and copied, and ``to_dict()`` gives plain
data.
"""

from __future__ import annotations

from rmz_async.models._json_object import JSONObject
from rmz_async.models._model import Model
from rmz_async.models.categories import Category
from rmz_async.models.customers import Customer, NewCustomer, PhoneNumber
from rmz_async.models.new_orders import (
    CompletedOrder,
    CreatedOrder,
    DuplicateOrder,
    OrderLine,
    PendingOrder,
)
from rmz_async.models.new_products import (
    CodeStock,
    Course,
    FieldOption,
    LicenseTerms,
    Media,
    MediaKind,
    NewVariant,
    ProductKind,
    SelectField,
    SubscriptionPlans,
    VariantFeature,
)
from rmz_async.models.orders import (
    Order,
    OrderedProduct,
    OrderItem,
    OrderStatus,
    OrderStatusChange,
    Transaction,
    TransactionMethod,
)
from rmz_async.models.products import (
    CancelBehavior,
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
    "CancelBehavior",
    "Category",
    "CheckoutSession",
    "Code",
    "CodeStock",
    "CompletedOrder",
    "Course",
    "CreatedOrder",
    "Customer",
    "DuplicateOrder",
    "Duration",
    "FieldOption",
    "JSONObject",
    "LicenseTerms",
    "Media",
    "MediaKind",
    "Model",
    "NewCustomer",
    "NewVariant",
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
    "ProductKind",
    "ProductStatus",
    "ProductType",
    "ProductVariant",
    "SelectField",
    "Store",
    "StoreStatistics",
    "Subscription",
    "SubscriptionLookup",
    "SubscriptionPlans",
    "SubscriptionProduct",
    "SubscriptionSnapshot",
    "SubscriptionStatus",
    "Transaction",
    "TransactionMethod",
    "Variant",
    "VariantFeature",
)
