"""A clock that was put back, here or at another process, makes no answer outlive its time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rmz_async.paywall import Fact
from tests.paywall.scripted import DOWN, START, ScriptedRMZ, subscription, to
from tests.paywall.shared import Shared
from tests.seams import paywall_over

pytestmark = pytest.mark.anyio

# The time of a process whose clock is ahead.
AHEAD = START + timedelta(minutes=10)


async def test_a_refusal_from_the_future_is_not_spoken() -> None:
    """Somebody who has just paid would be refused until the clocks agree."""
    rmz, shared = ScriptedRMZ(), Shared()
    rmz.set(subscription())
    shared.facts["noura"] = Fact((), AHEAD)

    assert (await paywall_over(rmz, shared=shared).check("noura")).granted


async def test_a_grant_from_the_future_is_looked_at_again() -> None:
    """Somebody who has canceled would keep access until the clocks agree."""
    rmz, shared = ScriptedRMZ(), Shared()
    rmz.set(subscription(status="expired"))
    shared.facts["noura"] = Fact((subscription(),), AHEAD)

    assert not (await paywall_over(rmz, shared=shared).check("noura")).granted


async def test_a_payer_from_the_future_comes_in_during_an_outage() -> None:
    """The payer is known, and only the age of the answer is not."""
    rmz, shared = ScriptedRMZ(), Shared()
    rmz.failure = DOWN
    shared.facts["noura"] = Fact((subscription(),), AHEAD)

    assert (await paywall_over(rmz, shared=shared).check("noura")).granted


async def test_a_clock_that_was_put_back_refuses_no_product_that_was_bought() -> None:
    """RMZ is asked before a product is refused, whatever the clock says."""
    rmz = ScriptedRMZ()
    rmz.set(to("films", 1))
    paywall = paywall_over(rmz)
    assert (await paywall.check("noura")).granted
    rmz.set(to("films", 1), to("books", 2))
    rmz.back = timedelta(hours=1)

    assert (await paywall.check("noura", "books")).granted


async def test_a_clock_that_is_a_little_ahead_costs_no_request() -> None:
    """Clocks of servers agree within moments, and not exactly."""
    rmz, shared = ScriptedRMZ(), Shared()
    shared.facts["noura"] = Fact((subscription(),), START + timedelta(seconds=2))

    assert (await paywall_over(rmz, shared=shared).check("noura")).granted
    assert rmz.asked == []
