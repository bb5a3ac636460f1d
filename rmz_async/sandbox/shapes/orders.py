"""An order as the API sends it."""

from __future__ import annotations

from datetime import datetime, timedelta

from rmz_async.sandbox.shapes import subscriptions as subscription_json
from rmz_async.sandbox.shapes.products import PRODUCT_MODEL
from rmz_async.sandbox.store.orders import CREDITED_AFTER, Order, OrderItem, Transaction
from rmz_async.sandbox.store.state import Customer, Store
from rmz_async.sandbox.wire.forms import (
    assoc,
    day_and_time,
    english,
    instant,
    optional_instant,
    relative,
)

__all__ = ("full", "list_row", "payment_label")

# The cards' label is spelled as RMZ spells it.
_PAYMENT_LABELS = {
    "dokanpay": "البطائق الإئتمانية",
    "bank": "تحويل بنكي",
    "free": "مجاني",
}


def full(order: Order, store: Store, now: datetime) -> dict[str, object]:
    """Return everything, as ``GET /orders/{id}`` does."""
    return {
        **_columns(order, store, now),
        "transaction": _transaction(order, now),
        "items": [_item(item, order, store, now) for item in order.items],
        "customer": _customer(store.customers[order.customer_id]),
    }


def list_row(order: Order, store: Store, now: datetime) -> dict[str, object]:
    """Return what a list sends of an order: no items, and a part of the transaction."""
    transaction = order.transaction
    return {
        **_columns(order, store, now),
        "transaction": {
            "id": transaction.id,
            "total": transaction.total,
            "deserved": transaction.deserved,
            "payment_method": transaction.payment_method,
            "is_refunded": transaction.is_refunded,
            "order_id": order.id,
            # The list selects no dates, and so the labels have none either.
            "human_format": {
                "payment.method": payment_label(transaction),
                "created_at": None,
                "created_at_text": None,
                "store_balance_scheduled_at_text": None,
                "store_balance_scheduled_at": None,
            },
        },
        "customer": _customer(store.customers[order.customer_id]),
    }


def payment_label(transaction: Transaction) -> str:
    """Return the payment method for a reader of Arabic."""
    return _PAYMENT_LABELS[transaction.payment_method]


def _columns(order: Order, store: Store, now: datetime) -> dict[str, object]:
    return {
        "id": order.id,
        "store_id": store.profile.id,
        "customer_id": order.customer_id,
        "coupon_id": order.coupon_id,
        "total": order.total,
        "checkout_id": order.checkout_id,
        "current_status": order.status,
        "seen_at": optional_instant(order.seen_at),
        "order_review_notification_sent_at": None,
        "tax_rate": order.tax_rate,
        "tax_amount": order.tax_amount,
        "prices_include_tax": order.prices_include_tax,
        "tax_country_code": order.tax_country_code,
        "tax_registration_number": None,
        "created_at": instant(order.created_at),
        "updated_at": instant(order.updated_at + timedelta(seconds=store.switches.updated_at_skew)),
        "human_format": {
            "date_human": relative(order.created_at, now),
            "date_normal": english(order.created_at),
        },
    }


def _transaction(order: Order, now: datetime) -> dict[str, object]:
    transaction = order.transaction
    scheduled_at = transaction.created_at + CREDITED_AFTER
    return {
        "payment_method": transaction.payment_method,
        "deserved": transaction.deserved,
        "id": transaction.id,
        "store_balance_credited_at": optional_instant(transaction.store_balance_credited_at),
        "platform_fees": transaction.platform_fees,
        "payment_data": assoc(transaction.payment_data),
        "payment_id": transaction.payment_id,
        "total": transaction.total,
        "is_refunded": transaction.is_refunded,
        "is_hold": transaction.is_hold,
        "is_by_platform": transaction.is_by_platform,
        "order_id": order.id,
        "human_format": {
            "payment.method": payment_label(transaction),
            "created_at": day_and_time(transaction.created_at, comma=True),
            "created_at_text": relative(transaction.created_at, now),
            "store_balance_scheduled_at_text": relative(scheduled_at, now),
            "store_balance_scheduled_at": day_and_time(scheduled_at, comma=True),
        },
    }


def _item(item: OrderItem, order: Order, store: Store, now: datetime) -> dict[str, object]:
    product = store.products[item.line.product_id]
    subscription = item.subscription_id and store.subscriptions[item.subscription_id]
    return {
        "id": item.id,
        "order_id": order.id,
        "item_type": PRODUCT_MODEL,
        "item_id": product.id,
        "quantity": item.line.quantity,
        "price": item.line.price,
        "fields": assoc(item.line.options),
        "notice": item.line.notice,
        "created_at": instant(order.created_at),
        "updated_at": instant(order.created_at),
        "item": {
            "id": product.id,
            "name": product.name,
            "price": product.price,
            "type": product.type,
        },
        # RMZ promises details and shows none: they are what GET /subscriptions/{id} sends.
        "subscription": subscription and subscription_json.full(subscription, store, now),
    }


def _customer(customer: Customer) -> dict[str, object]:
    return {
        "id": customer.id,
        "firstName": customer.first_name,
        "lastName": customer.last_name,
        "country_code": customer.country_code,
        "phone": customer.phone,
        "email": customer.email,
    }
