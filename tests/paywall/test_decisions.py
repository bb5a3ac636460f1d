"""Decisions of the paywall: each status, each rule of the policy, and what no rule may change."""

from __future__ import annotations

import weakref
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

import attrs
import pytest

from rmz_async import ConfigurationError, Subscription, SubscriptionStatus
from rmz_async.models import SubscriptionProduct
from rmz_async.paywall import Access, Grant, Policy, Reason, Source, decide

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SOON, PAST = NOW + 10 * DAY, NOW - 10 * DAY


def subscription(status: str, *, product: int | None = 102, **fields: Any) -> Subscription:
    """A subscription that lasts ten days more, unless *fields* say otherwise."""
    fields = {"current_period_end": SOON, **fields}
    bought = None if product is None else SubscriptionProduct(id=product, name="Pro")
    return Subscription(id=501, status=status, product=bought, **fields)


@pytest.mark.parametrize(
    ("status", "granted", "reason"),
    [
        ("trialing", True, Reason.TRIALING),
        ("active", True, Reason.ACTIVE),
        ("past_due", True, Reason.GRACE),
        ("paused", False, Reason.PAUSED),
        ("canceled", False, Reason.CANCELED),
        ("expired", False, Reason.EXPIRED),
        ("frozen", False, Reason.UNKNOWN_STATUS),
    ],
)
def test_the_default_policy_is_rmz_s_own_table(status: str, granted: bool, reason: Reason) -> None:
    """Each status, and one that this version does not know."""
    access = decide([subscription(status)], now=NOW)

    assert (access.granted, access.reason, bool(access)) == (granted, reason, granted)
    assert access.certain
    assert access.subscription is not None


def test_a_user_without_subscriptions_is_refused() -> None:
    """Nothing found is an answer, too."""
    access = decide([], now=NOW)

    assert (access.granted, access.reason) == (False, Reason.NO_SUBSCRIPTION)
    assert access.subscription is None


@pytest.mark.parametrize("fields", [{"auto_renew": False}, {"cancel_at_period_end": True}])
@pytest.mark.parametrize("status", ["active", "trialing"])
def test_a_period_that_nothing_renews_ends_on_time(status: str, fields: dict[str, Any]) -> None:
    """The status may still say active: RMZ moves it on later."""
    held = [subscription(status, **fields)]

    assert decide(held, now=NOW).until == SOON
    assert decide(held, now=SOON - timedelta(microseconds=1)).granted
    assert decide(held, now=SOON).reason is Reason.PERIOD_ENDED


@pytest.mark.parametrize("auto_renew", [True, None])
def test_a_period_that_may_renew_itself_is_waited_for(auto_renew: bool | None) -> None:
    """RMZ may charge the card at the very end of the period."""
    held = [subscription("active", auto_renew=auto_renew)]
    policy = Policy(renewal_lag=timedelta(hours=2))

    assert decide(held, policy, SOON + timedelta(hours=1)).granted
    assert decide(held, policy, SOON + timedelta(hours=2)).reason is Reason.PERIOD_ENDED


def test_a_trial_ends_with_the_trial_and_not_with_the_period() -> None:
    """The period may already have its end in the future."""
    held = [subscription("trialing", trial_ends_at=NOW + DAY, auto_renew=False)]

    assert decide(held, now=NOW).until == NOW + DAY
    assert decide(held, now=NOW + DAY).reason is Reason.PERIOD_ENDED


def test_a_limited_grace_is_counted_from_the_end_of_the_paid_period() -> None:
    """The first charge fails three days before it: that time is paid for."""
    held = [subscription("past_due")]
    policy = Policy(grace=2 * DAY)

    access = decide(held, policy, NOW)
    assert (access.reason, access.until) == (Reason.GRACE, SOON + 2 * DAY)
    assert decide(held, policy, SOON + 2 * DAY).reason is Reason.GRACE_ENDED


def test_without_an_end_of_the_period_rmz_s_status_is_the_only_end() -> None:
    """A list or a lookup may leave the key out."""
    for status in ("active", "trialing", "past_due"):
        held = [subscription(status, current_period_end=None)]
        access = decide(held, Policy(grace=DAY), NOW)

        assert (access.granted, access.until) == (True, None)
        assert access.reason is decide([subscription(status)], now=NOW).reason


@pytest.mark.parametrize(
    ("status", "policy", "refusal"),
    [
        ("paused", Policy(paused=True), Reason.PAUSED),
        ("canceled", Policy(canceled=True), Reason.CANCELED),
        ("frozen", Policy(unknown_status=True), Reason.UNKNOWN_STATUS),
    ],
)
def test_a_policy_may_honour_the_time_that_was_paid_for(
    status: str, policy: Policy, refusal: Reason
) -> None:
    """Until the period ends, and not longer; an end that is missing honours nothing."""
    access = decide([subscription(status)], policy, NOW)

    assert (access.granted, access.reason, access.until) == (True, Reason.PAID_TIME, SOON)
    assert decide([subscription(status)], policy, SOON).reason is refusal
    assert not decide([subscription(status, current_period_end=None)], policy, NOW)


def test_a_policy_may_leave_trials_out() -> None:
    """The reason says so."""
    access = decide([subscription("trialing")], Policy(trial=False), NOW)

    assert (access.granted, access.reason) == (False, Reason.TRIAL_EXCLUDED)


def test_only_the_products_of_the_policy_count() -> None:
    """A refusal names the subscription to the other product."""
    policy = Policy(product_ids=[102])

    assert decide([subscription("active")], policy, NOW).granted
    access = decide([subscription("active", product=101)], policy, NOW)
    assert (access.granted, access.reason) == (False, Reason.OTHER_PRODUCT)


def test_a_product_that_cannot_be_read_is_no_refusal() -> None:
    """The subscription would grant access if it were of the right product."""
    policy = Policy(product_ids=[102])

    access = decide([subscription("active", product=None)], policy, NOW)
    assert (access.granted, access.certain) == (False, False)
    assert access.reason is Reason.UNREADABLE
    assert decide([subscription("paused", product=None)], policy, NOW).certain


def test_a_full_lookup_without_a_grant_is_no_refusal() -> None:
    """RMZ returns at most 50, and the one that grants may be the next."""
    held = [subscription("expired")] * 50

    assert decide(held[:-1], now=NOW).certain
    full = decide(held, now=NOW)
    assert (full.granted, full.certain) == (False, False)
    assert decide([*held, subscription("active")], now=NOW).granted


def test_the_refusal_that_the_customer_can_mend_is_the_one_that_is_shown() -> None:
    """A paused subscription can be resumed; an expired one cannot."""
    held = [subscription("expired"), subscription("paused"), subscription("canceled")]

    assert decide(held, now=NOW).reason is Reason.PAUSED


def test_the_grant_that_lasts_longest_is_the_one_that_counts() -> None:
    """A grant without a known end lasts longest of all."""
    short = subscription("active", current_period_end=NOW + DAY, auto_renew=False)
    long = subscription("active", auto_renew=False)
    endless = subscription("past_due")

    assert decide([short, long], now=NOW).until == SOON
    assert decide([long, endless, short], now=NOW).until is None


def test_a_grant_without_an_end_lasts_longer_than_the_calendar() -> None:
    """An end in the last moment of the calendar is an end."""
    last = datetime.max.replace(tzinfo=UTC)
    ending = subscription("active", current_period_end=last)
    endless = subscription("active", current_period_end=None)

    assert decide([ending], now=NOW).until == last
    assert decide([ending, endless], now=NOW).until is None


def test_of_equal_subscriptions_the_newest_counts_and_the_best_reason() -> None:
    """RMZ documents no order."""
    older, newer = (attrs.evolve(subscription("active"), id=number) for number in (501, 502))
    paused, trial = (subscription(status, auto_renew=False) for status in ("paused", "trialing"))
    policy = Policy(paused=True)

    assert decide([newer, older], now=NOW).subscription == newer
    assert decide([paused, trial], policy, NOW).reason is Reason.TRIALING
    gone = [attrs.evolve(one, status=SubscriptionStatus.EXPIRED) for one in (older, newer)]
    assert decide(gone, now=NOW).subscription == gone[1]


def test_the_last_year_of_the_calendar_is_no_overflow() -> None:
    """RMZ sends whatever stands in its database."""
    held = [subscription("active", current_period_end=datetime.max.replace(tzinfo=UTC))]

    assert decide(held, now=NOW).granted


def test_an_answer_is_in_utc_wherever_the_machine_stands() -> None:
    """Two times of one zone are subtracted as its clocks show them, without summer time."""
    riyadh = timezone(timedelta(hours=3))

    checked_at = decide([], now=NOW.astimezone(riyadh)).checked_at

    assert (checked_at, checked_at.tzinfo) == (NOW, UTC)


def test_a_time_without_a_zone_is_refused() -> None:
    """A comparison with RMZ's times would mean nothing."""
    with pytest.raises(ConfigurationError, match=r"^now: must be an aware time, .* datetime.*\)$"):
        decide([], now=datetime(2026, 5, 1))  # noqa: DTZ001 - the naive time is what is refused


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("product_ids", []),
        ("product_ids", [102, 0]),
        ("product_ids", [True]),
        ("product_ids", [0]),
        ("grace", 3),
        ("grace", timedelta(days=367)),
        ("renewal_lag", -DAY),
        ("renewal_lag", 8 * DAY),
        ("trial", 1),
        ("paused", None),
        ("canceled", "yes"),
        ("unknown_status", 0),
    ],
)
def test_a_policy_that_breaks_a_rule_names_the_field(field: str, value: Any) -> None:
    """A mistake in the rules must not wait for the first customer."""
    rules = {
        "product_ids": "one or more positive integers; None counts all products",
        "grace": "a timedelta of 0 to 366 days",
        "renewal_lag": "a timedelta of 0 to 7 days",
    }
    with pytest.raises(ConfigurationError, match=f"^{field}: must be (.*)$") as caught:
        Policy(**{field: value})
    assert str(caught.value).endswith(rules.get(field, "True or False"))


@pytest.mark.parametrize("value", ["102", b"102", 102, [[102]]])
def test_products_are_several_integers(value: Any) -> None:
    """A string is several characters."""
    with pytest.raises(ConfigurationError, match=r"^product_ids: must be several .* \[102\]$"):
        Policy(product_ids=value)


def test_the_longest_spans_and_the_smallest_id_are_allowed() -> None:
    """A year that has a leap day is a year."""
    policy = Policy(product_ids=[1], grace=366 * DAY, renewal_lag=7 * DAY)

    assert decide([subscription("active", product=1)], policy, NOW).until == SOON + 7 * DAY
    with pytest.raises(TypeError):
        cast("Any", Policy)([102])


def test_no_grace_and_no_wait_for_a_renewal_are_allowed() -> None:
    """Then access ends with the period."""
    policy = Policy(grace=timedelta(0), renewal_lag=timedelta(0))

    for status in ("active", "past_due"):
        assert decide([subscription(status)], policy, NOW).until == SOON
        assert not decide([subscription(status)], policy, SOON)


def test_a_renewal_is_waited_for_a_day() -> None:
    """If the policy says nothing else."""
    assert decide([subscription("active")], now=NOW).until == SOON + DAY


def test_an_answer_shows_no_customer() -> None:
    """Programs log it."""
    held = [subscription(status, metadata={"plan": "gold"}) for status in ("active", "expired")]
    access = decide(held, now=NOW)

    for shown in (repr(access), repr(access.grants)):
        assert Reason.ACTIVE.name in shown
        assert "subscription" not in shown.lower()
        assert "gold" not in shown
        assert "Policy" not in shown
        assert "complete" not in shown


def test_answers_are_equal_if_they_say_the_same_of_the_customer() -> None:
    """That holds for any other subscription, and for any rules."""
    decisive = subscription("active")
    one = decide([decisive], now=NOW)
    more = decide([decisive, attrs.evolve(subscription("expired"), id=7)], Policy(trial=False), NOW)

    assert one == more
    assert one != decide([decisive], now=NOW, source=Source.CACHE)


@pytest.mark.parametrize("kind", [Access, Grant])
def test_an_answer_is_made_by_names(kind: Any) -> None:
    """Later versions may have more of them, in any order."""
    with pytest.raises(TypeError):
        kind(True, Reason.ACTIVE, None, subscription("active"))


def test_an_answer_that_is_made_by_hand_is_of_the_api() -> None:
    """As `decide` says, too."""
    access = Access(granted=True, reason=Reason.ACTIVE, checked_at=NOW)

    assert access.source is Source.API
    # A million of them are remembered, and each would take eight bytes more.
    with pytest.raises(TypeError, match="weak reference"):
        weakref.ref(access)


def test_reasons_and_sources_are_written_as_they_are_named() -> None:
    """Programs store them and compare them, and an observer's records have them."""
    for member in (*Reason, *Source):
        assert member == member.name.lower()


def test_an_answer_says_when_and_how_it_was_learnt() -> None:
    """That holds for any time of the decision."""
    held = [subscription("active", current_period_end=None)]
    before = datetime.now(UTC)

    now = decide(held)
    assert before <= now.checked_at <= datetime.now(UTC)
    assert now.source is Source.API
    decided = decide(held, now=NOW, checked_at=PAST, source=Source.WEBHOOK)
    assert (decided.checked_at, decided.source) == (PAST, Source.WEBHOOK)
    assert decide(held, now=NOW).checked_at == NOW
