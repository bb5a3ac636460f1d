"""The background asks RMZ again, at its own pace, and no longer than the paywall is entered."""

from __future__ import annotations

import anyio
import pytest

from rmz_async import ConnectionFailedError, PacingError, Paywall
from rmz_async.paywall import Source
from tests.paywall.events import event
from tests.paywall.scripted import ScriptedRMZ, subscription
from tests.seams import Urgency, paywall_over

pytestmark = pytest.mark.anyio

FULL = PacingError("the minute is used up")


@pytest.fixture
def rmz() -> ScriptedRMZ:
    """An RMZ that takes 60 lookups a minute, and of which nobody has asked for a while."""
    scripted = ScriptedRMZ()
    scripted.per_minute = 60
    scripted.later(3600)
    return scripted


async def known(rmz: ScriptedRMZ, paywall: Paywall, number: int) -> list[str]:
    """Let a paywall know so many payers, whose answers have just become old."""
    users = [f"user-{place}" for place in range(number)]
    for user in users:
        rmz.set(subscription(user=user), user=user)
        assert await paywall.check(user)
    rmz.later(60)
    return users


async def test_refreshes_take_half_of_the_minute_after_a_first_few(rmz: ScriptedRMZ) -> None:
    """Twenty-one follow each other immediately, and then one comes every two seconds."""
    async with paywall_over(rmz) as paywall:
        for user in await known(rmz, paywall, 24):
            assert (await paywall.check(user)).source is Source.STALE
        await anyio.wait_all_tasks_blocked()

    assert rmz.slept == [0] * 21 + [2] * 3
    assert rmz.urgencies[24:] == [Urgency.BACKGROUND] * 24


async def test_four_refreshes_are_made_at_the_same_time(rmz: ScriptedRMZ) -> None:
    """A slow RMZ does not hold all users up, and the connections are left to those who wait."""
    async with paywall_over(rmz) as paywall:
        users = await known(rmz, paywall, 9)
        rmz.hold = anyio.Event()
        for user in users:
            assert await paywall.check(user)
        await anyio.wait_all_tasks_blocked()

        assert len(rmz.asked) == 9 + 4
        assert paywall.status.waiting == 5
        # A minute of `soft`, and two seconds for each of five users.
        assert paywall.status.stretch == pytest.approx(1 + 10 / 60)
        rmz.hold.set()


async def test_nobody_waits_for_a_refresh_in_a_new_paywall(rmz: ScriptedRMZ) -> None:
    """The lifetimes are those that were set."""
    status = paywall_over(rmz).status

    assert (status.waiting, status.stretch) == (0, 1)


async def test_a_paywall_that_was_left_refreshes_nobody(rmz: ScriptedRMZ) -> None:
    """The next check asks for itself, and those who waited are not asked for later either."""
    paywall = paywall_over(rmz)
    async with paywall:
        users = await known(rmz, paywall, 6)
        rmz.hold = anyio.Event()
        for user in users:
            assert await paywall.check(user)
        await anyio.wait_all_tasks_blocked()
        rmz.hold, rmz.failure = None, FULL
        with pytest.raises(ConnectionFailedError):
            await paywall.feed(event())
        assert paywall.status.waiting == 3
    rmz.failure = None
    before = len(rmz.asked)

    assert paywall.status.waiting == 0
    assert (await paywall.check("user-5")).granted
    rmz.later(61)
    assert (await paywall.check("user-5")).source is Source.API
    assert rmz.urgencies[-1] is Urgency.PAYER
    async with paywall:
        await anyio.wait_all_tasks_blocked()
    assert len(rmz.asked) == before + 1
