"""Orders of a subscription: the one that begins it, and its later charges."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from rmz_async.sandbox.rules.ordering import new_order, place
from rmz_async.sandbox.store.cards import Card
from rmz_async.sandbox.store.orders import Order, OrderLine, Quote
from rmz_async.sandbox.store.state import CheckoutSession, Status, Store, Subscription

__all__ = ("bill", "charge", "due_now", "subscribe")


def due_now(session: CheckoutSession, store: Store) -> Decimal:
    """Return what the customer pays today, in SAR: nothing if a trial comes first."""
    in_trial = store.products[session.product_id].trial_days > 0
    return Decimal(0) if in_trial else store.variants[session.variant_id].price


def subscribe(
    session: CheckoutSession, card: Card, store: Store, now: datetime
) -> tuple[Subscription, Order]:
    """Make the subscription and the order that began it; the session is used up.

    The card was charged already, or is kept for the end of the trial.
    """
    variant = store.variants[session.variant_id]
    product = store.products[session.product_id]
    line = OrderLine(
        product_id=session.product_id,
        quantity=1,
        price=due_now(session, store),
        variant_id=variant.id,
    )
    order = place(
        Quote(lines=(line,)),
        customer_id=session.customer_id,
        checkout_id=store.ids.number("checkout", first=55001),
        store=store,
        now=now,
    )
    made = order.items[0].subscription_id
    assert made is not None
    subscription = store.subscriptions[made]
    subscription.price = variant.price
    subscription.card = card
    subscription.auto_renew = product.auto_renew_default
    subscription.external_customer_id = session.external_customer_id
    subscription.metadata = session.metadata
    if product.trial_days:
        trial_ends_at = now + timedelta(days=product.trial_days)
        subscription.status = Status.TRIALING
        subscription.trial_ends_at = subscription.current_period_end = trial_ends_at
        subscription.paid_periods = 0
    session.subscription_id = subscription.id
    return subscription, order


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
    """Charge the saved card once, and return whether there is one that has paid."""
    if subscription.card is None:
        return False
    charged = subscription.card.charge(renewal=renewal)
    subscription.card = charged.card
    return charged.paid
