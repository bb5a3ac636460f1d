"""Products, and what they are made of."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

import attrs

from rmz_async.models._model import Model, model
from rmz_async.models.categories import Category
from rmz_async.models.subscriptions import Duration

__all__ = (
    "CancelBehavior",
    "Code",
    "Product",
    "ProductImage",
    "ProductStatus",
    "ProductType",
    "ProductVariant",
)


class ProductType(StrEnum):
    """The kinds of goods."""

    PRODUCT = "product"
    CODE = "code"
    SERVICE = "service"
    SUBSCRIPTION = "subscription"
    COURSE = "course"
    LICENSE = "license"
    FILE = "file"
    CARD = "card"


class ProductStatus(IntEnum):
    """Whether a product can be bought."""

    ACTIVE = 1
    DISABLED = 3


class CancelBehavior(StrEnum):
    """When a cancellation by the customer takes effect."""

    END_OF_PERIOD = "end_of_period"
    IMMEDIATE = "immediate"


@model(kw_only=True)
class Code(Model):
    """A digital code: a person who knows it has the goods. Hidden in ``repr``."""

    id: int
    """Positive integer."""

    code: str | None = attrs.field(default=None, repr=False)
    """The goods themselves."""

    order_product_id: int | None = None
    """The line of the order that it was sold with; None while it is unsold."""

    product_id: int | None = None
    """The product that it is a piece of."""

    store_id: int | None = None
    """Positive integer."""

    is_used: bool | None = None
    """In webhooks only."""

    deleted_at: datetime | None = None
    """UTC."""

    created_at: datetime | None = None
    """UTC."""

    updated_at: datetime | None = None
    """UTC."""


@model(kw_only=True)
class ProductImage(Model):
    """A product's picture."""

    id: int
    """Positive integer."""

    full_link: str | None = None
    """The address to fetch it from."""

    file_name: str | None = None
    """The name of the file, without its folder."""

    path: str | None = None
    """The folder that the file is in."""

    type: str | None = None
    """For example ``main_product_image``."""

    model_id: int | None = None
    """The product's id."""

    model_type: str | None = None
    """The name of products inside RMZ."""

    metadata: Mapping[str, Any] | None = None
    """As RMZ sent it."""

    deleted_at: datetime | None = None
    """UTC."""

    created_at: datetime | None = None
    """UTC."""

    updated_at: datetime | None = None
    """UTC."""


@model(kw_only=True)
class ProductVariant(Model):
    """A plan of a product that is subscribed to; ``checkout_sessions.create`` takes its id."""

    id: int
    """Positive integer."""

    product_id: int | None = None
    """The product that it is a plan of."""

    duration: Duration | str | None = None
    """A known duration, or the string that RMZ sent if it has a new one."""

    duration_text: str | None = None
    """An Arabic label, to be shown and never to be parsed."""

    price: Decimal | None = None
    """Exact, in the store's currency."""

    badge: str | None = None
    """A word beside the plan."""

    # Lists cannot be hashed, and a model must be.
    features: Any = attrs.field(default=None, hash=False)
    """The features of the plan, as RMZ sent them."""

    created_at: datetime | None = None
    """UTC."""

    updated_at: datetime | None = None
    """UTC."""


@model(kw_only=True)
class Product(Model):
    """Something that the store sells.

    Lists have only ``id``, ``name``, ``slug``, ``type``, ``price`` and what is computed, from
    ``actual_price`` to ``discount_savings_amount``; the rest is then None. All times are UTC, all
    amounts exact, in the store's currency.

    Source: https://docs.rmz.gg/merchant-api/products/get-product
    """

    id: int
    """Positive integer, unique in the store."""

    name: str | None = None
    """As the shop wrote it."""

    slug: str | None = None
    """The name of the product in addresses, unique in the store."""

    type: ProductType | str | None = None
    """A known type, or the string that RMZ sent if it has a new one."""

    price: Decimal | None = None
    """Before any discount."""

    store_id: int | None = None
    """Positive integer."""

    discount_price: Decimal | None = None
    """The price while there is a discount."""

    discount_expiry: datetime | None = None
    """When the discount ends."""

    description: str | None = None
    """As the shop wrote it; may be HTML."""

    status: ProductStatus | int | None = None
    """A known status, or the number that RMZ sent if it has a new one."""

    min_qty: int | None = None
    """The smallest quantity that can be ordered."""

    max_purchase_count: int | None = None
    """How many can be sold in all; None for no limit."""

    purchase_count: int | None = None
    """How many were sold."""

    # Lists cannot be hashed, and a model must be.
    fields: Any = attrs.field(default=None, hash=False)
    """The options that a customer can choose, as RMZ sent them."""

    is_noticeable: bool | None = None
    """Whether an order may have a note."""

    license_config: Any = attrs.field(default=None, hash=False)
    """For licenses, as RMZ sent it."""

    metadata: Mapping[str, Any] | None = None
    """As RMZ sent it."""

    activation_info: str | None = None
    """Shown to the buyer after the purchase; may be HTML."""

    marketing_title: str | None = None
    """A line beside the name."""

    show_reviews: bool | None = None
    """Whether the shop shows its reviews."""

    trial_days: int | None = None
    """Days for which a new subscriber pays nothing."""

    grace_period_days: int | None = None
    """Days for which access goes on after a payment has failed."""

    cancel_behavior: CancelBehavior | str | None = None
    """When a cancellation takes effect, or the string that RMZ sent if it has a new one."""

    auto_renew_default: bool | None = None
    """Whether a new subscription renews by itself."""

    deleted_at: datetime | None = None
    """When it was deleted."""

    created_at: datetime | None = None
    """UTC."""

    updated_at: datetime | None = None
    """UTC; the time of the last change."""

    actual_price: Decimal | None = None
    """The price now."""

    current_stock: int | None = None
    """How many there are."""

    is_new: bool | None = None
    """Whether it was made in the last 12 hours."""

    is_discounted: bool | None = None
    """Whether there is a discount now."""

    is_discount_expired: bool | None = None
    """Whether there was one."""

    show_discount_countdown: bool | None = None
    """Whether the shop shows when the discount ends."""

    show_discount_savings: bool | None = None
    """Whether the shop shows what it saves."""

    discount_savings_amount: Decimal | None = None
    """The amount that the discount saves; 0 without one."""

    codes: tuple[Code, ...] | None = None
    """The unsold codes. Secret goods: never show them to a browser; hidden in ``repr``."""

    image: ProductImage | None = None
    """The picture of the product."""

    subscription_variants: tuple[ProductVariant, ...] | None = None
    """The plans of a subscription product."""

    categories: tuple[Category, ...] | None = None
    """The categories in which the shop shows it."""
