"""When something happens to a subscription by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from rmz_async.sandbox.store.state import Status, Store, Subscription
from rmz_async.sandbox.store.switches import ChargeAt

__all__ = ("ATTEMPTS_AFTER", "grace_ends_at", "next_due")

ATTEMPTS_AFTER = (timedelta(0), timedelta(days=3), timedelta(days=7))
"""When a renewal is attempted, after its first attempt."""
_EARLY = timedelta(days=3)


def next_due(subscription: Subscription, store: Store) -> datetime | None:
    """Return when the subscription changes without anybody's doing; None for never."""
    match subscription.status:
        case Status.TRIALING:
            return subscription.trial_ends_at or subscription.current_period_end
        case Status.ACTIVE if subscription.renews:
            early = store.switches.charge_at is ChargeAt.THREE_DAYS_BEFORE
            return subscription.current_period_end - (_EARLY if early else timedelta(0))
        case Status.ACTIVE:
            return subscription.current_period_end
        case Status.PAST_DUE if subscription.renews:
            grace = grace_ends_at(subscription, store)
            retry = subscription.next_retry_at
            return grace if retry is None else min(retry, grace)
        case Status.PAST_DUE:
            return subscription.current_period_end
        case _:
            return None


def grace_ends_at(subscription: Subscription, store: Store) -> datetime:
    """Return until when a failed payment leaves access."""
    failed_at = subscription.failed_at or subscription.current_period_end
    days = store.products[subscription.product_id].grace_period_days
    return failed_at + timedelta(days=days)
