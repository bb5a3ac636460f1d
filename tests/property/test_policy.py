"""Decisions of the paywall over all states, beside rules that are written without its code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import attrs
from hypothesis import example, given
from hypothesis import strategies as st

from rmz_async import Subscription, SubscriptionStatus
from rmz_async.models import SubscriptionProduct
from rmz_async.paywall import Policy, Reason, decide
from tests import seams
from tests.property import access_rules

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)

# Whole half days, so that moments often fall together.
near = st.integers(-16, 16).map(lambda steps: NOON + steps * timedelta(hours=12))
dates = near | st.sampled_from([FIRST, LAST, LAST - timedelta(days=2)])
moments = st.builds(lambda moment, ticks: moment + ticks * TICK, near, st.integers(-1, 1))
flags = st.none() | st.booleans()
spans = st.integers(0, 14).map(lambda steps: steps * timedelta(hours=12))

subscriptions = st.builds(
    Subscription,
    id=st.integers(1, 9),
    status=st.sampled_from([*SubscriptionStatus, "frozen", ""]),
    product=st.none() | st.builds(SubscriptionProduct, id=st.integers(101, 103)),
    current_period_start=st.none() | dates,
    current_period_end=st.none() | dates,
    trial_ends_at=st.none() | dates,
    canceled_at=st.none() | dates,
    paused_at=st.none() | dates,
    starts_at=st.none() | dates.map(datetime.date),
    ends_at=st.none() | dates.map(datetime.date),
    next_retry_at=st.none() | dates,
    auto_renew=flags,
    cancel_at_period_end=flags,
    is_active=flags,
    is_expired=flags,
    days_remaining=st.none() | st.integers(-5, 400),
)
policies = st.builds(
    Policy,
    product_ids=st.none() | st.sets(st.integers(101, 103), min_size=1),
    grace=st.none() | spans,
    renewal_lag=spans,
    trial=st.booleans(),
    paused=st.booleans(),
    canceled=st.booleans(),
    unknown_status=st.booleans(),
)
SLUGS = ["product-101", "product-102", "product-103", "product-104"]
few = st.lists(subscriptions, max_size=4, unique_by=lambda one: one.id)
# A lookup returns 50 at most: a customer may have just so many, or one less.
held = few | st.builds(
    lambda some, more, size: [*some, *[more] * (size - len(some))],
    few,
    subscriptions,
    st.sampled_from([49, 50, 51]),
)


@given(held, policies, moments)
def test_an_answer_is_that_of_the_rules(
    owned: list[Subscription], policy: Policy, now: datetime
) -> None:
    """The answer: whether the user may in, until when, and why not."""
    access = decide(owned, policy, now)
    granted, until = access_rules.end_of_access(owned, policy, now)

    assert access.granted is granted
    if granted:
        assert access.until == until
        assert access.certain
        assert access.subscription is not None
        assert access_rules.is_open(access.subscription, policy, now)
    else:
        assert access.until is None
        allowed = access_rules.refusals(owned, policy, now)
        assert access.reason in allowed
        assert access.certain is allowed.isdisjoint({"unreadable", "too_many"})


@given(few, policies, moments)
def test_a_check_of_one_product_is_that_of_its_subscriptions(
    owned: list[Subscription], policy: Policy, now: datetime
) -> None:
    """No subscription to something else locks a payer out, or lets one in."""
    named = [one for one in map(_with_slug, owned) if one is not None]
    every = decide(named, policy, now)
    nothing = {Reason.NO_SUBSCRIPTION, Reason.OTHER_PRODUCT}
    for slug in SLUGS:
        mine = [one for one in named if one.product is not None and one.product.slug == slug]
        alone = decide(mine, policy, now)
        access = seams.narrow(every, slug, policy, now)

        assert (access.granted, access.until) == (alone.granted, alone.until)
        assert access.certain is alone.certain
        if alone.reason in nothing:
            assert access.reason in nothing
        else:
            assert (access.reason, access.subscription) == (alone.reason, alone.subscription)


def _with_slug(one: Subscription) -> Subscription | None:
    if one.product is None:
        return None
    slug = f"product-{one.product.id}"
    return attrs.evolve(one, product=attrs.evolve(one.product, slug=slug))


@given(few, policies, moments, st.integers(0, 20))
def test_nobody_is_let_in_past_until_and_everybody_before(
    owned: list[Subscription], policy: Policy, now: datetime, hours: int
) -> None:
    """An answer that is kept in memory is as true as a new one, up to its end."""
    access = decide(owned, policy, now)
    later = now + timedelta(hours=hours)

    if not access.granted:
        assert not decide(owned, policy, later).granted
    elif access.until is None or later < access.until:
        assert decide(owned, policy, later).granted
    if access.until is not None:
        assert decide(owned, policy, access.until - TICK).granted
        assert not decide(owned, policy, access.until).granted


@given(few.filter(lambda some: len(some) < 4), policies, moments)
def test_no_order_of_the_subscriptions_changes_what_is_said(
    owned: list[Subscription], policy: Policy, now: datetime
) -> None:
    """RMZ documents no order."""
    first = decide(owned, policy, now)

    assert all(decide(order, policy, now) == first for order in permutations(owned))


@given(few, subscriptions, policies, moments)
def test_one_subscription_more_shortens_no_access(
    owned: list[Subscription], more: Subscription, policy: Policy, now: datetime
) -> None:
    """A user who buys a second plan keeps the first, and as long."""
    before, after = decide(owned, policy, now), decide([*owned, more], policy, now)

    if before.granted:
        assert after.granted
        assert after.until is None or (before.until is not None and after.until >= before.until)


@given(few, policies, moments)
def test_a_stricter_policy_lets_nobody_else_in(
    owned: list[Subscription], policy: Policy, now: datetime
) -> None:
    """Each rule of the policy that is taken back can only refuse."""
    access = decide(owned, policy, now)
    for change in (
        {"trial": False},
        {"paused": False},
        {"canceled": False},
        {"unknown_status": False},
        {"grace": timedelta(0)},
        {"renewal_lag": timedelta(0)},
    ):
        assert decide(owned, attrs.evolve(policy, **change), now).granted <= access.granted


@given(few, policies, moments)
def test_fields_that_rmz_contradicts_itself_about_decide_nothing(
    owned: list[Subscription], policy: Policy, now: datetime
) -> None:
    """RMZ counts ``is_active`` and the days to ``ends_at`` in two ways."""
    names = ("is_active", "is_expired", "days_remaining", "ends_at", "starts_at", "canceled_at")
    nothing: dict[str, Any] = dict.fromkeys(names)
    bare = decide([attrs.evolve(one, **nothing) for one in owned], policy, now)
    full = decide(owned, policy, now)

    assert attrs.evolve(bare, subscription=full.subscription) == full
    assert (bare.subscription and bare.subscription.id) == (
        full.subscription and full.subscription.id
    )


@given(few, policies, moments)
@example([], Policy(), NOON)
def test_each_answer_is_a_sentence_in_both_languages(
    owned: list[Subscription], policy: Policy, now: datetime
) -> None:
    """The customer reads it."""
    access = decide(owned, policy, now)
    english, arabic = access.text("en"), access.text("ar")

    assert english.endswith(".")
    assert english.isascii() or "\u2068" in english
    assert any("\u0600" <= letter <= "\u06ff" for letter in arabic)
    assert "%(" not in english + arabic
