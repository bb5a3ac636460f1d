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
    """Where an order is on its way."""

    AWAITING_PAYMENT = 1
    UNDER_REVIEW = 2
    IN_PROGRESS = 3
    COMPLETED = 4
    CANCELLED = 5
    REFUNDED = 6


@model
class OrderStatusChange(Model):
    """One step of an order's history.

    Attributes:
        id: Positive integer.
        status: The status from then on; a known one, or the number that RMZ sent.
        reason: Why, in the words of whoever changed it.
        model_id: The order's id.
        model_type: What RMZ calls orders inside.
        created_at: When it happened; UTC.
        updated_at: UTC.
        human_format: Arabic labels and colours, to be shown and never to be parsed.
    """

    id: int | None = None
    status: OrderStatus | int | None = None
    reason: str | None = None
    model_id: int | None = None
    model_type: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    human_format: Mapping[str, Any] | None = None


@model
class OrderedProduct(Model):
    """What an order says of a product that was ordered.

    Attributes:
        id: The product's id.
        name: As the shop wrote it.
        price: Exact, in the store's currency; the product's, today.
        actual_price: The same after its discount; in webhooks only.
        type: A known type, or the text that RMZ sent where it has grown a new one.
    """

    id: int
    name: str | None = None
    price: Decimal | None = None
    actual_price: Decimal | None = None
    type: ProductType | str | None = None


@model
class OrderItem(Model):
    """One line of an order.

    Attributes:
        id: Positive integer.
        order_id: The order that it is a line of.
        item_type: What RMZ calls products inside.
        item_id: The product's id.
        quantity: 1 or more.
        price: Exact, in the store's currency, when it was bought: for one piece, and in webhooks
            for all of the line.
        fields: The options that the customer chose, as RMZ sent them.
        notice: The customer's note.
        notes: The same; in webhooks only.
        item: The product.
        subscription: The subscription that it began, if it did.
        codes: What was delivered; in webhooks only. Secret goods, hidden in ``repr``.
        created_at: UTC.
        updated_at: UTC.
    """

    id: int
    order_id: int | None = None
    item_type: str | None = None
    item_id: int | None = None
    quantity: int | None = None
    price: Decimal | None = None
    # A list cannot be hashed, and a model must be.
    fields: Any = attrs.field(default=None, repr=False, hash=False)
    notice: str | None = attrs.field(default=None, repr=False)
    notes: str | None = attrs.field(default=None, repr=False)
    item: OrderedProduct | None = None
    subscription: Subscription | None = None
    codes: tuple[Code, ...] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class TransactionMethod(StrEnum):
    """How an order can be paid."""

    DOKANPAY = "dokanpay"
    BANK = "bank"
    BANK_TRANSFER = "bank_transfer"
    PAYPAL = "paypal"
    COINBASE = "coinbase"
    FREE = "free"


@model
class Transaction(Model):
    """How an order was paid. All amounts are exact, in the store's currency.

    Attributes:
        id: Positive integer.
        payment_method: A known method, or the string that RMZ sent if it has a new one.
        total: What the customer paid.
        deserved: What the store gets of it.
        platform_fees: What RMZ keeps of it.
        payment_data: The bank transfer, for ``bank`` only; hidden in ``repr``.
        payment_id: The payment provider's own id.
        is_refunded: Whether the customer got it back.
        is_hold: Whether it is held back.
        is_by_platform: Whether RMZ took the payment.
        store_balance_credited_at: When the store got its share; UTC.
        order_id: The order that was paid.
        created_at: UTC; in webhooks only.
        human_format: Arabic labels, to be shown and never to be parsed. One key is literally
            ``payment.method``.
    """

    id: int | None = None
    payment_method: TransactionMethod | str | None = None
    total: Decimal | None = None
    deserved: Decimal | None = None
    platform_fees: Decimal | None = None
    payment_data: Any = attrs.field(default=None, repr=False, hash=False)
    payment_id: str | None = None
    is_refunded: bool | None = None
    is_hold: bool | None = None
    is_by_platform: bool | None = None
    store_balance_credited_at: datetime | None = None
    order_id: int | None = None
    created_at: datetime | None = None
    human_format: Mapping[str, Any] | None = None


@model
class Order(Model):
    """What one customer ordered.

    Lists leave ``items`` out and shorten ``transaction``; what is left out is None, like what RMZ
    sends as null. All times are UTC, all amounts exact, in the store's currency.

    Attributes:
        id: Positive integer, unique in the store.
        current_status: A known status, or the number that RMZ sent where it has grown a new one.
        store_id: Positive integer.
        customer_id: Positive integer.
        coupon_id: The coupon that lowered the total.
        total: What was to be paid.
        discount_amount: What the coupon took off; in webhooks only.
        cost: What it cost the store; in webhooks only.
        checkout_id: The checkout that it came from.
        seen_at: When the store's owner first looked at it.
        order_review_notification_sent_at: When the customer was asked for a review.
        tax_rate: In percent.
        tax_amount: The tax in ``total``, or on top of it.
        prices_include_tax: Which of the two.
        tax_country_code: Whose tax.
        tax_registration_number: The store's number with its tax office.
        customer_note: In webhooks only.
        meta: What the store attached, as RMZ sent it; in webhooks only.
        transaction: How it was paid.
        items: What was ordered; not in lists.
        customer: Who ordered.
        status: The last step of its history; in webhooks only.
        statuses: All of its history; in webhooks only.
        created_at: When it was made.
        updated_at: When it last changed.
        human_format: Arabic labels, to be shown and never to be parsed.

    Source: https://docs.rmz.gg/merchant-api/orders/get-order
    """

    id: int
    current_status: OrderStatus | int | None = None
    store_id: int | None = None
    customer_id: int | None = None
    coupon_id: int | None = None
    total: Decimal | None = None
    discount_amount: Decimal | None = None
    cost: Decimal | None = None
    checkout_id: int | None = None
    seen_at: datetime | None = None
    order_review_notification_sent_at: datetime | None = None
    tax_rate: Decimal | None = None
    tax_amount: Decimal | None = None
    prices_include_tax: bool | None = None
    tax_country_code: str | None = None
    tax_registration_number: str | None = None
    customer_note: str | None = attrs.field(default=None, repr=False)
    meta: Any = attrs.field(default=None, repr=False, hash=False)
    transaction: Transaction | None = None
    items: tuple[OrderItem, ...] | None = None
    customer: Customer | None = None
    status: OrderStatusChange | None = None
    statuses: tuple[OrderStatusChange, ...] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    human_format: Mapping[str, Any] | None = None
