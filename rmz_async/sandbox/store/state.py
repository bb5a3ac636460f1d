"""What the sandbox remembers: plain data that a test may read and set up."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import attrs

from rmz_async.sandbox.store.cards import Card
from rmz_async.sandbox.store.catalog import OPENED_AT, Category, Code, Coupon, Product, Variant
from rmz_async.sandbox.store.ids import Ids
from rmz_async.sandbox.store.orders import Order, OrderCheckout, PlacedRequest
from rmz_async.sandbox.store.profile import StoreProfile

__all__ = (
    "CheckoutSession",
    "Customer",
    "PortalSession",
    "Status",
    "Store",
    "Subscription",
)


class Status(StrEnum):
    """Where a subscription is in its life."""

    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    CANCELED = "canceled"
    EXPIRED = "expired"


@attrs.define(kw_only=True)
class Customer:
    """Someone who buys; found by id, or by dial code and phone."""

    id: int
    first_name: str
    last_name: str
    country_code: str
    phone: str
    email: str
    is_banned: bool = False
    ban_reason: str | None = None
    created_at: datetime = OPENED_AT
    updated_at: datetime = OPENED_AT

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"


@attrs.define(kw_only=True)
class Subscription:
    """One customer's subscription. All times are UTC, in whole seconds.

    Attributes:
        price: Locked when the subscription was made; the variant's may change.
        paused_remaining_days: The days banked by a pause; None while not paused.
        metadata: None where none was given; an empty one is sent as PHP's ``[]``.
    """

    id: int
    status: Status = Status.ACTIVE
    customer_id: int
    product_id: int
    variant_id: int
    order_id: int
    price: Decimal
    started_at: datetime
    current_period_start: datetime
    current_period_end: datetime
    updated_at: datetime
    trial_ends_at: datetime | None = None
    cancel_at_period_end: bool = False
    canceled_at: datetime | None = None
    paused_at: datetime | None = None
    paused_remaining_days: int | None = None
    next_retry_at: datetime | None = None
    auto_renew: bool = True
    external_customer_id: str | None = None
    metadata: dict[str, str] | None = None
    card: Card | None = None
    scheduled_variant_id: int | None = None
    last_extended_at: datetime | None = None


@attrs.define(kw_only=True)
class CheckoutSession:
    """A hosted checkout page that waits for its customer.

    Attributes:
        key: The last part of the page's URL.
        subscription_id: The subscription that was paid for here; None until then.
    """

    id: str
    key: str
    product_id: int
    variant_id: int
    customer_id: int
    success_url: str
    cancel_url: str
    expires_at: datetime
    external_customer_id: str | None = None
    metadata: dict[str, str] | None = None
    subscription_id: int | None = None


@attrs.define(kw_only=True)
class PortalSession:
    """A link to the hosted billing portal, good for one visit.

    Attributes:
        token: The last part of the link; whoever has it may open the portal.
        used_at: When the link was opened; None until then.
    """

    token: str = attrs.field(repr=False)
    customer_id: int
    expires_at: datetime
    return_url: str | None = None
    used_at: datetime | None = None


@attrs.define
class Store:
    """One store's data, by id, or by key or token for the hosted sessions.

    Attributes:
        order_checkouts: By key.
        placed_requests: What came of the latest ``POST /orders`` of each content.
    """

    profile: StoreProfile = attrs.field(factory=StoreProfile)
    categories: dict[int, Category] = attrs.field(factory=dict[int, Category])
    products: dict[int, Product] = attrs.field(factory=dict[int, Product])
    variants: dict[int, Variant] = attrs.field(factory=dict[int, Variant])
    codes: dict[int, Code] = attrs.field(factory=dict[int, Code])
    coupons: dict[int, Coupon] = attrs.field(factory=dict[int, Coupon])
    orders: dict[int, Order] = attrs.field(factory=dict[int, Order])
    order_checkouts: dict[str, OrderCheckout] = attrs.field(factory=dict[str, OrderCheckout])
    placed_requests: dict[str, PlacedRequest] = attrs.field(factory=dict[str, PlacedRequest])
    customers: dict[int, Customer] = attrs.field(factory=dict[int, Customer])
    subscriptions: dict[int, Subscription] = attrs.field(factory=dict[int, Subscription])
    checkout_sessions: dict[str, CheckoutSession] = attrs.field(factory=dict[str, CheckoutSession])
    # The keys are the links' secrets.
    portal_sessions: dict[str, PortalSession] = attrs.field(
        factory=dict[str, PortalSession], repr=False
    )
    ids: Ids = attrs.field(factory=Ids, repr=False)
