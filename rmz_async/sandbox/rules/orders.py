"""The rules of an order after it is made."""

from __future__ import annotations

from datetime import datetime

import attrs

from rmz_async.sandbox.rules.stock import put_back
from rmz_async.sandbox.store.orders import Order, OrderStatus, StatusChange
from rmz_async.sandbox.store.state import Store
from rmz_async.sandbox.wire.answers import RefusedError

__all__ = ("change_status",)

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
