"""The charges and changes of a subscription: when they come due, and what they do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from rmz_async.sandbox.rules.billing import bill, charge
from rmz_async.sandbox.shapes.events import Event
from rmz_async.sandbox.store.state import Status, Store, Subscription
from rmz_async.sandbox.store.switches import ChargeAt

__all__ = ("ATTEMPTS_AFTER", "come_due", "grace_ends_at", "next_due")

ATTEMPTS_AFTER = (timedelta(0), timedelta(days=3), timedelta(days=7))
"""The times of the attempts of a renewal, after the first."""
_EARLY = timedelta(days=3)


def come_due(subscription: Subscription, store: Store, now: datetime) -> Iterator[Event]:
    """Bring about what is due, and yield each event when it is true.

    The caller must take all the events: the work is done on the way.
    """
    if not subscription.renews or _is_out_of_attempts(subscription, store, now):
        yield from _expire(subscription, now)
    elif charge(subscription, renewal=True):
        yield _begin_period(subscription, store, now)
    else:
        yield from _note_failure(subscription, now)


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


def _is_out_of_attempts(subscription: Subscription, store: Store, now: datetime) -> bool:
    if subscription.status is not Status.PAST_DUE:
        return False
    retry = subscription.next_retry_at
    return grace_ends_at(subscription, store) <= now and (retry is None or retry > now)


def _begin_period(subscription: Subscription, store: Store, now: datetime) -> Event:
    """Let the period move on, on the plan that was scheduled if there is one."""
    is_first = subscription.paid_periods == 0
    scheduled = subscription.scheduled_variant_id
    if scheduled is not None:
        subscription.variant_id = scheduled
        subscription.price = store.variants[scheduled].price
        subscription.scheduled_variant_id = None
    length = store.variants[subscription.variant_id].duration.length
    subscription.status = Status.ACTIVE
    subscription.current_period_start = subscription.current_period_end
    subscription.current_period_end += length
    subscription.paid_periods += 1
    subscription.failed_at = None
    subscription.failed_attempts = 0
    subscription.next_retry_at = None
    subscription.updated_at = now
    bill(subscription, subscription.price, store, now)
    return Event.ACTIVATED if is_first else Event.RENEWED


def _note_failure(subscription: Subscription, now: datetime) -> Iterator[Event]:
    """Keep access for a while, and attempt the charge again later."""
    is_first = subscription.status is not Status.PAST_DUE
    if is_first:
        subscription.status = Status.PAST_DUE
        subscription.failed_at = now
        subscription.failed_attempts = 0
    # A test that has set the status by hand has noted no failure.
    failed_at = subscription.failed_at = subscription.failed_at or now
    subscription.failed_attempts += 1
    later = [failed_at + after for after in ATTEMPTS_AFTER[subscription.failed_attempts :]]
    subscription.next_retry_at = next((moment for moment in later if moment > now), None)
    subscription.updated_at = now
    if is_first:
        yield Event.PAST_DUE
    yield Event.RENEWAL_FAILED


def _expire(subscription: Subscription, now: datetime) -> Iterator[Event]:
    subscription.status = Status.EXPIRED
    subscription.auto_renew = False
    subscription.next_retry_at = None
    subscription.updated_at = now
    yield Event.EXPIRED
