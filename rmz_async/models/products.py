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
    """What kind of thing is sold."""

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


@model
class Code(Model):
    """A digital code: whoever knows it has the goods. Hidden in ``repr``.

    Attributes:
        id: Positive integer.
        code: The goods themselves.
        order_product_id: The line of the order that it was sold with; None while it is unsold.
        product_id: The product that it is a piece of.
        store_id: Positive integer.
        is_used: In webhooks only.
        deleted_at: UTC.
        created_at: UTC.
        updated_at: UTC.
    """

    id: int
    code: str | None = attrs.field(default=None, repr=False)
    order_product_id: int | None = None
    product_id: int | None = None
    store_id: int | None = None
    is_used: bool | None = None
    deleted_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@model
class ProductImage(Model):
    """A product's picture.

    Attributes:
        id: Positive integer.
        full_link: Where to fetch it.
        file_name: The name of the file alone.
        path: The folder that the file is in.
        type: For example ``main_product_image``.
        model_id: The product's id.
        model_type: What RMZ calls products inside.
        metadata: As RMZ sent it.
        deleted_at: UTC.
        created_at: UTC.
        updated_at: UTC.
    """

    id: int
    full_link: str | None = None
    file_name: str | None = None
    path: str | None = None
    type: str | None = None
    model_id: int | None = None
    model_type: str | None = None
    metadata: Mapping[str, Any] | None = None
    deleted_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@model
class ProductVariant(Model):
    """One plan of a product that is subscribed to; ``checkout_sessions.create`` takes its id.

    Attributes:
        id: Positive integer.
        product_id: The product that it is a plan of.
        duration: A known duration, or the text that RMZ sent where it has grown a new one.
        duration_text: An Arabic label, to be shown and never to be parsed.
        price: Exact, in the store's currency.
        badge: A word beside the plan.
        features: What the plan brings, as RMZ sent it.
        created_at: UTC.
        updated_at: UTC.
    """

    id: int
    product_id: int | None = None
    duration: Duration | str | None = None
    duration_text: str | None = None
    price: Decimal | None = None
    badge: str | None = None
    # Lists cannot be hashed, and a model must be.
    features: Any = attrs.field(default=None, hash=False)
    created_at: datetime | None = None
    updated_at: datetime | None = None


@model
class Product(Model):
    """Something that the store sells.

    Lists have only ``id``, ``name``, ``slug``, ``type``, ``price`` and what is computed, from
    ``actual_price`` to ``discount_savings_amount``; the rest is then None. All times are UTC, all
    amounts exact, in the store's currency.

    Attributes:
        id: Positive integer, unique in the store.
        name: As the shop wrote it.
        slug: Its name in addresses, unique in the store.
        type: A known type, or the text that RMZ sent where it has grown a new one.
        price: Before any discount.
        store_id: Positive integer.
        discount_price: The price while there is a discount.
        discount_expiry: When the discount ends.
        description: As the shop wrote it; may be HTML.
        status: A known status, or the number that RMZ sent where it has grown a new one.
        min_qty: The smallest quantity that can be ordered.
        max_purchase_count: How many can be sold in all; None for no limit.
        purchase_count: How many were sold.
        fields: What a customer can choose, as RMZ sent it.
        is_noticeable: Whether an order may have a note.
        license_config: For licenses, as RMZ sent it.
        metadata: As RMZ sent it.
        activation_info: What the buyer reads after the purchase; may be HTML.
        marketing_title: A line beside the name.
        show_reviews: Whether the shop shows its reviews.
        trial_days: Days for which a new subscriber pays nothing.
        grace_period_days: Days for which access goes on after a payment has failed.
        cancel_behavior: When a cancellation takes effect, or the string that RMZ sent if it has a
            new one.
        auto_renew_default: Whether a new subscription renews by itself.
        deleted_at: When it was deleted.
        created_at: When it was made.
        updated_at: When it last changed.
        actual_price: What it costs now.
        current_stock: How many there are.
        is_new: Whether it was made in the last 12 hours.
        is_discounted: Whether there is a discount now.
        is_discount_expired: Whether there was one.
        show_discount_countdown: Whether the shop shows when the discount ends.
        show_discount_savings: Whether the shop shows what it saves.
        discount_savings_amount: What the discount saves; 0 without one.
        codes: Those that are unsold. Secret goods: never show them to a browser; hidden in
            ``repr``.
        image: Its picture.
        subscription_variants: Its plans, where it is subscribed to.
        categories: Where the shop shows it.

    Source: https://docs.rmz.gg/merchant-api/products/get-product
    """

    id: int
    name: str | None = None
    slug: str | None = None
    type: ProductType | str | None = None
    price: Decimal | None = None
    store_id: int | None = None
    discount_price: Decimal | None = None
    discount_expiry: datetime | None = None
    description: str | None = None
    status: ProductStatus | int | None = None
    min_qty: int | None = None
    max_purchase_count: int | None = None
    purchase_count: int | None = None
    # Lists cannot be hashed, and a model must be.
    fields: Any = attrs.field(default=None, hash=False)
    is_noticeable: bool | None = None
    license_config: Any = attrs.field(default=None, hash=False)
    metadata: Mapping[str, Any] | None = None
    activation_info: str | None = None
    marketing_title: str | None = None
    show_reviews: bool | None = None
    trial_days: int | None = None
    grace_period_days: int | None = None
    cancel_behavior: CancelBehavior | str | None = None
    auto_renew_default: bool | None = None
    deleted_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    actual_price: Decimal | None = None
    current_stock: int | None = None
    is_new: bool | None = None
    is_discounted: bool | None = None
    is_discount_expired: bool | None = None
    show_discount_countdown: bool | None = None
    show_discount_savings: bool | None = None
    discount_savings_amount: Decimal | None = None
    codes: tuple[Code, ...] | None = None
    image: ProductImage | None = None
    subscription_variants: tuple[ProductVariant, ...] | None = None
    categories: tuple[Category, ...] | None = None
