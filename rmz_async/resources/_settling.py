"""Pure: does an object that was read back show that a change was applied?

Each function takes the object and *since*: a moment on RMZ's own clock before which the call cannot
have been applied, or None where RMZ did not say what time it is; see ``_retry.earliest``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rmz_async._calls.retry import Evidence
from rmz_async.models import Subscription, SubscriptionStatus

if TYPE_CHECKING:
    # At run time it would bring all models of orders.
    from rmz_async.models import Order

# More than the clocks of servers that are looked after ever do.
CLOCKS_DIFFER = timedelta(seconds=60)

Judge = Callable[[Subscription, datetime | None], Evidence]


def canceled(effective: str) -> Judge:
    """Return what judges a cancellation, with the period or at once."""
    with_period = effective == "end_of_period"

    def judge(found: Subscription, since: datetime | None) -> Evidence:
        return _state(found, since, _ends_with_period(found) if with_period else _ended(found))

    return judge


def paused(found: Subscription, since: datetime | None) -> Evidence:
    """Judge a pause."""
    return _state(found, since, found.status == SubscriptionStatus.PAUSED)


def unpaused(found: Subscription, since: datetime | None) -> Evidence:
    """Judge the end of a pause."""
    active = found.status == SubscriptionStatus.ACTIVE
    if active and _changed(found.updated_at, since) is None:
        # It may never have been paused.
        return Evidence.UNCLEAR
    return _state(found, since, active)


def extended(before: Subscription, added: timedelta) -> Judge | None:
    """Return what judges an extension of *before*; None where it does not say when it ends."""
    if before.current_period_end is None:
        return None
    old, new = before.current_period_end, before.current_period_end + added

    def judge(found: Subscription, since: datetime | None) -> Evidence:
        # A renewal moves the end too, but it also begins a new period.
        if found.current_period_start != before.current_period_start:
            return Evidence.UNCLEAR
        if found.current_period_end == new:
            # Somebody else may have extended it just so, after *before* was read.
            moved_earlier = _changed(found.updated_at, since) is False
            return Evidence.UNCLEAR if moved_earlier else Evidence.APPLIED
        return Evidence.NOT_APPLIED if found.current_period_end == old else Evidence.UNCLEAR

    return judge


def moved_to(status: int) -> Callable[[Order, datetime | None], Evidence]:
    """Return what judges an order's move to *status*."""

    def judge(found: Order, since: datetime | None) -> Evidence:
        # RMZ calls this one idempotent: what counts is where the order is, not who moved it.
        if found.current_status == status:
            return Evidence.APPLIED
        changed = _changed(found.updated_at, since)
        return Evidence.NOT_APPLIED if changed is False else Evidence.UNCLEAR

    return judge


def _state(found: Subscription, since: datetime | None, as_wanted: bool) -> Evidence:
    if found.updated_at is None or since is None or found.updated_at >= since:
        return Evidence.APPLIED if as_wanted else Evidence.UNCLEAR
    # As it is now it was before the call, even where that is what the call wanted. Unless two
    # servers of RMZ have written the two times, and their clocks differ.
    was_just_before = found.updated_at >= since - CLOCKS_DIFFER
    return Evidence.UNCLEAR if as_wanted and was_just_before else Evidence.NOT_APPLIED


def _changed(updated_at: datetime | None, since: datetime | None) -> bool | None:
    if updated_at is None or since is None:
        return None
    return updated_at >= since


def _ends_with_period(found: Subscription) -> bool:
    return found.cancel_at_period_end is True


def _ended(found: Subscription) -> bool:
    return found.status == SubscriptionStatus.CANCELED
