"""The charges and changes of a subscription when it comes due."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rmz_async.sandbox.lifecycle.due import ATTEMPTS_AFTER, grace_ends_at
from rmz_async.sandbox.rules.billing import bill, charge
from rmz_async.sandbox.shapes.subscription_events import Event
from rmz_async.sandbox.store.state import Status, Store, Subscription

__all__ = ("come_due",)


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
