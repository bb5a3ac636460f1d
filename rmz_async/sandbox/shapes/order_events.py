"""An order as webhooks send it, which is not the shape that the API sends."""

from __future__ import annotations

from datetime import datetime

from rmz_async.sandbox.rules.stock import sold_codes
from rmz_async.sandbox.shapes.orders import PRODUCT_MODEL, payment_label
from rmz_async.sandbox.shapes.products import code_row, ordered
from rmz_async.sandbox.shapes.subscription_events import Event
from rmz_async.sandbox.store.orders import Order, OrderItem, OrderStatus, StatusChange
from rmz_async.sandbox.store.state import Customer, Store
from rmz_async.sandbox.wire.forms import (
    day_and_time,
    instant,
    money_text,
    optional_instant,
    relative,
    weekday_and_time,
)

__all__ = ("order_payload",)

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


def order_payload(event: Event, order: Order, store: Store, now: datetime) -> dict[str, object]:
    """Return the documented body; it has no event id."""
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
        # A number here and text in the API.
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
