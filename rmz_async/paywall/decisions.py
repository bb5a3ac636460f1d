"""May this user in: a pure function of the subscriptions, the policy and the time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from rmz_async.errors import ConfigurationError
from rmz_async.models import Subscription, SubscriptionStatus
from rmz_async.paywall.access import Access, Reason, Source
from rmz_async.paywall.policy import Policy

__all__ = ("DEFAULT_POLICY", "LOOKUP_CAP", "decide")

DEFAULT_POLICY = Policy()

LOOKUP_CAP = 50
"""The most subscriptions that RMZ returns for one lookup."""

_FOR_EVER = datetime.max.replace(tzinfo=UTC)

# If grants last equally long, the one that asks least of the customer is shown.
_GRANTS = (Reason.ACTIVE, Reason.TRIALING, Reason.GRACE, Reason.PAID_TIME)

# The refusal that the customer can do most about is shown.
_REFUSALS = (
    Reason.UNREADABLE,
    Reason.TOO_MANY,
    Reason.PAUSED,
    Reason.GRACE_ENDED,
    Reason.TRIAL_EXCLUDED,
    Reason.UNKNOWN_STATUS,
    Reason.PERIOD_ENDED,
    Reason.CANCELED,
    Reason.EXPIRED,
    Reason.OTHER_PRODUCT,
    Reason.NO_SUBSCRIPTION,
)


class _Verdict(NamedTuple):
    granted: bool
    reason: Reason
    until: datetime | None = None
    subscription: Subscription | None = None


def decide(
    subscriptions: Sequence[Subscription],
    policy: Policy = DEFAULT_POLICY,
    now: datetime | None = None,
    *,
    checked_at: datetime | None = None,
    source: Source = Source.API,
) -> Access:
    """Decide whether the customer of *subscriptions* may in.

    Look the subscriptions up with ``include_inactive=True``: without it RMZ leaves out those whose
    payment is being retried.

    Args:
        subscriptions: All subscriptions of the customer, in any order. If there are as many as one
            lookup returns, and none of them grants access, the answer is not ``certain``.
        policy: The rules, if RMZ's own are not yours.
        now: An aware time; the time of this machine if left out.
        checked_at: When RMZ was asked; *now* if left out.
        source: How the subscriptions were learnt.

    Returns:
        The answer that lets the customer in for longest, or the refusal that the customer can do
        most about.

    Raises:
        ConfigurationError: *now* has no time zone.
    """
    now = datetime.now(UTC) if now is None else now
    if now.tzinfo is None:
        raise ConfigurationError("now: must be an aware time, for example datetime.now(UTC)")
    verdicts = [_judge(each, policy, now) for each in subscriptions]
    granted = [each for each in verdicts if each.granted]
    if granted:
        verdict = min(granted, key=_by_length)
    else:
        verdicts.append(_Verdict(False, Reason.NO_SUBSCRIPTION))
        if len(subscriptions) >= LOOKUP_CAP:
            verdicts.append(_Verdict(False, Reason.TOO_MANY))
        verdict = min(verdicts, key=_by_use)
    return Access(
        granted=verdict.granted,
        reason=verdict.reason,
        until=verdict.until,
        subscription=verdict.subscription,
        checked_at=now if checked_at is None else checked_at,
        source=source,
    )


# Both orders end with the id, the newest first, because RMZ documents no order of subscriptions.


def _by_length(verdict: _Verdict) -> tuple[bool, timedelta, int, int]:
    left = timedelta(0) if verdict.until is None else _FOR_EVER - verdict.until
    return verdict.until is not None, left, _GRANTS.index(verdict.reason), -_id_of(verdict)


def _by_use(verdict: _Verdict) -> tuple[int, int]:
    return _REFUSALS.index(verdict.reason), -_id_of(verdict)


def _id_of(verdict: _Verdict) -> int:
    return 0 if verdict.subscription is None else verdict.subscription.id


def _judge(subscription: Subscription, policy: Policy, now: datetime) -> _Verdict:
    verdict = _judge_status(subscription, policy, now)._replace(subscription=subscription)
    if policy.product_ids is None:
        return verdict
    product = subscription.product
    if product is None:
        # A refusal stays one, whichever product it is of.
        return (
            _Verdict(False, Reason.UNREADABLE, None, subscription) if verdict.granted else verdict
        )
    if product.id not in policy.product_ids:
        return _Verdict(False, Reason.OTHER_PRODUCT, None, subscription)
    return verdict


def _judge_status(subscription: Subscription, policy: Policy, now: datetime) -> _Verdict:
    end = subscription.current_period_end
    match subscription.status:
        case SubscriptionStatus.ACTIVE:
            return _running(subscription, Reason.ACTIVE, end, policy, now)
        case SubscriptionStatus.TRIALING:
            if not policy.trial:
                return _Verdict(False, Reason.TRIAL_EXCLUDED)
            trial_end = subscription.trial_ends_at or end
            return _running(subscription, Reason.TRIALING, trial_end, policy, now)
        case SubscriptionStatus.PAST_DUE:
            if policy.grace is None or end is None:
                return _Verdict(True, Reason.GRACE)
            return _lasting(Reason.GRACE, _after(end, policy.grace), Reason.GRACE_ENDED, now)
        case SubscriptionStatus.PAUSED:
            return _paid_time(policy.paused, end, Reason.PAUSED, now)
        case SubscriptionStatus.CANCELED:
            return _paid_time(policy.canceled, end, Reason.CANCELED, now)
        case SubscriptionStatus.EXPIRED:
            return _Verdict(False, Reason.EXPIRED)
        case _:
            return _paid_time(policy.unknown_status, end, Reason.UNKNOWN_STATUS, now)


def _running(
    subscription: Subscription, reason: Reason, end: datetime | None, policy: Policy, now: datetime
) -> _Verdict:
    if end is None:
        return _Verdict(True, reason)
    renews = subscription.auto_renew is not False and not subscription.cancel_at_period_end
    lag = policy.renewal_lag if renews else timedelta(0)
    return _lasting(reason, _after(end, lag), Reason.PERIOD_ENDED, now)


def _after(end: datetime, span: timedelta) -> datetime:
    # RMZ may send any year, and nothing is later than the last one of the calendar.
    return _FOR_EVER if end > _FOR_EVER - span else end + span


def _lasting(reason: Reason, end: datetime, afterwards: Reason, now: datetime) -> _Verdict:
    return _Verdict(True, reason, end) if now < end else _Verdict(False, afterwards)


def _paid_time(honoured: bool, end: datetime | None, refusal: Reason, now: datetime) -> _Verdict:
    if honoured and end is not None and now < end:
        return _Verdict(True, Reason.PAID_TIME, end)
    return _Verdict(False, refusal)
