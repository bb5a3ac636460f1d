"""The sandbox's memory: plain data that a test may read and set up."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import attrs

from rmz_async.sandbox.store.cards import Card, TestCard
from rmz_async.sandbox.store.catalog import (
    OPENED_AT,
    Category,
    Code,
    Coupon,
    Product,
    Upload,
    Variant,
)
from rmz_async.sandbox.store.choices import chosen
from rmz_async.sandbox.store.ids import Ids
from rmz_async.sandbox.store.ledger import Happening, Message
from rmz_async.sandbox.store.orders import Order, OrderCheckout, PlacedRequest
from rmz_async.sandbox.store.switches import Switches
from rmz_async.sandbox.store.table import WATCHED, Index, Row, Table

__all__ = (
    "CheckoutSession",
    "Customer",
    "Finder",
    "PortalSession",
    "Status",
    "Store",
    "StoreProfile",
    "Subscription",
)


class Status(StrEnum):
    """The status of a subscription."""

    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    CANCELED = "canceled"
    EXPIRED = "expired"


def _status(value: object) -> Status:
    return chosen(Status, value, "status")


@attrs.define(kw_only=True, on_setattr=WATCHED)
class Customer(Row):
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


@attrs.define(kw_only=True, on_setattr=WATCHED)
class Subscription(Row):
    """A customer's subscription. All times are UTC, in whole seconds.

    Attributes:
        price: Locked when the subscription was made; the variant's may change.
        paused_remaining_days: The days banked by a pause; None while not paused.
        auto_renew: The customer's choice; `renews` is its effect.
        paid_periods: How many periods were paid for; 0 during a trial.
        failed_at: When the charge that is being attempted failed first.
        failed_attempts: How often it has failed.
        metadata: None if none was given; an empty one is sent as PHP's ``[]``.
    """

    id: int
    status: Status = attrs.field(default=Status.ACTIVE, converter=_status)
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
    last_extended_days: int = 0
    paid_periods: int = 1
    failed_at: datetime | None = None
    failed_attempts: int = 0

    @property
    def renews(self) -> bool:
        """Whether the card will be charged again, as things are."""
        return (
            self.auto_renew
            and self.card is not None
            and not self.cancel_at_period_end
            and self.status in (Status.TRIALING, Status.ACTIVE, Status.PAST_DUE)
        )


@attrs.define(kw_only=True, on_setattr=WATCHED)
class CheckoutSession(Row):
    """A hosted checkout page that waits for its customer.

    Attributes:
        key: The last part of the page's URL.
        subscription_id: The subscription that was paid for here; None until then.
        declined: How many attempts to pay were declined.
        challenged: The card whose payment waits for the customer's approval.
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
    declined: int = 0
    challenged: TestCard | None = None


@attrs.define(kw_only=True, on_setattr=WATCHED)
class PortalSession(Row):
    """A link to the hosted billing portal, good for one visit.

    Attributes:
        token: The last part of the link; a person who has it may begin the visit.
        used_at: When the visit began; None until then.
        visit: The key of the visit, which a cookie carries; None before it and after it.
        code: The digits that were sent to the customer's phone.
        wrong_codes: How many wrong codes were typed.
        proven_at: When the right code was typed; None until then.
    """

    token: str = attrs.field(repr=False)
    customer_id: int
    expires_at: datetime
    return_url: str | None = None
    used_at: datetime | None = None
    visit: str | None = attrs.field(default=None, repr=False)
    code: str = attrs.field(default="", repr=False)
    wrong_codes: int = 0
    proven_at: datetime | None = None


@attrs.define(kw_only=True)
class StoreProfile:
    """The store's own row, as ``GET /store`` shows it."""

    id: int = 1
    subdomain: str = "my-store"
    name: str = "متجري"
    balance: Decimal = Decimal("0.00")
    description: str = "متجر تجريبي للمنتجات الرقمية"
    logo: str | None = "stores/logo.png"
    favicon: str | None = None
    theme: int = 1
    color: str = "#5400db"
    activities: tuple[str, ...] = ()
    social: dict[str, object] = attrs.field(factory=dict[str, object])
    settings: dict[str, object] = attrs.field(factory=dict[str, object])
    customization: dict[str, object] = attrs.field(factory=dict[str, object])
    is_maintenance: bool = False
    maintenance_message: str | None = None
    plan_id: int = 2
    plan_expires_at: datetime | None = None
    is_kyc_verified: bool = True
    is_beta_tester: bool = False
    ratio: Decimal = Decimal("4.500")
    ratio_synced_at: datetime | None = None
    ratio_based_on: int = 50
    user_id: int = 1
    pages_count: int = 3
    created_at: datetime = OPENED_AT
    updated_at: datetime = OPENED_AT


@attrs.define(kw_only=True)
class Store:
    """The data of a store, by id, or by key or token for the hosted sessions.

    Attributes:
        order_checkouts: By key.
        placed_requests: The outcome of the latest ``POST /orders`` of each content.
        switches: How this RMZ behaves if the documentation leaves a choice.
    """

    profile: StoreProfile = attrs.field(factory=StoreProfile)
    categories: Table[int, Category] = attrs.field(factory=Table[int, Category])
    products: Table[int, Product] = attrs.field(factory=Table[int, Product])
    variants: Table[int, Variant] = attrs.field(factory=Table[int, Variant])
    codes: Table[int, Code] = attrs.field(factory=Table[int, Code])
    uploads: Table[int, Upload] = attrs.field(factory=Table[int, Upload])
    coupons: Table[int, Coupon] = attrs.field(factory=Table[int, Coupon])
    orders: Table[int, Order] = attrs.field(factory=Table[int, Order])
    order_checkouts: Table[str, OrderCheckout] = attrs.field(factory=Table[str, OrderCheckout])
    placed_requests: Table[str, PlacedRequest] = attrs.field(factory=Table[str, PlacedRequest])
    customers: Table[int, Customer] = attrs.field(factory=Table[int, Customer])
    subscriptions: Table[int, Subscription] = attrs.field(factory=Table[int, Subscription])
    checkout_sessions: Table[str, CheckoutSession] = attrs.field(
        factory=Table[str, CheckoutSession]
    )
    # The keys are the links' secrets.
    portal_sessions: Table[str, PortalSession] = attrs.field(
        factory=Table[str, PortalSession], repr=False
    )
    switches: Switches = attrs.field(factory=Switches)
    # The events of each subscription, by its id, the oldest first.
    history: dict[int, tuple[Happening, ...]] = attrs.field(
        factory=dict[int, tuple[Happening, ...]], repr=False
    )
    messages: list[Message] = attrs.field(factory=list[Message], repr=False)
    ids: Ids = attrs.field(factory=Ids, repr=False, eq=False)
    _finder: Finder | None = attrs.field(default=None, init=False, repr=False, eq=False)

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the finder, which listens to the tables: a copy of them has one of its own.
        fields = (field.name for field in attrs.fields(Store) if field.init)
        return Store, (), {name: getattr(self, name) for name in fields}

    @property
    def finder(self) -> Finder:
        """Finds rows by something else than their key."""
        if self._finder is None:
            self._finder = Finder(self)
        return self._finder

    def tables(self) -> dict[str, Table[Any, Any]]:
        """Return all tables by name."""
        values: dict[str, Any] = {
            field.name: getattr(self, field.name) for field in attrs.fields(Store)
        }
        return {name: value for name, value in values.items() if isinstance(value, Table)}


class Finder:
    """Finds rows by what callers know of them."""

    def __init__(self, store: Store) -> None:
        self._by_user = Index(store.subscriptions, lambda row: row.external_customer_id)
        self._by_owner = Index(store.subscriptions, lambda row: row.customer_id)
        self._by_email = Index(store.customers, lambda row: row.email)
        self._by_phone = Index(store.customers, lambda row: row.phone)
        self._by_number = Index(store.customers, lambda row: (row.country_code, row.phone))
        self._store = store

    def customer(self, country_code: str, phone: str) -> Customer | None:
        """Return the customer with this dial code, without a plus, and phone."""
        found = self._by_number.find((country_code, phone))
        return self._store.customers[min(found)] if found else None

    def subscriptions(
        self, *, external_customer_id: str = "", email: str = "", phone: str = ""
    ) -> list[Subscription]:
        """Return those that match all that is not empty, the newest first.

        At least one of the three must be there.
        """
        matching: list[set[int]] = []
        if external_customer_id:
            matching.append(self._by_user.find(external_customer_id))
        if email:
            matching.append(self._owned(self._by_email.find(email)))
        if phone:
            matching.append(self._owned(self._by_phone.find(phone)))
        ids = matching[0].intersection(*matching[1:])
        return [self._store.subscriptions[number] for number in sorted(ids, reverse=True)]

    def _owned(self, customer_ids: set[int]) -> set[int]:
        return {number for owner in customer_ids for number in self._by_owner.find(owner)}
