"""Orders that a subscription makes by itself: its later charges."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from rmz_async.sandbox.rules.ordering import new_order
from rmz_async.sandbox.store.orders import Order, OrderLine, Quote
from rmz_async.sandbox.store.state import Store, Subscription

__all__ = ("bill", "charge")


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


def charge(subscription: Subscription, *, renewal: bool) -> bool:
    """Charge the saved card once, and return whether there is one that has paid.

    Args:
        subscription: Its card counts the attempts that are declined.
        renewal: Whether this is a charge that the customer did not start.
    """
    if subscription.card is None:
        return False
    charged = subscription.card.charge(renewal=renewal)
    subscription.card = charged.card
    return charged.paid
