"""Orders and their checkouts: plain data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum

import attrs

from rmz_async.sandbox.store.cards import TestCard
from rmz_async.sandbox.store.choices import chosen
from rmz_async.sandbox.store.table import WATCHED, Row

__all__ = (
    "CREDITED_AFTER",
    "Order",
    "OrderCheckout",
    "OrderItem",
    "OrderLine",
    "OrderStatus",
    "PlacedRequest",
    "Quote",
    "StatusChange",
    "Transaction",
)

CREDITED_AFTER = timedelta(days=7)
"""The time for which RMZ keeps the money of an order before it is the store's."""


class OrderStatus(IntEnum):
    """The status of an order."""

    AWAITING_PAYMENT = 1
    UNDER_REVIEW = 2
    IN_PROGRESS = 3
    COMPLETED = 4
    CANCELLED = 5
    REFUNDED = 6


def _order_status(value: object) -> OrderStatus:
    return chosen(OrderStatus, value, "status")


@attrs.frozen(kw_only=True)
class OrderLine:
    """A product, how many of it, and the price of one piece when it was asked for.

    Attributes:
        options: The customer's choices; empty if there are none.
        variant_id: The plan of a subscription; None for other products.
    """

    product_id: int
    quantity: int
    price: Decimal
    options: dict[str, object] = attrs.field(factory=dict[str, object])
    notice: str | None = None
    variant_id: int | None = None


@attrs.frozen(kw_only=True)
class Quote:
    """The price of an order's lines together, and the discount of a coupon."""

    lines: tuple[OrderLine, ...]
    discount: Decimal = Decimal(0)
    coupon_id: int | None = None

    @property
    def total(self) -> Decimal:
        """The amount to pay, in SAR."""
        return sum((line.price * line.quantity for line in self.lines), Decimal(0)) - self.discount


@attrs.define(kw_only=True, on_setattr=WATCHED)
class OrderCheckout(Row):
    """A hosted page that waits for an order's payment.

    Attributes:
        key: The last part of the page's URL.
        customer_id: The customer who pays; None until the page knows.
        order_id: The order that was paid for here; None until then.
        declined: How many attempts to pay were declined.
        challenged: The card whose payment waits for the customer's approval.
    """

    id: int
    key: str
    quote: Quote
    created_from: str
    created_at: datetime
    customer_id: int | None = None
    order_id: int | None = None
    declined: int = 0
    challenged: TestCard | None = None


@attrs.define(kw_only=True)
class OrderItem:
    """A line of an order; its codes know it by its id."""

    id: int
    line: OrderLine
    subscription_id: int | None = None


@attrs.frozen(kw_only=True)
class Transaction:
    """The payment of an order.

    Attributes:
        payment_method: For example ``dokanpay``, ``bank`` or ``free``.
        payment_data: Only for a bank transfer.
    """

    id: int
    payment_method: str
    total: Decimal
    platform_fees: Decimal
    payment_id: str
    created_at: datetime
    payment_data: dict[str, object] | None = None
    is_refunded: bool = False
    is_hold: bool = False
    is_by_platform: bool = False
    store_balance_credited_at: datetime | None = None

    @property
    def deserved(self) -> Decimal:
        """The store's share."""
        return self.total - self.platform_fees


@attrs.frozen(kw_only=True)
class StatusChange:
    """An entry of an order's history."""

    id: int
    status: OrderStatus = attrs.field(converter=_order_status)
    at: datetime
    reason: str | None = None


def _in_order(changes: Iterable[StatusChange]) -> tuple[StatusChange, ...]:
    return tuple(changes)


@attrs.define(kw_only=True, on_setattr=WATCHED)
class Order(Row):
    """A customer's order. All times are UTC, in whole seconds.

    Attributes:
        checkout_id: The page that it was paid on; None for a free order.
        discount: The coupon's discount; None if there was no coupon.
        statuses: The history, the oldest first; never empty.
    """

    id: int
    customer_id: int
    items: tuple[OrderItem, ...]
    transaction: Transaction
    statuses: tuple[StatusChange, ...] = attrs.field(converter=_in_order)
    created_at: datetime
    updated_at: datetime
    checkout_id: int | None = None
    coupon_id: int | None = None
    discount: Decimal | None = None
    seen_at: datetime | None = None
    tax_rate: str | None = None
    tax_amount: str | None = None
    prices_include_tax: bool = False
    tax_country_code: str | None = None

    @property
    def status(self) -> OrderStatus:
        """The current status."""
        return self.statuses[-1].status

    @property
    def total(self) -> Decimal:
        """The amount that was to be paid, in SAR."""
        return self.transaction.total


@attrs.frozen(kw_only=True)
class PlacedRequest:
    """The result of a ``POST /orders``, for those that send it again; one of the ids is there."""

    at: datetime
    checkout_key: str | None = None
    order_id: int | None = None
