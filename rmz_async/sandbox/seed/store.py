"""The store that a sandbox starts with."""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import datetime, timedelta

import attrs

from rmz_async.sandbox.seed.catalog import add_catalog
from rmz_async.sandbox.seed.orders import add_orders
from rmz_async.sandbox.store.cards import Card
from rmz_async.sandbox.store.state import Customer, Status, Store, StoreProfile, Subscription

__all__ = ("seeded_store",)

_CUSTOMERS = (
    Customer(
        id=4501,
        first_name="Ahmed",
        last_name="Ali",
        country_code="966",
        phone="512345678",
        email="ahmed@example.com",
    ),
    Customer(
        id=4502,
        first_name="نورة",
        last_name="السالم",
        country_code="966",
        phone="501234567",
        email="noura@example.com",
    ),
    Customer(
        id=4503,
        first_name="Yousef",
        last_name="Hassan",
        country_code="973",
        phone="33123456",
        email="yousef@example.com",
    ),
)
# Enough for a third page of 15.
_LAST_ID = 533


def seeded_store(now: datetime) -> Store:
    """Return a store with products, customers, and subscriptions and orders in every state.

    Subscription 501 is the documented one: customer 4501's Pro Plan for a year, looked up as
    ``usr_abc123``. 502 to 507 are trialing, past due, paused, canceled, expired, and active but to
    end with its period; from 508 on they are plain active ones. Each has the order that began it,
    78901 to 78933; the orders after that, to 78944, are of other products and in every state.

    Args:
        now: The moment that their periods lie around; aware, UTC.
    """
    store = Store(profile=StoreProfile(plan_expires_at=now + timedelta(days=180)))
    add_catalog(store, now)
    # Copies: the store's owner may change them, and the next store starts afresh.
    store.customers.update((customer.id, attrs.evolve(customer)) for customer in _CUSTOMERS)
    for subscription_id in range(501, _LAST_ID + 1):
        store.subscriptions[subscription_id] = _plain(store, subscription_id, now)
    _set_states(store.subscriptions, now)
    add_orders(store, now)
    return store


def _plain(store: Store, subscription_id: int, now: datetime) -> Subscription:
    """Return an active subscription whose variant and customer follow from its id."""
    variant = store.variants[(15, 20, 30)[(subscription_id - 501) % 3]]
    start = now - timedelta(days=10)
    return Subscription(
        id=subscription_id,
        customer_id=4501 + (subscription_id - 501) % 3,
        product_id=variant.product_id,
        variant_id=variant.id,
        order_id=78400 + subscription_id,
        price=variant.price,
        started_at=start,
        current_period_start=start,
        current_period_end=start + variant.duration.length,
        updated_at=start,
        card=Card(last_four="4242", scheme="visa"),
    )


def _set_states(subscriptions: MutableMapping[int, Subscription], now: datetime) -> None:
    documented = subscriptions[501]
    documented.external_customer_id = "usr_abc123"
    documented.metadata = {"external_user_id": "usr_abc123", "plan": "pro"}

    trialing = subscriptions[502]
    trialing.status = Status.TRIALING
    trialing.external_customer_id = "usr_trialing"
    trialing.paid_periods = 0
    trialing.trial_ends_at = trialing.current_period_end = now + timedelta(days=4)

    past_due = subscriptions[503]
    past_due.status = Status.PAST_DUE
    past_due.external_customer_id = "usr_past_due"
    past_due.failed_at = now - timedelta(days=1)
    past_due.failed_attempts = 1
    past_due.current_period_end = past_due.next_retry_at = now + timedelta(days=2)

    paused = subscriptions[504]
    paused.status = Status.PAUSED
    paused.external_customer_id = "usr_paused"
    paused.paused_at = now - timedelta(days=2)
    paused.paused_remaining_days = 12

    canceled = subscriptions[505]
    canceled.status = Status.CANCELED
    canceled.external_customer_id = "usr_canceled"
    canceled.canceled_at = now - timedelta(days=3)
    canceled.auto_renew = False

    expired = subscriptions[506]
    expired.status = Status.EXPIRED
    expired.external_customer_id = "usr_expired"
    expired.started_at = expired.current_period_start = now - timedelta(days=60)
    expired.current_period_end = now - timedelta(days=30)
    expired.auto_renew = False

    ending = subscriptions[507]
    ending.external_customer_id = "usr_ending"
    ending.metadata = {}
    ending.card = None
    ending.cancel_at_period_end = True
    ending.canceled_at = now - timedelta(days=1)
    ending.auto_renew = False

    subscriptions[508].scheduled_variant_id = 21
