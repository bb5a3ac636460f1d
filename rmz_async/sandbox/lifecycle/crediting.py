"""The store's share of an order, which RMZ adds to its balance a week later."""

from __future__ import annotations

from datetime import datetime

import attrs

from rmz_async.sandbox.store.orders import CREDITED_AFTER, Order, OrderStatus
from rmz_async.sandbox.store.state import Store

__all__ = ("credit", "credited_at")

_NEVER_PAID = (OrderStatus.AWAITING_PAYMENT, OrderStatus.CANCELLED, OrderStatus.REFUNDED)


def credited_at(order: Order) -> datetime | None:
    """Return when the store gets its share; None if it has it, or will not get it as things are."""
    transaction = order.transaction
    is_done = transaction.store_balance_credited_at is not None
    if is_done or transaction.is_hold or not order.total or order.status in _NEVER_PAID:
        return None
    return transaction.created_at + CREDITED_AFTER


def credit(order: Order, store: Store, now: datetime) -> None:
    """Add the store's share of *order* to its balance."""
    store.profile.balance += order.transaction.deserved
    order.transaction = attrs.evolve(order.transaction, store_balance_credited_at=now)
