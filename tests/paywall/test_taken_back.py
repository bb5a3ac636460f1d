"""Several processes share that a user has lost access."""

from __future__ import annotations

import anyio
import pytest

from rmz_async import ConnectionFailedError, PacingError, ServerError
from rmz_async.paywall import Fact, Lifetimes, Reason, Source
from tests.paywall.events import event
from tests.paywall.scripted import ScriptedRMZ, subscription
from tests.paywall.shared import Shared
from tests.seams import paywall_over

pytestmark = pytest.mark.anyio

DOWN = ServerError("RMZ is down", status=503)


async def test_an_event_is_forgotten_everywhere_before_rmz_is_asked(rmz: ScriptedRMZ) -> None:
    """So that no process takes the old fact meanwhile."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    await paywall.check("noura")
    rmz.failure = DOWN
    with pytest.raises(ConnectionFailedError):
        await paywall.feed(event())
    assert shared.facts["noura"].is_doubted
    assert [change.user for change in shared.log] == ["noura"]


async def test_who_has_lost_access_is_no_payer_in_an_outage_of_rmz_and_of_the_cache(
    rmz: ScriptedRMZ,
) -> None:
    """The refusal is no longer known anywhere, and the grant before it counts for nothing."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    assert await paywall.check("noura")
    rmz.set(subscription(status="canceled"))
    rmz.later(901)
    assert (await paywall.check("noura")).reason is Reason.CANCELED

    shared.failure, rmz.failure = OSError("gone"), DOWN
    rmz.later(6)
    assert (await paywall.check("noura")).reason is Reason.UNAVAILABLE


@pytest.mark.parametrize("age", [0, 100])
async def test_what_another_process_could_not_judge_takes_no_grant_back(
    rmz: ScriptedRMZ, age: float
) -> None:
    """Fifty subscriptions without access may hide one that grants it, and RMZ cannot be asked."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared, lifetimes=Lifetimes(patience=0.5))
    assert await paywall.check("noura")
    rmz.later(901)
    hiding = tuple(subscription(number, "expired") for number in range(1, 51))
    shared.facts["noura"] = Fact(hiding, rmz.today())
    rmz.later(age)
    rmz.failure = DOWN
    assert not await paywall.check("sami")

    access = await paywall.check("noura")
    assert (access.granted, access.source) == (True, Source.STALE)
    assert rmz.asked == ["noura", "sami"]


async def test_a_grant_that_another_process_has_taken_back_is_forgotten_in_an_outage(
    rmz: ScriptedRMZ,
) -> None:
    """The refusal is too old to be spoken, and outweighs the grant also if the cache is lost."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    assert await paywall.check("noura")
    rmz.later(901)
    shared.facts["noura"] = Fact((subscription(status="canceled"),), rmz.today())
    rmz.later(6)
    rmz.failure = DOWN
    assert (await paywall.check("noura")).reason is Reason.UNAVAILABLE

    shared.failure = OSError("gone")
    assert (await paywall.check("noura")).reason is Reason.UNAVAILABLE


async def test_an_old_grant_is_handed_out_until_a_look_finds_the_pause_that_another_has_found(
    rmz: ScriptedRMZ,
) -> None:
    """In a full minute, no process can find out that the pause is over by then."""
    shared = Shared()
    async with paywall_over(rmz, shared=shared) as first, paywall_over(rmz, shared=shared) as other:
        granted = await first.check("noura")
        rmz.later(61)
        rmz.set(subscription(status="paused"))
        await other.check("noura")
        await anyio.wait_all_tasks_blocked()
        assert (await other.check("noura")).reason is Reason.PAUSED
        rmz.later(560)
        rmz.set(subscription())
        rmz.failure = PacingError("the minute is used up")

        old = await first.check("noura")
        await anyio.wait_all_tasks_blocked()

        assert (old.source, old.checked_at) == (Source.STALE, granted.checked_at)
        for paywall in (first, other):
            assert (await paywall.check("noura")).reason is Reason.UNAVAILABLE


async def test_a_purchase_that_is_confirmed_during_a_look_at_the_cache_is_kept(
    rmz: ScriptedRMZ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older refusal of another process takes back nothing that was learnt since."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    shared.facts["noura"] = Fact((), rmz.today())
    rmz.set(subscription())
    rmz.later(6)
    rmz.failure = DOWN
    assert (await paywall.check("sami")).reason is Reason.UNAVAILABLE

    looks, get = 0, shared.get

    async def get_while_a_purchase_is_confirmed(user: str) -> Fact | None:
        nonlocal looks
        looks += 1
        fact = await get(user)
        # The second look is that of a check that cannot ask RMZ.
        if looks == 2:
            assert paywall.answers.confirmed("noura", subscription(), rmz.today())
        return fact

    monkeypatch.setattr(shared, "get", get_while_a_purchase_is_confirmed)
    await paywall.check("noura")

    assert looks == 2
    assert (await paywall.check("noura")).granted
