"""The goods of the store, and its uploads without their content: plain data."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum

import attrs

from rmz_async.sandbox.store.choices import chosen
from rmz_async.sandbox.store.durations import Duration
from rmz_async.sandbox.store.table import WATCHED, Row

__all__ = (
    "OPENED_AT",
    "CancelBehavior",
    "Category",
    "Code",
    "Coupon",
    "Product",
    "ProductStatus",
    "Upload",
    "UploadType",
    "Variant",
)

# The time of creation of rows that name no other.
OPENED_AT = datetime(2024, 1, 1, tzinfo=UTC)


class ProductStatus(IntEnum):
    """Whether a product can be bought."""

    ACTIVE = 1
    DISABLED = 3


class CancelBehavior(StrEnum):
    """The time at which a cancellation takes effect."""

    END_OF_PERIOD = "end_of_period"
    IMMEDIATE = "immediate"


class UploadType(StrEnum):
    """The purpose of an uploaded file."""

    IMAGE = "image"
    EXTRA_IMAGE = "extra_image"
    FILE = "file"


def _product_status(value: object) -> ProductStatus:
    return chosen(ProductStatus, value, "status")


def _cancel_behavior(value: object) -> CancelBehavior:
    return chosen(CancelBehavior, value, "cancel_behavior")


def _duration(value: object) -> Duration:
    return chosen(Duration, value, "duration")


def _upload_type(value: object) -> UploadType:
    return chosen(UploadType, value, "type")


@attrs.define(kw_only=True, on_setattr=WATCHED)
class Product(Row):
    """Something the store sells. Only those of type ``subscription`` can be subscribed to.

    Attributes:
        price: In SAR; what a subscription costs is its variant's price.
        discount_expiry: When the discount ends; None for never.
        max_purchase_count: How many pieces may ever be sold; None for any number.
        stock: How many pieces there are; None for any number. A ``code`` product has as many as
            it has unsold codes, whatever is set here.
        fields: The questions to the customer, as the dashboard keeps it.
        metadata: Two display settings are read from here: ``show_discount_countdown`` and
            ``show_discount_savings``.
        cost_price: The cost to the shop; never shown.
        activation_info: Shown to the buyer after the purchase.
        marketing_title: A line beside the name.
        image: The picture's file name; None for no picture.
        image_id: The upload of the picture.
        file_ids: The uploads that the buyer downloads.
        extra_image_ids: The uploads of the other pictures.
        trial_days: How long a new subscriber uses it without paying; 0 to 90.
        grace_period_days: How long access goes on after a failed payment; 0 to 30.
        cancel_behavior: When a cancellation takes effect.
        auto_renew_default: Whether a new subscription renews itself.
    """

    id: int
    name: str
    slug: str
    type: str = "subscription"
    price: Decimal = Decimal(0)
    discount_price: Decimal | None = None
    discount_expiry: datetime | None = None
    description: str = ""
    status: ProductStatus = attrs.field(default=ProductStatus.ACTIVE, converter=_product_status)
    min_qty: int = 1
    max_purchase_count: int | None = None
    purchase_count: int = 0
    stock: int | None = None
    fields: tuple[dict[str, object], ...] = ()
    is_noticeable: bool = False
    license_config: dict[str, object] | None = None
    metadata: dict[str, object] | None = None
    category_ids: tuple[int, ...] = ()
    cost_price: Decimal = Decimal(0)
    activation_info: str | None = None
    marketing_title: str | None = None
    show_reviews: bool = True
    benefit_ids: tuple[int, ...] = ()
    seo: dict[str, object] | None = None
    course: dict[str, object] | None = None
    image: str | None = None
    image_id: int | None = None
    file_ids: tuple[int, ...] = ()
    extra_image_ids: tuple[int, ...] = ()
    trial_days: int = 0
    grace_period_days: int = 7
    cancel_behavior: CancelBehavior = attrs.field(
        default=CancelBehavior.END_OF_PERIOD,
        converter=_cancel_behavior,
    )
    auto_renew_default: bool = True
    created_at: datetime = OPENED_AT
    updated_at: datetime = OPENED_AT


@attrs.define(kw_only=True, on_setattr=WATCHED)
class Variant(Row):
    """A product for a duration at a price, in SAR.

    Attributes:
        badge: A word beside it.
        features: Its advantages: a name and a description each.
        is_deleted: Whether it is no longer sold; the subscriptions to it go on.
    """

    id: int
    product_id: int
    duration: Duration = attrs.field(converter=_duration)
    price: Decimal
    badge: str | None = None
    features: tuple[dict[str, object], ...] = ()
    is_deleted: bool = False


@attrs.define(kw_only=True, on_setattr=WATCHED)
class Code(Row):
    """A piece of a ``code`` product.

    Attributes:
        code: The goods themselves.
        order_item_id: The order's line that it was handed out for; None while it is unsold.
    """

    id: int
    product_id: int
    code: str = attrs.field(repr=False)
    order_item_id: int | None = None
    is_used: bool = False
    created_at: datetime = OPENED_AT
    updated_at: datetime = OPENED_AT


@attrs.define(kw_only=True, on_setattr=WATCHED)
class Category(Row):
    """A shelf of the store."""

    id: int
    slug: str
    title: str
    description: str | None = None
    metadata: dict[str, object] | None = None
    is_active: bool = True
    parent_id: int | None = None
    sort_index: int = 1
    created_at: datetime = OPENED_AT
    updated_at: datetime = OPENED_AT


@attrs.define(kw_only=True, on_setattr=WATCHED)
class Coupon(Row):
    """A code that lowers an order's total, by a percentage and then by an amount in SAR.

    Attributes:
        usage_limit: How many orders may use it; None for any number.
        usage_count: How many have used it.
        expires_at: From when on it is no longer valid; None for never.
    """

    id: int
    code: str
    percent: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    is_enabled: bool = True
    usage_limit: int | None = None
    usage_count: int = 0
    expires_at: datetime | None = None


@attrs.define(kw_only=True, on_setattr=WATCHED)
class Upload(Row):
    """An uploaded file.

    Attributes:
        name: As the caller named it.
        file_name: As it is kept.
        size: In bytes.
    """

    id: int
    type: UploadType = attrs.field(converter=_upload_type)
    name: str
    file_name: str
    path: str
    mime_type: str
    size: int
