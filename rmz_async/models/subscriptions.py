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
    """The stages of a subscription's life."""

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
    """The lengths of a period."""

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


@model(kw_only=True)
class Price(Model):
    """The price of a period."""

    amount: Decimal
    """Exact, in the currency's main unit, for example ``Decimal("199.99")``."""

    currency: str | None = None
    """ISO 4217, for example ``SAR``."""

    formatted: str | None = None
    """An Arabic label, to be shown and never to be parsed."""


@model(kw_only=True)
class SubscriptionProduct(Model):
    """The product that is subscribed to."""

    id: int
    """Positive integer."""

    name: str | None = None
    """As the shop wrote it."""

    slug: str | None = None
    """The name of the product in addresses."""

    type: str | None = None
    """``subscription``."""


@model(kw_only=True)
class Variant(Model):
    """A plan of a product."""

    id: int | None = None
    """Positive integer."""

    duration: Duration | str | None = None
    """A known duration, or the string that RMZ sent if it has a new one."""

    duration_text: str | None = None
    """An Arabic label, to be shown and never to be parsed."""

    price: Decimal | None = None
    """Exact, in the currency's main unit; what new subscribers pay."""


@model(kw_only=True)
class PaymentMethod(Model):
    """The saved card."""

    last_four: str | None = None
    """The last four digits of the card."""

    scheme: str | None = None
    """For example ``visa`` or ``mada``."""


@model(kw_only=True)
class Subscription(Model):
    """A customer's subscription to one variant of a product.

    Only ``id`` and ``status`` are always there: lists, lookups and changes leave other keys out,
    which are then None, like those that RMZ sends as null. All times are UTC.

    Source: https://docs.rmz.gg/merchant-api/subscriptions/get-subscription
    """

    id: int
    """Positive integer, unique in the store."""

    status: SubscriptionStatus | str
    """A known status, or the string that RMZ sent if it has a new one."""

    external_customer_id: str | None = None
    """The caller's own id of the customer, given at the checkout."""

    starts_at: datetime | None = None
    """A time in UTC; a date without a time is read as its first moment in UTC."""

    ends_at: datetime | None = None
    """A time in UTC; a date without a time is read as its first moment in UTC."""

    start_date: datetime | None = None
    """A time in UTC; a date without a time is read as its first moment in UTC."""

    end_date: datetime | None = None
    """A time in UTC; a date without a time is read as its first moment in UTC."""

    current_period_start: datetime | None = None
    """The start of the paid period; UTC."""

    current_period_end: datetime | None = None
    """The end of the paid period; UTC. Access ends then, unless the card is charged before."""

    trial_ends_at: datetime | None = None
    """The end of the trial; UTC."""

    cancel_at_period_end: bool | None = None
    """Whether the subscription ends with the period; ``status`` stays ``active`` until then."""

    canceled_at: datetime | None = None
    """The time of the cancellation; UTC."""

    paused_at: datetime | None = None
    """The time of the pause; UTC; only while the subscription is paused."""

    paused_remaining_days: int | None = None
    """Paid days that are kept for later; only while the subscription is paused."""

    next_retry_at: datetime | None = None
    """The time of the next charge; UTC; only while the subscription is past due."""

    duration: Duration | str | None = None
    """The length of one period; a known duration, or the string that RMZ sent."""

    order_id: int | None = None
    """The order that the subscription was bought with."""

    auto_renew: bool | None = None
    """Whether the card is charged three days before the period ends."""

    price: Price | None = None
    """The price of a period; fixed when the subscription was created."""

    metadata: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    """The keys that the caller attached at the checkout; hidden in ``repr``."""

    product: SubscriptionProduct | None = None
    """The product that is subscribed to."""

    variant: Variant | None = None
    """The plan of the product."""

    payment_method: PaymentMethod | None = None
    """The saved card; None unless ``auto_renew`` is true."""

    scheduled_variant: Variant | None = None
    """The plan from the next period on. RMZ documents no shape, so that all of it may be in
    ``extra``.
    """

    # A list cannot be hashed, and a model must be.
    features: Any = attrs.field(default=None, hash=False)
    """The features of the plan, as RMZ sent them; most likely a list of objects with ``name`` and
    ``description``.
    """

    customer: Customer | None = None
    """The customer who subscribed."""

    is_active: bool | None = None
    """As RMZ sent it; for access use ``grants_access``."""

    is_expired: bool | None = None
    """As RMZ sent it."""

    days_remaining: int | None = None
    """Whole days to the end, as RMZ counted them: in its lists to ``ends_at``."""

    created_at: datetime | None = None
    """UTC."""

    updated_at: datetime | None = None
    """UTC; the time of the last change."""

    @property
    def grants_access(self) -> bool:
        """Whether the customer may use what they pay for, while trialing, active or past due."""
        # A status that a caller wrote as a plain string counts too.
        return self.status in _GRANTING


@model(kw_only=True)
class SubscriptionLookup(Model):
    """The result of a lookup.

    Source: https://docs.rmz.gg/merchant-api/subscriptions/lookup-subscriptions
    """

    count: int | None = None
    """The number of subscriptions, 0 to 50, as RMZ counted them."""

    has_active: bool | None = None
    """As RMZ counts: ``active`` and ``trialing`` only. A customer whose payment is being retried
    (``past_due``) still has access: look up with ``include_inactive=True`` and ask each
    subscription's ``grants_access``.
    """

    subscriptions: tuple[Subscription, ...]
    """The subscriptions, without ``payment_method``, ``scheduled_variant`` and ``customer``."""


@model(kw_only=True)
class SubscriptionSnapshot(Model):
    """A subscription as it was when a webhook's event happened.

    Deliveries may be late and out of order: before granting access, read the subscription itself.

    Source: https://docs.rmz.gg/webhooks/payload-format
    """

    id: int
    """Positive integer, unique in the store."""

    status: SubscriptionStatus | str
    """A known status, or the string that RMZ sent if it has a new one."""

    external_customer_id: str | None = None
    """The caller's own id of the customer, given at the checkout."""

    product_id: int | None = None
    """The product that is subscribed to."""

    product_name: str | None = None
    """As the shop wrote it."""

    variant: Variant | None = None
    """The plan of the product."""

    duration: Duration | str | None = None
    """How long one period lasts."""

    current_period_start: datetime | None = None
    """UTC."""

    current_period_end: datetime | None = None
    """UTC."""

    auto_renew: bool | None = None
    """False once it was canceled at the period's end, although ``status`` is ``active``."""

    metadata: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    """The keys that the caller attached at the checkout; hidden in ``repr``."""

    customer: Customer | None = None
    """The customer who subscribed."""
