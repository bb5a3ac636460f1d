"""A paywall for tests, whose answers are set by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

import anyio.lowlevel
import pytest

from rmz_async import ConfigurationError, NotFoundError, Plan
from rmz_async.paywall import Lifetimes, PaywallDouble, Policy, Reason
from tests.paywall.scripted import START

pytestmark = pytest.mark.anyio


class Berlin(tzinfo):
    """A zone with the summer time of 2026, as not every machine has a table of zones."""

    def utcoffset(self, when: datetime | None) -> timedelta:
        """Return an hour, and in summer two."""
        assert when is not None
        end = datetime(2026, 10, 25, 3) - timedelta(hours=when.fold)  # noqa: DTZ001 - as clocks show it
        is_summer = datetime(2026, 3, 29, 2) <= when.replace(tzinfo=None, fold=0) < end  # noqa: DTZ001 - see above
        return timedelta(hours=2 if is_summer else 1)

    def dst(self, when: datetime | None) -> timedelta:
        """Return what summer time adds."""
        return self.utcoffset(when) - timedelta(hours=1)

    def tzname(self, when: datetime | None) -> str:
        """Return a name."""
        return "Berlin"


async def test_users_are_granted_and_denied_by_hand() -> None:
    """A change shows in the next check."""
    double = PaywallDouble(product_ids=[102], now=START)
    assert (await double.check("noura")).reason is Reason.NO_SUBSCRIPTION

    double.grant("noura")
    assert (await double.check("noura")).until == START + timedelta(days=30)
    double.grant("noura", product_id=7)
    assert (await double.check("noura")).reason is Reason.OTHER_PRODUCT
    double.deny("noura", "paused")
    assert (await double.check("noura")).reason is Reason.PAUSED
    double.deny("noura", "new_word")
    assert (await double.check("noura")).reason is Reason.UNKNOWN_STATUS


async def test_the_clock_of_a_double_is_set_by_hand() -> None:
    """A grant ends at its moment."""
    double = PaywallDouble(policy=Policy(), now=START)
    double.grant("noura", until=START + timedelta(hours=1))
    assert await double.check("noura")

    double.as_of(START + timedelta(hours=1))
    assert (await double.check("noura")).reason is Reason.PERIOD_ENDED
    with pytest.raises(ConfigurationError, match="as_of"):
        double.as_of(START)
    with pytest.raises(ConfigurationError, match="as_of"):
        double.as_of(datetime(2027, 1, 1))  # noqa: DTZ001 - that it has no zone is the point
    with pytest.raises(ConfigurationError, match="now"):
        PaywallDouble(now=datetime(2027, 1, 1))  # noqa: DTZ001 - that it has no zone is the point


async def test_a_grant_ends_in_time_when_summer_time_begins_or_ends() -> None:
    """The clocks of Berlin show an hour too much in March, and an hour twice in October."""
    berlin, lifetimes = Berlin(), Lifetimes(soft=7200, hard=7200)
    double = PaywallDouble(now=datetime(2026, 3, 29, 1, 30, tzinfo=berlin), lifetimes=lifetimes)
    double.grant("noura", until=datetime(2026, 3, 29, 3, 15, tzinfo=berlin))
    access = await double.check("noura")
    assert str(access.until) == "2026-03-29 01:15:00+00:00"
    assert access.checked_at.tzinfo is UTC
    double.as_of(datetime(2026, 3, 29, 3, 14, tzinfo=berlin))
    assert await double.check("noura")
    double.as_of(datetime(2026, 3, 29, 3, 15, tzinfo=berlin))
    assert (await double.check("noura")).reason is Reason.PERIOD_ENDED

    double.as_of(datetime(2026, 10, 25, 2, 45, tzinfo=berlin))
    double.as_of(datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=berlin))
    assert (await double.check("noura")).checked_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


async def test_a_double_plays_an_outage() -> None:
    """Those who were checked before come in, and nobody else does."""
    double = PaywallDouble()
    double.grant("noura")
    await double.check("noura")
    double.grant("sami")
    double.outage()

    assert (await double.check("noura")).granted
    assert (await double.check("sami")).reason is Reason.UNAVAILABLE
    double.outage(False)
    double.as_of(datetime.now(START.tzinfo) + timedelta(minutes=1))
    assert (await double.check("sami")).granted


async def test_a_double_has_its_subscriptions_by_number() -> None:
    """As `confirm` needs them."""
    double = PaywallDouble(now=START)
    double.grant("noura")
    await anyio.lowlevel.checkpoint()
    lookups = double.rmz

    assert (await lookups.get(1)).external_customer_id == "noura"
    with pytest.raises(NotFoundError):
        await lookups.get(2)


async def test_a_double_starts_a_checkout() -> None:
    """Its address leads nowhere, and has the plan."""
    plan = Plan(
        product_id=102,
        variant_id=15,
        slug="pro-plan",
        name=None,
        duration="annually",
        price=None,
        trial_days=0,
    )

    session = await PaywallDouble().start(
        "noura",
        plan=plan,
        customer=1,
        success_url="https://app.example/ok",
        cancel_url="https://app.example/no",
    )

    assert session.checkout_url == "https://checkout.invalid/15"
