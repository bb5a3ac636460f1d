"""The rules of a subscription, without HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta

from rmz_async.sandbox.store.state import Status, Subscription
from rmz_async.sandbox.store.switches import ExtendGuard
from rmz_async.sandbox.wire.answers import RefusedError

__all__ = ("cancel", "extend", "pause", "resume", "unpause")

_ENDED = (Status.CANCELED, Status.EXPIRED)
_DUPLICATE_GUARD = timedelta(seconds=10)


def cancel(
    subscription: Subscription, now: datetime, *, immediately: bool, refused_with: int = 409
) -> None:
    """End it now, or let it run out with its period.

    Raises:
        RefusedError: *refused_with*, it has ended, or already is to end with its period.
    """
    if subscription.status in _ENDED or (subscription.cancel_at_period_end and not immediately):
        raise RefusedError(refused_with, "Subscription is already canceled or expired")
    if immediately:
        subscription.status = Status.CANCELED
        subscription.cancel_at_period_end = False
        _forget_pause(subscription)
        subscription.next_retry_at = None
    else:
        subscription.cancel_at_period_end = True
    subscription.canceled_at = now
    subscription.auto_renew = False
    subscription.updated_at = now


def pause(subscription: Subscription, now: datetime) -> None:
    """Suspend it and bank the whole days that are left of its period.

    Raises:
        RefusedError: 422, it is not active.
    """
    if subscription.status is not Status.ACTIVE:
        raise RefusedError(422, "Only active subscriptions can be paused")
    subscription.status = Status.PAUSED
    subscription.paused_at = now
    subscription.paused_remaining_days = max(0, (subscription.current_period_end - now).days)
    subscription.updated_at = now


def unpause(subscription: Subscription, now: datetime) -> None:
    """Start a period now that lasts the banked days, at least one.

    Raises:
        RefusedError: 422, it is not paused.
    """
    if subscription.status is not Status.PAUSED:
        raise RefusedError(422, "Only paused subscriptions can be unpaused")
    banked = timedelta(days=max(1, subscription.paused_remaining_days or 0))
    subscription.status = Status.ACTIVE
    subscription.current_period_start = now
    subscription.current_period_end = now + banked
    _forget_pause(subscription)
    subscription.updated_at = now


def resume(
    subscription: Subscription, now: datetime, *, after_immediate_cancel: bool = True
) -> None:
    """Undo a cancellation while the period that was paid for lasts.

    Args:
        subscription: The one to go on with.
        now: UTC.
        after_immediate_cancel: Whether also one that took effect immediately can be undone.

    Raises:
        RefusedError: 409, nothing is canceled, the period is over, or this cancellation is final.
    """
    is_canceled = subscription.status is Status.CANCELED or subscription.cancel_at_period_end
    if not is_canceled or subscription.status is Status.EXPIRED:
        raise RefusedError(409, "Subscription is not canceled")
    if now >= subscription.current_period_end:
        raise RefusedError(409, "The paid period is over")
    if subscription.status is Status.CANCELED:
        if not after_immediate_cancel:
            raise RefusedError(409, "An immediate cancellation cannot be undone")
        trial_ends_at = subscription.trial_ends_at
        is_trial = trial_ends_at is not None and now < trial_ends_at
        subscription.status = Status.TRIALING if is_trial else Status.ACTIVE
    subscription.cancel_at_period_end = False
    subscription.canceled_at = None
    subscription.auto_renew = True
    subscription.updated_at = now


def extend(
    subscription: Subscription,
    now: datetime,
    *,
    days: int,
    guard: ExtendGuard = ExtendGuard.ANY,
) -> None:
    """Move the end of its period by *days*.

    Raises:
        RefusedError: 409, it has ended; 429, it was extended within the last 10 s.
    """
    if subscription.status in _ENDED:
        raise RefusedError(409, "Subscription is canceled or expired and cannot be extended")
    last = subscription.last_extended_at
    is_alike = guard is ExtendGuard.ANY or subscription.last_extended_days == days
    if last is not None and now < last + _DUPLICATE_GUARD and is_alike:
        raise RefusedError(429, "This subscription was extended within the last 10 seconds")
    subscription.last_extended_at = now
    subscription.last_extended_days = days
    subscription.current_period_end += timedelta(days=days)
    if subscription.status is Status.TRIALING and subscription.trial_ends_at is not None:
        subscription.trial_ends_at += timedelta(days=days)
    if subscription.paused_remaining_days is not None:
        # While paused, the banked days are what is left of the period.
        subscription.paused_remaining_days += days
    subscription.updated_at = now


def _forget_pause(subscription: Subscription) -> None:
    subscription.paused_at = None
    subscription.paused_remaining_days = None
