"""Change the plan of a subscription: up now and down later."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import attrs

from rmz_async.sandbox.rules.billing import bill, charge
from rmz_async.sandbox.rules.pricing import rounded
from rmz_async.sandbox.store.catalog import Variant
from rmz_async.sandbox.store.orders import Order
from rmz_async.sandbox.store.state import Status, Store, Subscription
from rmz_async.sandbox.wire.answers import RefusedError

__all__ = ("PlanChange", "change_plan", "quote_plan_change")

_SECOND = timedelta(seconds=1)


@attrs.frozen(kw_only=True)
class PlanChange:
    """The cost of a new plan, and its beginning.

    Attributes:
        due_now: In SAR, what the card is charged today; 0 for a change that waits.
        credit: In SAR, what is left of the period that was paid; part of no charge that waits.
        begins_at: When the new plan holds, UTC.
    """

    variant: Variant
    is_upgrade: bool
    due_now: Decimal
    credit: Decimal
    begins_at: datetime


def quote_plan_change(
    subscription: Subscription, variant_id: int, store: Store, now: datetime
) -> PlanChange:
    """Return what *variant_id* would cost.

    A plan that costs more is an upgrade: it begins now, with a whole period of its own, and what
    is left of the old period is taken off. Any other plan waits for the next period.

    Raises:
        RefusedError: 404, the product has no such plan; 422, the subscription is not active or
            trialing, is to end with its period, or has the plan already.
    """
    variant = store.variants.get(variant_id)
    if variant is None or variant.product_id != subscription.product_id:
        raise RefusedError(404, f"Variant not found: {variant_id}")
    if subscription.status not in (Status.ACTIVE, Status.TRIALING):
        raise RefusedError(422, "Only active subscriptions can change their plan")
    if subscription.cancel_at_period_end:
        raise RefusedError(422, "A subscription that is to end cannot change its plan")
    waiting = subscription.scheduled_variant_id
    if variant_id == (subscription.variant_id if waiting is None else waiting):
        raise RefusedError(422, "The subscription has this plan already")
    is_upgrade = variant.price > subscription.price and subscription.status is Status.ACTIVE
    credit = _credit(subscription, now) if is_upgrade else Decimal(0)
    return PlanChange(
        variant=variant,
        is_upgrade=is_upgrade,
        due_now=max(Decimal(0), variant.price - credit) if is_upgrade else Decimal(0),
        credit=credit,
        begins_at=now if is_upgrade else subscription.current_period_end,
    )


def change_plan(
    subscription: Subscription, variant_id: int, store: Store, now: datetime
) -> Order | None:
    """Change the plan, and return the order of what was charged for it.

    Raises:
        RefusedError: As `quote_plan_change`; 402, the card was declined, or there is none.
    """
    change = quote_plan_change(subscription, variant_id, store, now)
    if change.due_now > 0 and not charge(subscription, renewal=False):
        raise RefusedError(402, "The card was declined")
    subscription.updated_at = now
    if not change.is_upgrade:
        # Back to the plan that it has: nothing waits any more.
        has_it = variant_id == subscription.variant_id
        subscription.scheduled_variant_id = None if has_it else variant_id
        return None
    subscription.variant_id = variant_id
    subscription.price = change.variant.price
    subscription.scheduled_variant_id = None
    subscription.current_period_start = now
    subscription.current_period_end = now + change.variant.duration.length
    subscription.paid_periods += 1
    return bill(subscription, change.due_now, store, now)


def _credit(subscription: Subscription, now: datetime) -> Decimal:
    """Return the share of the price that has not been used up, to the halala."""
    length = subscription.current_period_end - subscription.current_period_start
    left = max(subscription.current_period_end - now, timedelta(0))
    share = min(Decimal(1), Decimal(left // _SECOND) / Decimal(max(1, length // _SECOND)))
    return rounded(subscription.price * share)
