"""The content of events, which has not the shapes that the API sends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Never

from rmz_async.sandbox.rules.stock import sold_codes
from rmz_async.sandbox.shapes.orders import payment_label
from rmz_async.sandbox.shapes.products import PRODUCT_MODEL, code_row, ordered
from rmz_async.sandbox.shapes.subscriptions import metadata_of
from rmz_async.sandbox.store.orders import Order, OrderItem, OrderStatus, StatusChange
from rmz_async.sandbox.store.state import Customer, Store, Subscription
from rmz_async.sandbox.wire.exact_json import dumps
from rmz_async.sandbox.wire.forms import (
    assoc,
    day_and_time,
    instant,
    money_text,
    optional_instant,
    relative,
    weekday_and_time,
)

__all__ = ("Event", "embed", "order_payload", "subscription_payload")

_ORDER_MODEL = "App\\Models\\Order"
# A status's Arabic name, and its colours in the dashboard and the shop. RMZ shows those of a
# completed and a cancelled order, and names the colours that there are.
_LABELS = {
    OrderStatus.AWAITING_PAYMENT: ("بإنتظار الدفع", "warning", "warning"),
    OrderStatus.UNDER_REVIEW: ("قيد المراجعة", "default", "secondary"),
    OrderStatus.IN_PROGRESS: ("قيد التنفيذ", "processing", "info"),
    OrderStatus.COMPLETED: ("مكتمل", "success", "success"),
    OrderStatus.CANCELLED: ("ملغي", "error", "danger"),
    OrderStatus.REFUNDED: ("مسترجع", "default", "secondary"),
}


class Event(StrEnum):
    """An event of a subscription or an order."""

    CREATED = "subscription.created"
    ACTIVATED = "subscription.activated"
    RENEWED = "subscription.renewed"
    RENEWAL_FAILED = "subscription.renewal_failed"
    PAST_DUE = "subscription.past_due"
    EXPIRED = "subscription.expired"
    CANCELED = "subscription.canceled"
    PAUSED = "subscription.paused"
    UNPAUSED = "subscription.unpaused"
    RESUMED = "subscription.resumed"
    UPDATED = "subscription.updated"
    ORDER_CREATED = "order.created"
    ORDER_STATUS_CHANGED = "order.status.changed"

    @classmethod
    def _missing_(cls, value: object) -> Never:
        raise ValueError(f"event must be one of {', '.join(cls)}, not {value!r}")


def subscription_payload(
    event: Event, event_id: str, subscription: Subscription, store: Store
) -> dict[str, object]:
    """Return the documented body of an event of a subscription."""
    customer = store.customers[subscription.customer_id]
    duration = store.variants[subscription.variant_id].duration
    return {
        "event": event,
        "event_id": event_id,
        "data": {
            "subscription": {
                "id": subscription.id,
                "status": subscription.status,
                "external_customer_id": subscription.external_customer_id,
                "product_id": subscription.product_id,
                "product_name": store.products[subscription.product_id].name,
                "variant": {
                    "id": subscription.variant_id,
                    "price": subscription.price,
                    "duration": duration,
                },
                "duration": duration,
                "current_period_start": instant(subscription.current_period_start),
                "current_period_end": instant(subscription.current_period_end),
                "auto_renew": subscription.renews,
                "metadata": assoc(metadata_of(subscription)),
                "customer": {
                    "id": customer.id,
                    "email": customer.email,
                    "name": customer.name,
                },
            }
        },
    }


def order_payload(event: Event, order: Order, store: Store, now: datetime) -> dict[str, object]:
    """Return the documented body of an order's event, which has no event id."""
    statuses = [_status(change, order, now) for change in order.statuses]
    return {
        "event": event,
        "data": {
            "id": order.id,
            "store_id": store.profile.id,
            "customer_id": order.customer_id,
            "coupon_id": order.coupon_id,
            "total": money_text(order.total),
            "discount_amount": None if order.discount is None else money_text(order.discount),
            "customer_note": None,
            "meta": None,
            "cost": "0.00",
            "current_status": order.status,
            "tax_rate": order.tax_rate,
            "tax_amount": order.tax_amount,
            "prices_include_tax": order.prices_include_tax,
            "tax_country_code": order.tax_country_code,
            "tax_registration_number": None,
            "order_review_notification_sent_at": None,
            "seen_at": optional_instant(order.seen_at),
            "created_at": instant(order.created_at),
            "updated_at": instant(order.updated_at),
            "human_format": _dates(order.created_at, now),
            "transaction": _transaction(order, now),
            "items": [_item(item, order, store, now) for item in order.items],
            "customer": _customer(store.customers[order.customer_id], store),
            "status": statuses[-1],
            "statuses": statuses,
        },
    }


def embed(event: str, about: Subscription | Order) -> bytes:
    """Return what a webhook gets in place of the event if its URL is for Discord.

    RMZ does not document it.
    """
    kind = "Subscription" if isinstance(about, Subscription) else "Order"
    fields: list[Mapping[str, object]] = [
        {"name": kind, "value": f"#{about.id}", "inline": True},
        {"name": "Status", "value": about.status.name.lower(), "inline": True},
    ]
    return dumps({"content": None, "embeds": [{"title": event, "fields": fields}]})


def _transaction(order: Order, now: datetime) -> dict[str, object]:
    transaction = order.transaction
    return {
        "id": transaction.id,
        "deserved": money_text(transaction.deserved),
        "platform_fees": money_text(transaction.platform_fees),
        "total": money_text(transaction.total),
        "order_id": order.id,
        "created_at": instant(transaction.created_at),
        "payment_method": transaction.payment_method,
        "is_by_platform": transaction.is_by_platform,
        "human_format": {
            "payment.method": payment_label(transaction),
            "created_at": day_and_time(transaction.created_at, comma=False),
            "created_at_text": relative(transaction.created_at, now),
            "store_balance_scheduled_at_text": None,
            "store_balance_scheduled_at": None,
        },
    }


def _item(item: OrderItem, order: Order, store: Store, now: datetime) -> dict[str, object]:
    product = store.products[item.line.product_id]
    return {
        "id": item.id,
        "quantity": item.line.quantity,
        "item_id": product.id,
        "item_type": PRODUCT_MODEL,
        # The line's; the API has one piece's under the same name.
        "price": money_text(item.line.price * item.line.quantity),
        # Unlike in the API, an empty one is null.
        "fields": item.line.options or None,
        "notes": item.line.notice,
        "order_id": order.id,
        "created_at": instant(order.created_at),
        "updated_at": instant(order.created_at),
        "item": ordered(product, store, now),
        "codes": [
            {**code_row(code, store), "is_used": code.is_used} for code in sold_codes(item, store)
        ],
    }


def _customer(customer: Customer, store: Store) -> dict[str, object]:
    return {
        "id": customer.id,
        "firstName": customer.first_name,
        "lastName": customer.last_name,
        "email": customer.email,
        # A number here and a string in the API.
        "country_code": int(customer.country_code),
        "phone": customer.phone,
        "is_banned": customer.is_banned,
        "ban_reason": customer.ban_reason,
        "store_id": store.profile.id,
        "created_at": instant(customer.created_at),
        "updated_at": instant(customer.updated_at),
        "deleted_at": None,
    }


def _status(change: StatusChange, order: Order, now: datetime) -> dict[str, object]:
    text, dashboard_color, color = _LABELS[change.status]
    return {
        "id": change.id,
        "reason": change.reason,
        "status": change.status,
        "model_id": order.id,
        "model_type": _ORDER_MODEL,
        "created_at": instant(change.at),
        "updated_at": instant(change.at),
        "human_format": {
            "text": text,
            "dashboard_color": dashboard_color,
            "color": color,
            **_dates(change.at, now),
        },
    }


def _dates(moment: datetime, now: datetime) -> dict[str, object]:
    return {"date_human": relative(moment, now), "date_normal": weekday_and_time(moment)}
