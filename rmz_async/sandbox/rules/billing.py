"""Orders that a subscription makes by itself: its later charges."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from rmz_async.sandbox.rules.ordering import new_order
from rmz_async.sandbox.store.orders import Order, OrderLine, Quote
from rmz_async.sandbox.store.state import Store, Subscription

__all__ = ("bill",)


def bill(subscription: Subscription, amount: Decimal, store: Store, now: datetime) -> Order:
    """Make the order of a charge to the saved card, which is its invoice too."""
    line = OrderLine(
        product_id=subscription.product_id,
        quantity=1,
        price=amount,
        variant_id=subscription.variant_id,
    )
    order = new_order(
        Quote(lines=(line,)),
        customer_id=subscription.customer_id,
        checkout_id=None,
        store=store,
        now=now,
    )
    order.items[0].subscription_id = subscription.id
    return order
