"""Subscriptions, and what they are made of."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import attrs

from rmz_async.models._model import Model, model
from rmz_async.models.customers import Customer

__all__ = (
    "Duration",
    "PaymentMethod",
    "Price",
    "Subscription",
    "SubscriptionLookup",
    "SubscriptionProduct",
    "SubscriptionSnapshot",
    "SubscriptionStatus",
    "Variant",
)


class SubscriptionStatus(StrEnum):
    """Where a subscription is in its life."""

    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    CANCELED = "canceled"
    EXPIRED = "expired"

    @property
    def grants_access(self) -> bool:
        """Whether the customer may use what they pay for; ``past_due`` while payment is retried."""
        return self in _GRANTING


_GRANTING = frozenset(
    {SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE}
)


class Duration(StrEnum):
    """How long one period lasts."""

    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    SEMI_ANNUAL = "semiAnnual"
    ANNUALLY = "annually"
    BIENNIAL = "biennial"
    QUINQUENNIAL = "quinquennial"
    DECENNIAL = "decennial"

    @property
    def months(self) -> int:
        """The same in calendar months, 1 to 120."""
        return _MONTHS[self]


_MONTHS = dict(zip(Duration, (1, 3, 6, 12, 24, 60, 120), strict=True))


@model
class Price(Model):
    """What a period costs.

    Attributes:
        amount: Exact, in the currency's main unit, for example ``Decimal("199.99")``.
        currency: ISO 4217, for example ``SAR``.
        formatted: An Arabic label, to be shown and never to be parsed.
    """

    amount: Decimal
    currency: str | None = None
    formatted: str | None = None


@model
class SubscriptionProduct(Model):
    """The product that is subscribed to.

    Attributes:
        id: Positive integer.
        name: As the shop wrote it.
        slug: Its name in addresses.
        type: ``subscription``.
    """

    id: int
    name: str | None = None
    slug: str | None = None
    type: str | None = None


@model
class Variant(Model):
    """One plan of a product.

    Attributes:
        id: Positive integer.
        duration: A known duration, or the text that RMZ sent where it has grown a new one.
        duration_text: An Arabic label, to be shown and never to be parsed.
        price: Exact, in the currency's main unit; what new subscribers pay.
    """

    id: int | None = None
    duration: Duration | str | None = None
    duration_text: str | None = None
    price: Decimal | None = None


@model
class PaymentMethod(Model):
    """The saved card.

    Attributes:
        last_four: Its last four digits.
        scheme: For example ``visa`` or ``mada``.
    """

    last_four: str | None = None
    scheme: str | None = None


@model
class Subscription(Model):
    """One customer's subscription to one variant of a product.

    Only ``id`` and ``status`` are always there: lists, lookups and changes leave other keys out,
    which are then None, like those that RMZ sends as null. All times are UTC.

    Attributes:
        id: Positive integer, unique in the store.
        status: A known status, or the text that RMZ sent where it has grown a new one.
        external_customer_id: The caller's own name for the customer, given at the checkout.
        starts_at: A date, or a time where RMZ sent one.
        ends_at: A date, or a time where RMZ sent one.
        start_date: A date, or a time where RMZ sent one.
        end_date: A date, or a time where RMZ sent one.
        current_period_start: When the paid period began.
        current_period_end: When the paid period ends.
        trial_ends_at: When the trial ends.
        cancel_at_period_end: Whether it ends with the period; ``status`` stays ``active`` until
            then.
        canceled_at: When it was canceled.
        paused_at: When it was paused; only while it is.
        paused_remaining_days: Paid days that are kept for later; only while it is paused.
        next_retry_at: When the card is charged again; only while it is past due.
        duration: How long one period lasts.
        order_id: The order that it came with.
        auto_renew: Whether the card is charged three days before the period ends.
        price: What a period costs; fixed when the subscription was created.
        metadata: What the caller attached at the checkout.
        product: What is subscribed to.
        variant: Which plan of it.
        payment_method: The saved card.
        scheduled_variant: The plan from the next period on.
        features: What the plan includes, as RMZ sent it.
        customer: Who subscribed.
        is_active: As RMZ sent it; for access use ``grants_access``.
        is_expired: As RMZ sent it.
        days_remaining: Whole days to the end of the period, as RMZ counted them.
        created_at: When it was created.
        updated_at: When it last changed.

    Source: https://docs.rmz.gg/merchant-api/subscriptions/get-subscription
    """

    id: int
    status: SubscriptionStatus | str
    external_customer_id: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    current_period_start: datetime | None = None
    current_period_end: datetime | None = None
    trial_ends_at: datetime | None = None
    cancel_at_period_end: bool | None = None
    canceled_at: datetime | None = None
    paused_at: datetime | None = None
    paused_remaining_days: int | None = None
    next_retry_at: datetime | None = None
    duration: Duration | str | None = None
    order_id: int | None = None
    auto_renew: bool | None = None
    price: Price | None = None
    metadata: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    product: SubscriptionProduct | None = None
    variant: Variant | None = None
    payment_method: PaymentMethod | None = None
    scheduled_variant: Variant | None = None
    # A list cannot be hashed, and a model must be.
    features: Any = attrs.field(default=None, hash=False)
    customer: Customer | None = None
    is_active: bool | None = None
    is_expired: bool | None = None
    days_remaining: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def grants_access(self) -> bool:
        """Whether the customer may use what they pay for, while trialing, active or past due."""
        # A status that a caller wrote as a plain text counts too.
        return self.status in _GRANTING


@model
class SubscriptionLookup(Model):
    """What a lookup found.

    Attributes:
        count: How many, 0 to 50.
        has_active: As RMZ counts: ``active`` and ``trialing`` only. A customer whose payment is
            being retried (``past_due``) still has access: look up with ``include_inactive=True``
            and ask each subscription's ``grants_access``.
        subscriptions: What was found, without ``payment_method``, ``scheduled_variant`` and
            ``customer``.

    Source: https://docs.rmz.gg/merchant-api/subscriptions/lookup-subscriptions
    """

    count: int | None = None
    has_active: bool | None = None
    subscriptions: tuple[Subscription, ...]


@model
class SubscriptionSnapshot(Model):
    """A subscription as it was when a webhook's event happened.

    Deliveries may be late and out of order: before granting access, read the subscription itself.

    Attributes:
        id: Positive integer, unique in the store.
        status: A known status, or the text that RMZ sent where it has grown a new one.
        external_customer_id: The caller's own name for the customer, given at the checkout.
        product_id: What is subscribed to.
        product_name: As the shop wrote it.
        variant: Which plan of it.
        duration: How long one period lasts.
        current_period_start: UTC.
        current_period_end: UTC.
        auto_renew: False once it was canceled at the period's end, although ``status`` is
            ``active``.
        metadata: What the caller attached at the checkout.
        customer: Who subscribed.

    Source: https://docs.rmz.gg/webhooks/payload-format
    """

    id: int
    status: SubscriptionStatus | str
    external_customer_id: str | None = None
    product_id: int | None = None
    product_name: str | None = None
    variant: Variant | None = None
    duration: Duration | str | None = None
    current_period_start: datetime | None = None
    current_period_end: datetime | None = None
    auto_renew: bool | None = None
    metadata: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    customer: Customer | None = None
