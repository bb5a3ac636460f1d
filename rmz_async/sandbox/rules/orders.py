"""The rules of an order after it is made: its status, and the share of the store."""

from __future__ import annotations

from datetime import datetime

import attrs

from rmz_async.sandbox.rules.stock import put_back
from rmz_async.sandbox.store.orders import CREDITED_AFTER, Order, OrderStatus, StatusChange
from rmz_async.sandbox.store.state import Store
from rmz_async.sandbox.wire.answers import RefusedError

__all__ = ("NO_REVENUE", "change_status", "credit", "credited_at")

# RMZ documents the refusal and not the table. A cancelled or refunded order stays so, an order
# never goes back, and only what was paid can be refunded. RMZ's webhooks show 4 going to 5.
_MAY_GO_TO = {
    OrderStatus.AWAITING_PAYMENT: (2, 3, 4, 5),
    OrderStatus.UNDER_REVIEW: (3, 4, 5, 6),
    OrderStatus.IN_PROGRESS: (4, 5, 6),
    OrderStatus.COMPLETED: (5, 6),
    OrderStatus.CANCELLED: (),
    OrderStatus.REFUNDED: (),
}
NO_REVENUE = (OrderStatus.AWAITING_PAYMENT, OrderStatus.CANCELLED, OrderStatus.REFUNDED)


def change_status(order: Order, status: OrderStatus, store: Store, now: datetime) -> None:
    """Append *status* to the history; a cancelled order gives back its stock.

    Raises:
        RefusedError: 400, the order cannot go there, or is there already.
    """
    if status not in _MAY_GO_TO[order.status]:
        raise RefusedError(400, "Invalid status transition")
    change = StatusChange(id=store.ids.number("order status", first=401), status=status, at=now)
    order.statuses = (*order.statuses, change)
    order.updated_at = now
    if status is OrderStatus.REFUNDED:
        order.transaction = attrs.evolve(order.transaction, is_refunded=True)
    if status is OrderStatus.CANCELLED:
        for item in order.items:
            put_back(item, store)


def credited_at(order: Order) -> datetime | None:
    """Return when the store gets its share; None if it has it, or will not get it as things are."""
    transaction = order.transaction
    is_done = transaction.store_balance_credited_at is not None
    if is_done or transaction.is_hold or not order.total or order.status in NO_REVENUE:
        return None
    return transaction.created_at + CREDITED_AFTER


def credit(order: Order, store: Store, now: datetime) -> None:
    """Add the store's share of *order* to its balance."""
    store.profile.balance += order.transaction.deserved
    order.transaction = attrs.evolve(order.transaction, store_balance_credited_at=now)
