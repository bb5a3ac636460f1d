"""Old answers: a grant is handed out for a while and renewed, and a refusal is never old."""

from __future__ import annotations

from datetime import timedelta

import anyio
import anyio.lowlevel
import pytest

from rmz_async import InvalidRequestError
from rmz_async.paywall import Lifetimes, Reason, Source
from tests.paywall.scripted import DOWN, START, ScriptedRMZ, subscription
from tests.paywall.settling import settle
from tests.seams import Urgency, paywall_over

pytestmark = pytest.mark.anyio


async def test_an_old_grant_is_handed_out_and_renewed_in_the_background(rmz: ScriptedRMZ) -> None:
    """Nobody waits, and the next answer is new."""
    async with paywall_over(rmz) as paywall:
        await paywall.check("noura")
        rmz.later(61)

        stale = await paywall.check("noura")
        assert (stale.granted, stale.source) == (True, Source.STALE)
        renewed = stale
        while renewed.source is Source.STALE:
            await anyio.lowlevel.checkpoint()
            renewed = await paywall.check("noura")

    assert (renewed.source, renewed.checked_at) == (Source.CACHE, START + timedelta(seconds=61))
    assert rmz.urgencies == [Urgency.STRANGER, Urgency.BACKGROUND]


async def test_without_a_background_the_asker_renews(rmz: ScriptedRMZ) -> None:
    """A cancellation is seen by the very check that finds the grant old."""
    paywall = paywall_over(rmz)
    await paywall.check("noura")
    rmz.set(subscription(status="canceled"))
    rmz.later(61)

    assert (await paywall.check("noura")).reason is Reason.CANCELED
    assert rmz.urgencies[-1] is Urgency.PAYER


async def test_a_renewal_that_fails_costs_a_payer_nothing(rmz: ScriptedRMZ) -> None:
    """The old answer stands until another soft lifetime has passed."""
    paywall = paywall_over(rmz)
    await paywall.check("noura")
    rmz.failure = DOWN
    rmz.later(61)

    assert (await paywall.check("noura")).source is Source.STALE
    assert (await paywall.check("noura")).source is Source.STALE
    assert len(rmz.asked) == 2
    rmz.failure = None
    rmz.later(61)
    assert (await paywall.check("noura")).source is Source.API


async def test_a_grant_past_its_hard_lifetime_is_asked_for(rmz: ScriptedRMZ) -> None:
    """The background has no say: the customer may have canceled."""
    async with paywall_over(rmz) as paywall:
        await paywall.check("noura")
        rmz.set(subscription(status="paused"))
        rmz.later(901)

        assert (await paywall.check("noura")).reason is Reason.PAUSED


async def test_a_period_ends_on_time(rmz: ScriptedRMZ) -> None:
    """No webhook is needed, and an old grant does not outlive it in an outage."""
    rmz.set(subscription(days=10 / 86_400))
    paywall = paywall_over(rmz)
    assert (await paywall.check("noura")).granted

    rmz.later(10)
    assert (await paywall.check("noura")).reason is Reason.PERIOD_ENDED

    rmz.set(subscription(days=30 / 86_400))
    rmz.later(6)
    assert (await paywall.check("noura")).granted
    rmz.failure = DOWN
    rmz.later(15)
    assert (await paywall.check("noura")).reason is Reason.UNAVAILABLE


async def test_a_refusal_is_never_old(rmz: ScriptedRMZ) -> None:
    """A customer who has paid seconds ago is not asked to upgrade."""
    paywall = paywall_over(rmz)
    rmz.set()
    assert (await paywall.check("noura")).reason is Reason.NO_SUBSCRIPTION
    rmz.later(4)
    assert (await paywall.check("noura")).reason is Reason.NO_SUBSCRIPTION
    assert len(rmz.asked) == 1

    rmz.set(subscription())
    rmz.later(2)
    assert (await paywall.check("noura")).granted


async def test_a_child_of_a_fork_has_no_backlog(
    rmz: ScriptedRMZ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The users who wait in the parent stretch no lifetimes in the child."""
    async with paywall_over(rmz) as paywall:
        users = [f"user-{number}" for number in range(30)]
        for user in users:
            rmz.set(subscription(user=user), user=user)
        await paywall.check_many(users)
        rmz.later(61)
        rmz.hold = anyio.Event()
        await paywall.check_many(users)
        assert paywall.status.waiting > 0
        with monkeypatch.context() as child:
            child.setattr("os.getpid", lambda: -1)
            paywall.answers.background.begin()

            assert paywall.status.waiting == 0
            assert paywall.status.stretch == 1


async def test_lifetimes_stretch_with_the_backlog(rmz: ScriptedRMZ) -> None:
    """If more payers wait than RMZ answers, their answers live longer, up to max_stale."""
    async with paywall_over(rmz, lifetimes=Lifetimes(max_stale=1000)) as paywall:
        users = [f"user-{number}" for number in range(120)]
        for user in users:
            rmz.set(subscription(user=user), user=user)
        await paywall.check_many(users)
        rmz.later(61)
        rmz.hold = anyio.Event()
        for user in users:
            assert (await paywall.check(user)).granted

        assert paywall.status.waiting > 100
        assert paywall.status.stretch > 2.5
        assert Lifetimes(max_stale=1000).stretched(paywall.status.stretch)[1] == 1000
        rmz.later(850)
        assert (await paywall.check("user-119")).source is Source.STALE
        rmz.hold.set()


async def test_the_background_outlives_a_user_whom_rmz_refuses(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture
) -> None:
    """The application around it goes on, and the others are refreshed."""
    async with paywall_over(rmz) as paywall:
        await paywall.check("noura")
        rmz.later(61)
        rmz.failure = InvalidRequestError("refused", errors={"external_customer_id": ("no",)})
        assert (await paywall.check("noura")).source is Source.STALE
        await settle(lambda: "could not refresh a user: InvalidRequestError" in caplog.text)

        assert {record.name for record in caplog.records} == {"rmz_async.paywall"}
        assert "The paywall could not refresh a user: InvalidRequestError" in caplog.messages
        rmz.failure = None
        rmz.later(61)
        renewed = await paywall.check("noura")
        while renewed.source is Source.STALE:
            await anyio.lowlevel.checkpoint()
            renewed = await paywall.check("noura")
