"""The moments at which a grant is handed out no more without an answer of RMZ, to the second."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rmz_async import EventType, PacingError, Subscription
from rmz_async.paywall import Fact, Lifetimes, Reason, Source
from tests.paywall.events import event
from tests.paywall.scripted import DOWN, START, ScriptedRMZ, subscription
from tests.paywall.shared import Shared
from tests.seams import Urgency, paywall_over

pytestmark = pytest.mark.anyio

# No time passes in the attempt.
FULL = PacingError("the minute is used up")
DAY = 86_400


@pytest.mark.parametrize(
    ("lifetimes", "days", "end"),
    [
        (Lifetimes(hard=2000, max_stale=2000), 30, 2000),
        (Lifetimes(hard=100, max_stale=2000), 30, 2000),
        (Lifetimes(), 2000 / DAY, 2000),
        (Lifetimes(hard=3000), 2000 / DAY, 2000),
    ],
)
async def test_a_grant_that_cannot_be_checked_ends_at_its_very_end(
    rmz: ScriptedRMZ, lifetimes: Lifetimes, days: float, end: float
) -> None:
    """The seconds for which an old grant is handed out without a look lengthen nothing."""
    rmz.set(subscription(days=days))
    paywall = paywall_over(rmz, lifetimes=lifetimes)
    await paywall.check("noura")
    rmz.failure = FULL

    rmz.later(end - 1)
    assert (await paywall.check("noura")).source is Source.STALE
    rmz.later(1)
    assert (await paywall.check("noura")).reason is Reason.UNAVAILABLE


async def test_a_payer_waits_for_rmz_from_the_end_of_hard_on(rmz: ScriptedRMZ) -> None:
    """Also if the grant was handed out a second before: the customer may have canceled."""
    paywall = paywall_over(rmz)
    await paywall.check("noura")
    rmz.set(subscription(status="canceled"))
    rmz.failure = FULL
    rmz.later(899)
    assert (await paywall.check("noura")).source is Source.STALE
    rmz.failure = None
    rmz.later(1)

    assert (await paywall.check("noura")).reason is Reason.CANCELED
    assert rmz.urgencies[1:] == [Urgency.PAYER, Urgency.RETURNING]


async def test_a_grant_that_an_event_has_brought_becomes_old_like_any_other(
    rmz: ScriptedRMZ,
) -> None:
    """Nobody takes it for what the event said just now."""
    paywall = paywall_over(rmz)
    await paywall.feed(event(EventType.SUBSCRIPTION_CREATED))
    assert (await paywall.check("noura")).source is Source.WEBHOOK
    rmz.failure = FULL
    rmz.later(61)

    assert (await paywall.check("noura")).source is Source.STALE


async def test_the_age_of_a_grant_that_was_handed_out_in_a_full_minute_is_named_for_a_minute(
    rmz: ScriptedRMZ,
) -> None:
    """To the second, and with the seconds for which the grant needs no further look."""
    rmz.set(subscription(user="sami"), user="sami")
    paywall = paywall_over(rmz)
    await paywall.check("noura")
    rmz.later(1000)
    await paywall.check("sami")
    rmz.later(1000)
    rmz.failure = FULL

    await paywall.check("noura")
    assert paywall.status.hard == 2005
    rmz.later(59.5)
    assert paywall.status.hard == 2005
    rmz.later(0.5)
    assert paywall.status.hard == 900
    await paywall.check("sami")
    assert paywall.status.hard == 1065


@pytest.mark.parametrize(("patience", "slept"), [(1.0, []), (1.1, [1.0])])
async def test_a_second_attempt_is_made_if_its_pause_is_shorter_than_patience(
    rmz: ScriptedRMZ, patience: float, slept: list[float]
) -> None:
    """A payer waits no longer than patience says before RMZ is asked again."""
    paywall = paywall_over(rmz, lifetimes=Lifetimes(patience=patience))
    await paywall.check("noura")
    rmz.failure = DOWN
    rmz.later(901)

    assert (await paywall.check("noura")).source is Source.STALE
    assert rmz.slept == slept
    # An outage is no full minute.
    assert paywall.status.hard == 900


async def test_an_answer_of_rmz_needs_no_look_for_exactly_as_long_as_soft_says(
    rmz: ScriptedRMZ,
) -> None:
    """Half a second before the end, memory still hands it out."""
    paywall = paywall_over(rmz)
    await paywall.check("noura")
    rmz.later(59.5)
    assert (await paywall.check("noura")).source is Source.CACHE
    rmz.later(0.5)
    assert (await paywall.check("noura")).source is Source.API


async def test_a_fact_of_a_machine_whose_clock_is_fast_lives_no_longer(rmz: ScriptedRMZ) -> None:
    """The fact seems to come from the future, and its age counts from now."""
    shared = Shared()
    shared.facts["noura"] = Fact((subscription(),), START + timedelta(seconds=10))
    paywall = paywall_over(rmz, shared=shared)
    assert (await paywall.check("noura")).granted
    assert rmz.asked == []
    rmz.later(60)

    assert (await paywall.check("noura")).source is not Source.CACHE


@pytest.mark.parametrize(
    ("subscriptions", "age", "asked"),
    [
        ((subscription(),), 59, []),
        ((subscription(),), 60, ["noura"]),
        ((), 4, []),
        ((), 5, ["noura"]),
    ],
)
async def test_a_fact_of_another_process_is_as_short_lived_as_an_own_answer(
    rmz: ScriptedRMZ, subscriptions: tuple[Subscription, ...], age: float, asked: list[str]
) -> None:
    """A grant counts for less than a minute, and a refusal for less than 5 seconds."""
    shared = Shared()
    shared.facts["noura"] = Fact(subscriptions, START)
    rmz.later(age)

    await paywall_over(rmz, shared=shared, lifetimes=Lifetimes(hard=60)).check("noura")
    assert rmz.asked == asked
