"""Does this user have access: a pure function of the subscriptions, the policy and the time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import attrs

from rmz_async.errors import ConfigurationError
from rmz_async.models import Subscription, SubscriptionStatus
from rmz_async.paywall._wanted import Wanted
from rmz_async.paywall.access import Access, Grant, Reason, Source
from rmz_async.paywall.policy import Policy
from rmz_async.paywall.sharing import Fact

__all__ = ("DEFAULT_POLICY", "LOOKUP_CAP", "decide", "decide_fact", "grants_of", "narrow")

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
    """Decide whether the customer of *subscriptions* has access.

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
    now = now.astimezone(UTC)
    verdict = _decisive([_judge(each, policy, now) for each in subscriptions])
    return Access(
        granted=verdict.granted,
        reason=verdict.reason,
        until=verdict.until,
        subscription=verdict.subscription,
        checked_at=now if checked_at is None else checked_at,
        source=source,
        others=_others(subscriptions, verdict),
        policy=policy,
    )


def decide_fact(fact: Fact, policy: Policy, now: datetime, source: Source = Source.API) -> Access:
    """Return the answer that a fact gives at *now*; see `decide`."""
    at = fact.checked_at
    access = decide(fact.subscriptions, policy, now, checked_at=at, source=source)
    return attrs.evolve(access, complete=False) if fact.is_partial else access


def narrow(access: Access, wanted: Wanted, policy: Policy, now: datetime) -> Access:
    """Return the answer about some products only, as it is at *now*.

    Args:
        access: The answer about all that the policy counts; the same object is returned if it
            holds for the products, too.
        wanted: The products.
        policy: The rules.
        now: An aware time.
    """
    if access.reason in (Reason.UNAVAILABLE, Reason.OUTAGE_ALLOWED):
        return access
    subscriptions = access.subscriptions
    verdict = _decisive([_judge(each, policy, now, wanted) for each in subscriptions])
    if verdict == (access.granted, access.reason, access.until, access.subscription):
        return access
    return attrs.evolve(
        access,
        granted=verdict.granted,
        reason=verdict.reason,
        until=verdict.until,
        subscription=verdict.subscription,
        others=_others(subscriptions, verdict),
    )


def grants_of(access: Access) -> tuple[Grant, ...]:
    """Return the subscriptions that let a user in; see `Access.grants`."""
    policy = access.policy
    if policy is None:
        return ()
    judged = [_judge(each, policy, access.checked_at) for each in access.subscriptions]
    return tuple(
        Grant(reason=each.reason, until=each.until, subscription=each.subscription)
        for each in sorted((each for each in judged if each.granted), key=_by_length)
        if each.subscription is not None
    )


def _decisive(verdicts: list[_Verdict]) -> _Verdict:
    granted = [each for each in verdicts if each.granted]
    if granted:
        return min(granted, key=_by_length)
    refused = [*verdicts, _Verdict(False, Reason.NO_SUBSCRIPTION)]
    if len(verdicts) >= LOOKUP_CAP:
        refused.append(_Verdict(False, Reason.TOO_MANY))
    return min(refused, key=_by_use)


def _others(subscriptions: Sequence[Subscription], verdict: _Verdict) -> tuple[Subscription, ...]:
    others = list(subscriptions)
    if verdict.subscription is not None:
        others.remove(verdict.subscription)
    return tuple(others)


# Both orders end with the id, the newest first, because RMZ documents no order of subscriptions.


def _by_length(verdict: _Verdict) -> tuple[bool, timedelta, int, int]:
    left = timedelta(0) if verdict.until is None else _FOR_EVER - verdict.until
    return verdict.until is not None, left, _GRANTS.index(verdict.reason), -_id_of(verdict)


def _by_use(verdict: _Verdict) -> tuple[int, int]:
    return _REFUSALS.index(verdict.reason), -_id_of(verdict)


def _id_of(verdict: _Verdict) -> int:
    return 0 if verdict.subscription is None else verdict.subscription.id


def _judge(
    subscription: Subscription, policy: Policy, now: datetime, wanted: Wanted | None = None
) -> _Verdict:
    verdict = _judge_status(subscription, policy, now)._replace(subscription=subscription)
    counts = _counts(subscription, policy)
    if counts is False:
        return _Verdict(False, Reason.OTHER_PRODUCT, None, subscription)
    if wanted is not None:
        included = wanted.includes(subscription)
        if included is False:
            # A subscription that is over, to something else, says nothing about what is wanted.
            if not verdict.granted:
                return _Verdict(False, Reason.NO_SUBSCRIPTION)
            return _Verdict(False, Reason.OTHER_PRODUCT, None, subscription)
        counts = counts and included
    if counts is None and verdict.granted:
        # A refusal stays one, whichever product it is of.
        return _Verdict(False, Reason.UNREADABLE, None, subscription)
    return verdict


def _counts(subscription: Subscription, policy: Policy) -> bool | None:
    if policy.product_ids is None:
        return True
    product = subscription.product
    return None if product is None else product.id in policy.product_ids


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
