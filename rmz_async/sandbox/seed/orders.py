"""The orders of the seeded store."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from rmz_async.sandbox.rules.pricing import platform_fees
from rmz_async.sandbox.rules.stock import take
from rmz_async.sandbox.store.orders import (
    CREDITED_AFTER,
    Order,
    OrderItem,
    OrderLine,
    OrderStatus,
    StatusChange,
    Transaction,
)
from rmz_async.sandbox.store.state import Store

__all__ = ("add_orders",)

# Product, quantity, payment method and history of the orders from 78934 on, one a day, the last
# of them nine hours old. The statuses are one hour apart.
_HISTORIES = (
    (107, 1, "dokanpay", (4,)),
    (105, 1, "free", (4,)),
    (108, 2, "bank", (1, 2, 4)),
    (106, 1, "dokanpay", (3, 4)),
    (113, 1, "dokanpay", (4, 6)),
    (106, 1, "bank", (1, 5)),
    (112, 1, "dokanpay", (3,)),
    (106, 2, "dokanpay", (3,)),
    (111, 10, "bank", (1, 2)),
    (101, 1, "dokanpay", (4,)),
    (107, 1, "bank", (1,)),
)
_BANK_TRANSFER: dict[str, object] = {"bank_name": "Alinma", "account_name": "Ahmed Ali"}


def add_orders(store: Store, now: datetime) -> None:
    """Put one order for each subscription into *store*, and then some in every state."""
    for subscription in store.subscriptions.values():
        line = OrderLine(
            product_id=subscription.product_id,
            quantity=1,
            price=subscription.price,
            variant_id=subscription.variant_id,
        )
        order = _order(
            store, subscription.order_id, line, "dokanpay", (4,), subscription.started_at, now
        )
        order.customer_id = subscription.customer_id
        order.items[0].subscription_id = subscription.id
    for number, (product_id, quantity, method, history) in enumerate(_HISTORIES):
        product = store.products[product_id]
        line = OrderLine(product_id=product_id, quantity=quantity, price=product.price)
        at = now - timedelta(days=len(_HISTORIES) - 1 - number, hours=9)
        order = _order(store, 78934 + number, line, method, history, at, now)
        take(order.items[0], store, at)


def _order(
    store: Store,
    order_id: int,
    line: OrderLine,
    method: str,
    history: tuple[int, ...],
    at: datetime,
    now: datetime,
) -> Order:
    ids = store.ids
    statuses = [
        StatusChange(
            id=ids.number("order status", first=401),
            status=OrderStatus(status),
            at=at + timedelta(hours=hours),
        )
        for hours, status in enumerate(history)
    ]
    total = line.price * line.quantity
    credited_at = at + CREDITED_AFTER
    order = Order(
        id=order_id,
        customer_id=4501 + order_id % 3,
        checkout_id=None if method == "free" else ids.number("checkout", first=55001),
        items=(OrderItem(id=ids.number("order item", first=1001), line=line),),
        transaction=Transaction(
            id=ids.number("transaction", first=5001),
            payment_method=method,
            total=total,
            platform_fees=platform_fees(total) if method == "dokanpay" else Decimal(0),
            payment_id=f"ch_{order_id}",
            created_at=at,
            payment_data=dict(_BANK_TRANSFER) if method == "bank" else None,
            is_refunded=history[-1] == OrderStatus.REFUNDED,
            store_balance_credited_at=credited_at if credited_at <= now else None,
        ),
        statuses=statuses,
        created_at=at,
        updated_at=statuses[-1].at,
    )
    store.orders[order.id] = order
    return order
