"""Orders as RMZ keeps them; what makes a new one is in ``new_orders``."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

import attrs

from rmz_async.models._model import Model, model
from rmz_async.models.customers import Customer
from rmz_async.models.products import Code, ProductType
from rmz_async.models.subscriptions import Subscription

__all__ = (
    "Order",
    "OrderItem",
    "OrderStatus",
    "OrderStatusChange",
    "OrderedProduct",
    "Transaction",
    "TransactionMethod",
)


class OrderStatus(IntEnum):
    """The stages of an order."""

    AWAITING_PAYMENT = 1
    UNDER_REVIEW = 2
    IN_PROGRESS = 3
    COMPLETED = 4
    CANCELLED = 5
    REFUNDED = 6


@model(kw_only=True)
class OrderStatusChange(Model):
    """A step of an order's history."""

    id: int | None = None
    """Positive integer."""

    status: OrderStatus | int | None = None
    """The status from then on; a known one, or the number that RMZ sent."""

    reason: str | None = None
    """The reason, in the words of the person who changed it."""

    model_id: int | None = None
    """The order's id."""

    model_type: str | None = None
    """The name of orders inside RMZ."""

    created_at: datetime | None = None
    """When it happened; UTC."""

    updated_at: datetime | None = None
    """UTC."""

    human_format: Mapping[str, Any] | None = None
    """Arabic labels and colours, to be shown and never to be parsed."""


@model(kw_only=True)
class OrderedProduct(Model):
    """The product of one line of an order."""

    id: int
    """The product's id."""

    name: str | None = None
    """As the shop wrote it."""

    price: Decimal | None = None
    """Exact, in the store's currency; the product's, today."""

    actual_price: Decimal | None = None
    """The same after its discount; in webhooks only."""

    type: ProductType | str | None = None
    """A known type, or the string that RMZ sent if it has a new one."""


@model(kw_only=True)
class OrderItem(Model):
    """A line of an order."""

    id: int
    """Positive integer."""

    order_id: int | None = None
    """The order that it is a line of."""

    item_type: str | None = None
    """The name of products inside RMZ."""

    item_id: int | None = None
    """The product's id."""

    quantity: int | None = None
    """1 or more."""

    price: Decimal | None = None
    """The price when it was bought, exact, in the store's currency. The price of one piece; in
    webhooks the price of the whole line.
    """

    # A list cannot be hashed, and a model must be.
    fields: Any = attrs.field(default=None, repr=False, hash=False)
    """The options that the customer chose, as RMZ sent them."""

    notice: str | None = attrs.field(default=None, repr=False)
    """The customer's note."""

    notes: str | None = attrs.field(default=None, repr=False)
    """The same note; in webhooks only."""

    item: OrderedProduct | None = None
    """The product."""

    subscription: Subscription | None = None
    """The subscription that it began, if it did."""

    codes: tuple[Code, ...] | None = None
    """The codes that were delivered; in webhooks only. Secret goods, hidden in ``repr``."""

    created_at: datetime | None = None
    """UTC."""

    updated_at: datetime | None = None
    """UTC."""


class TransactionMethod(StrEnum):
    """The ways in which an order can be paid."""

    DOKANPAY = "dokanpay"
    BANK = "bank"
    BANK_TRANSFER = "bank_transfer"
    PAYPAL = "paypal"
    COINBASE = "coinbase"
    FREE = "free"


@model(kw_only=True)
class Transaction(Model):
    """The payment of an order. All amounts are exact, in the store's currency."""

    id: int | None = None
    """Positive integer."""

    payment_method: TransactionMethod | str | None = None
    """A known method, or the string that RMZ sent if it has a new one."""

    total: Decimal | None = None
    """The amount that the customer paid."""

    deserved: Decimal | None = None
    """The share of the store."""

    platform_fees: Decimal | None = None
    """The share of RMZ."""

    payment_data: Any = attrs.field(default=None, repr=False, hash=False)
    """The bank transfer, for ``bank`` only; hidden in ``repr``."""

    payment_id: str | None = None
    """The payment provider's own id."""

    is_refunded: bool | None = None
    """Whether the customer got it back."""

    is_hold: bool | None = None
    """Whether it is held back."""

    is_by_platform: bool | None = None
    """Whether RMZ took the payment."""

    store_balance_credited_at: datetime | None = None
    """When the store got its share; UTC."""

    order_id: int | None = None
    """The order that was paid."""

    created_at: datetime | None = None
    """UTC; in webhooks only."""

    human_format: Mapping[str, Any] | None = None
    """Arabic labels, to be shown and never to be parsed. A key is literally ``payment.method``.
    """


@model(kw_only=True)
class Order(Model):
    """The order of one customer.

    Lists leave ``items`` out and shorten ``transaction``; what is left out is None, like what RMZ
    sends as null. All times are UTC, all amounts exact, in the store's currency.

    Source: https://docs.rmz.gg/merchant-api/orders/get-order
    """

    id: int
    """Positive integer, unique in the store."""

    current_status: OrderStatus | int | None = None
    """A known status, or the number that RMZ sent if it has a new one."""

    store_id: int | None = None
    """Positive integer."""

    customer_id: int | None = None
    """Positive integer."""

    coupon_id: int | None = None
    """The coupon that lowered the total."""

    total: Decimal | None = None
    """The amount to be paid."""

    discount_amount: Decimal | None = None
    """The amount that the coupon took off; in webhooks only."""

    cost: Decimal | None = None
    """The cost to the store; in webhooks only."""

    checkout_id: int | None = None
    """The checkout that it came from."""

    seen_at: datetime | None = None
    """When the store's owner first looked at it."""

    order_review_notification_sent_at: datetime | None = None
    """When the customer was asked for a review."""

    tax_rate: Decimal | None = None
    """In percent."""

    tax_amount: Decimal | None = None
    """The tax in ``total``, or on top of it."""

    prices_include_tax: bool | None = None
    """Whether ``total`` includes ``tax_amount``."""

    tax_country_code: str | None = None
    """The country whose tax it is, for example ``SA``."""

    tax_registration_number: str | None = None
    """The store's number with its tax office."""

    customer_note: str | None = attrs.field(default=None, repr=False)
    """In webhooks only."""

    meta: Any = attrs.field(default=None, repr=False, hash=False)
    """The keys that the store attached, as RMZ sent them; in webhooks only; hidden in ``repr``."""

    transaction: Transaction | None = None
    """The payment."""

    items: tuple[OrderItem, ...] | None = None
    """The lines of the order; not in lists."""

    customer: Customer | None = None
    """The customer who ordered."""

    status: OrderStatusChange | None = None
    """The last step of its history; in webhooks only."""

    statuses: tuple[OrderStatusChange, ...] | None = None
    """The history of the order; in webhooks only."""

    created_at: datetime | None = None
    """UTC."""

    updated_at: datetime | None = None
    """UTC; the time of the last change."""

    human_format: Mapping[str, Any] | None = None
    """Arabic labels, to be shown and never to be parsed."""
