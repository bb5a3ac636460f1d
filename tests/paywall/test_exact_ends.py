"""The moments at which a grant is handed out no more without an answer of RMZ, to the second."""

from __future__ import annotations

import pytest

from rmz_async import EventType, PacingError
from rmz_async.paywall import Lifetimes, Reason, Source
from tests.paywall.events import event
from tests.paywall.scripted import ScriptedRMZ, subscription
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
