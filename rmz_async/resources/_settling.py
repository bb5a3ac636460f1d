"""Pure: does an object that was read back show that a change was applied?

Each function takes the object, and the time on RMZ's own clock in which the call can have been
applied; None if RMZ did not say what time it is. :mod:`rmz_async._calls.verdict` decides what an
object without a change is worth: it may come from a replica that lags.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rmz_async._calls.outcome import Evidence, Window
from rmz_async.models import Subscription, SubscriptionStatus

if TYPE_CHECKING:
    # At run time it would bring all models of orders.
    from rmz_async.models import Order

# Two servers of RMZ write the two times that are compared, and each clock may be 5 minutes off.
CLOCKS_DIFFER = timedelta(minutes=10)

Compare = Callable[[Subscription, Window | None], Evidence]

_ENDED = (SubscriptionStatus.CANCELED, SubscriptionStatus.EXPIRED)


def canceled(effective: str) -> Compare:
    """Return what compares for a cancellation, with the period or immediately."""
    with_period = effective == "end_of_period"

    def compare(found: Subscription, window: Window | None) -> Evidence:
        as_wanted = _ends_with_period(found) if with_period else _ended(found)
        return _state(found, window, as_wanted, found.canceled_at)

    return compare


def refuses_cancel(effective: str) -> Callable[[Subscription], bool]:
    """Return what says whether RMZ refuses to cancel a subscription in its state."""
    with_period = effective == "end_of_period"
    return lambda found: found.status in _ENDED or (with_period and _ends_with_period(found))


def paused(found: Subscription, window: Window | None) -> Evidence:
    """Compare for a pause."""
    return _state(found, window, found.status == SubscriptionStatus.PAUSED, found.paused_at)


def refuses_pause(found: Subscription) -> bool:
    """Return whether RMZ refuses to pause a subscription in its state."""
    return found.status != SubscriptionStatus.ACTIVE


def unpaused(found: Subscription, window: Window | None) -> Evidence:
    """Compare for the end of a pause."""
    active = found.status == SubscriptionStatus.ACTIVE
    if active and (window is None or found.updated_at is None):
        # The subscription may never have been paused.
        return Evidence.UNCLEAR
    # The end of a pause begins a period; a renewal's begins with the end of the last one.
    return _state(found, window, active, found.current_period_start)


def refuses_unpause(found: Subscription) -> bool:
    """Return whether RMZ refuses to unpause a subscription in its state."""
    return found.status != SubscriptionStatus.PAUSED


def never(_: object) -> bool:
    """Return that no state of the object explains a refusal."""
    return False


def extended(before: Subscription, added: timedelta) -> Compare | None:
    """Return what compares for an extension of *before*; None if that has no end to be moved."""
    if before.current_period_end is None:
        return None
    old = before.current_period_end
    try:
        new = old + added
    except OverflowError:
        # The year 9999, in which a period ends that never ends.
        return None

    def compare(found: Subscription, window: Window | None) -> Evidence:
        # A renewal moves the end too, but it also begins a new period.
        if found.current_period_start != before.current_period_start:
            return Evidence.UNCLEAR
        if found.current_period_end == old:
            return Evidence.NOT_APPLIED
        # Another caller may have extended the subscription likewise, after *before* was read.
        moved = found.current_period_end == new and _may_be_of(found.updated_at, window)
        return Evidence.APPLIED if moved else Evidence.UNCLEAR

    return compare


def moved_to(status: int) -> Callable[[Order, Window | None], Evidence]:
    """Return what compares for an order's move to *status*."""

    def compare(found: Order, window: Window | None) -> Evidence:
        # RMZ calls this one idempotent: the order's status counts, not who set it.
        if found.current_status == status:
            return Evidence.APPLIED
        return _unchanged(found, window)

    return compare


def _state(
    found: Subscription, window: Window | None, as_wanted: bool, as_wanted_since: datetime | None
) -> Evidence:
    # Another change moves `updated_at` too, and leaves the time of the wanted one as it was.
    times = (found.updated_at, as_wanted_since)
    if as_wanted and all(_may_be_of(time, window) for time in times):
        return Evidence.APPLIED
    return _unchanged(found, window)


def _may_be_of(time: datetime | None, window: Window | None) -> bool:
    # A change that is newer than the answer that shows it proves that the clocks differ.
    if window is None or time is None:
        return True
    return window.since <= time <= window.until


def _unchanged(found: Subscription | Order, window: Window | None) -> Evidence:
    if window is None or found.updated_at is None or found.updated_at >= window.since:
        return Evidence.UNCLEAR
    # The object is as it was before the call, even if that is what the call wanted.
    long_before = found.updated_at < window.since - CLOCKS_DIFFER
    return Evidence.NOT_APPLIED if long_before else Evidence.UNSEEN


def _ends_with_period(found: Subscription) -> bool:
    return found.cancel_at_period_end is True


def _ended(found: Subscription) -> bool:
    return found.status == SubscriptionStatus.CANCELED
