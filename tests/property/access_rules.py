"""RMZ's rules of access, written from its documentation and without the paywall's code.

The question is asked for one moment, with yes or no as the answer. The end of access is not
calculated: it is found by asking for each moment at which a rule could end.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from rmz_async import Subscription
from rmz_async.paywall import Policy

__all__ = ("counts", "end_of_access", "is_open", "refusals")

LAST = datetime.max.replace(tzinfo=UTC)

# RMZ returns no more for one lookup, and does not say whether there are more.
MOST_OF_ONE_LOOKUP = 50


def is_open(subscription: Subscription, policy: Policy, moment: datetime) -> bool:
    """Return whether the status and the dates of a subscription grant access at a moment."""
    paid_until = subscription.current_period_end
    if subscription.status == "expired":
        return False
    if subscription.status == "past_due":
        # Access continues while the payment is retried.
        if policy.grace is None or paid_until is None:
            return True
        return not has_passed(paid_until, policy.grace, moment)
    if subscription.status in ("active", "trialing"):
        is_trial = subscription.status == "trialing"
        if is_trial and not policy.trial:
            return False
        ends = (subscription.trial_ends_at if is_trial else None) or paid_until
        if ends is None:
            return True
        is_last_period = subscription.cancel_at_period_end or subscription.auto_renew is False
        return not has_passed(ends, timedelta(0) if is_last_period else policy.renewal_lag, moment)
    honours_paid_time = {"paused": policy.paused, "canceled": policy.canceled}
    if not honours_paid_time.get(subscription.status, policy.unknown_status):
        return False
    return paid_until is not None and not has_passed(paid_until, timedelta(0), moment)


def has_passed(end: datetime, span: timedelta, moment: datetime) -> bool:
    """Return whether so long a time after an end is over; the calendar has a last moment."""
    return moment >= LAST or (moment >= end and moment - end >= span)


def counts(subscription: Subscription, policy: Policy) -> bool | None:
    """Return whether a subscription is of a product that counts; None if that cannot be read."""
    if policy.product_ids is None:
        return True
    return None if subscription.product is None else subscription.product.id in policy.product_ids


def end_of_access(
    held: Sequence[Subscription], policy: Policy, now: datetime
) -> tuple[bool, datetime | None]:
    """Return whether a customer may in now, and the first moment of no access; None if never."""
    counting = [one for one in held if counts(one, policy)]

    def may_in(moment: datetime) -> bool:
        return any(is_open(one, policy, moment) for one in counting)

    dates = [
        date
        for one in counting
        for date in (one.current_period_end, one.trial_ends_at)
        if date is not None
    ]
    spans = (timedelta(0), policy.renewal_lag, policy.grace or timedelta(0))
    ends = {LAST if date > LAST - span else date + span for date in dates for span in spans}
    later = sorted(end for end in ends if end > now)
    return may_in(now), next((end for end in later if not may_in(end)), None)


def refusals(held: Sequence[Subscription], policy: Policy, now: datetime) -> set[str]:
    """Return the reasons of which one must be given to a customer who may not in."""
    if not held:
        return {"no_subscription"}
    if any(counts(one, policy) is None and is_open(one, policy, now) for one in held):
        return {"unreadable"}
    if len(held) >= MOST_OF_ONE_LOOKUP:
        return {"too_many"}
    found: set[str] = set()
    for one in held:
        if counts(one, policy) is False:
            found.add("other_product")
        elif one.status in ("active", "trialing"):
            is_left_out = one.status == "trialing" and not policy.trial
            found.add("trial_excluded" if is_left_out else "period_ended")
        elif one.status == "past_due":
            found.add("grace_ended")
        elif one.status in ("paused", "canceled", "expired"):
            found.add(str(one.status))
        else:
            found.add("unknown_status")
    return found
