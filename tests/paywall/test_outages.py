"""Outages of RMZ: known payers come in, strangers are not refused, and the log says so once."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

import rmz_async
from rmz_async import AuthenticationError, PacingError, Paywall
from rmz_async.paywall import Lifetimes, OnOutage, Reason, Source
from rmz_async.sandbox import Sandbox
from tests.paywall.scripted import DOWN, ScriptedRMZ
from tests.paywall.settling import settle
from tests.paywall.shared import Shared
from tests.seams import Urgency, paywall_over

pytestmark = pytest.mark.anyio


async def test_a_known_payer_comes_in_during_an_outage(rmz: ScriptedRMZ) -> None:
    """For as long as max_stale says, and then the answer is no refusal."""
    paywall = paywall_over(rmz)
    await paywall.check("noura")
    rmz.failure = DOWN

    while rmz.seconds < 6 * 3600 - 600:
        rmz.later(599)
        access = await paywall.check("noura")
        assert (access.granted, access.source) == (True, Source.STALE)
    asked = len(rmz.asked)
    assert (await paywall.check("noura")).granted
    assert len(rmz.asked) == asked

    rmz.later(700)
    access = await paywall.check("noura")
    assert (access.granted, access.reason, access.certain) == (False, Reason.UNAVAILABLE, False)
    assert access.retry_after is not None
    assert access.retry_after > 0


@pytest.mark.parametrize("shared", [None, Shared])
async def test_a_known_payer_is_asked_for_again_in_the_background(
    rmz: ScriptedRMZ, shared: Callable[[], Shared] | None
) -> None:
    """The check that found RMZ out of reach leaves the user to the background."""
    async with paywall_over(rmz, shared=shared and shared()) as paywall:
        await paywall.check("noura")
        rmz.failure = DOWN
        rmz.later(901)
        assert (await paywall.check("noura")).source is Source.STALE
        rmz.failure = None

        await settle(lambda: paywall.status.problem is None)
        await settle(lambda: len(rmz.asked) == 4)

    assert rmz.urgencies[-1] is Urgency.BACKGROUND


async def test_a_refusal_that_cannot_be_checked_is_not_spoken(rmz: ScriptedRMZ) -> None:
    """The answer says that it is none, and when to ask again."""
    paywall = paywall_over(rmz)
    rmz.set()
    await paywall.check("noura")
    rmz.failure = DOWN
    rmz.later(6)

    access = await paywall.check("noura")

    assert (access.granted, access.certain) == (False, False)
    assert access.retry_after == 2


@pytest.mark.parametrize(
    ("on_outage", "known", "stranger"),
    [
        (OnOutage.KEEP_KNOWN, Reason.ACTIVE, Reason.UNAVAILABLE),
        (OnOutage.DENY, Reason.UNAVAILABLE, Reason.UNAVAILABLE),
        (OnOutage.ALLOW, Reason.ACTIVE, Reason.OUTAGE_ALLOWED),
    ],
)
async def test_an_outage_has_the_rules_that_were_chosen(
    rmz: ScriptedRMZ, on_outage: OnOutage, known: Reason, stranger: Reason
) -> None:
    """Payers are distinguished from strangers."""
    paywall = paywall_over(rmz, on_outage=on_outage)
    await paywall.check("noura")
    rmz.failure = DOWN
    rmz.later(1000)

    assert (await paywall.check("noura")).reason is known
    assert (await paywall.check("sami")).reason is stranger
    assert (await paywall.check("sami")).granted is (on_outage is OnOutage.ALLOW)


async def test_nobody_waits_for_an_rmz_that_has_just_failed(rmz: ScriptedRMZ) -> None:
    """The first asker tries, and the others are answered immediately until the pause is over."""
    paywall = paywall_over(rmz)
    rmz.failure = DOWN
    for user in ("one", "two", "three"):
        assert not (await paywall.check(user)).certain
    assert rmz.asked == ["one"]

    rmz.later(1.1)
    await paywall.check("two")
    access = await paywall.check("three")
    assert rmz.asked == ["one", "two"]
    assert access.retry_after == 2
    assert paywall.status.reachable is False
    assert paywall.status.problem == "ServerError"
    assert paywall.status.failed == 2


async def test_a_minute_that_is_used_up_is_no_outage(rmz: ScriptedRMZ) -> None:
    """The next one may be luckier, and known payers come in."""
    paywall = paywall_over(rmz)
    await paywall.check("noura")
    rmz.failure = PacingError("no slot")
    rmz.later(1000)

    assert (await paywall.check("noura")).source is Source.STALE
    assert not (await paywall.check("sami")).certain
    assert rmz.asked == ["noura", "noura", "sami"]
    assert paywall.status.reachable
    assert paywall.status.problem == "the requests of this minute are used up"


@pytest.mark.parametrize(
    ("failure", "level"),
    [(DOWN, logging.WARNING), (AuthenticationError("refused", status=401), logging.ERROR)],
)
async def test_an_outage_is_logged_once(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture, failure: rmz_async.RMZError, level: int
) -> None:
    """A token that RMZ refuses is louder than a server that is down."""
    paywall = paywall_over(rmz)
    rmz.failure = failure
    for _ in range(3):
        await paywall.check("noura")
        rmz.later(60)
    rmz.failure = None
    assert (await paywall.check("noura")).granted

    assert [record.levelno for record in caplog.records] == [level, logging.WARNING]
    assert "again, after 3 failures" in caplog.messages[-1]


async def test_ready_waits_for_the_first_answer(rmz: ScriptedRMZ) -> None:
    """An RMZ that fails is asked again until time is up."""
    paywall = paywall_over(rmz)
    rmz.failure = DOWN
    assert await paywall.ready(timeout=0) is False

    attempts = iter([DOWN, DOWN, None])

    def recover(*_: object) -> None:
        rmz.failure = next(attempts)

    original = rmz.sleep

    async def sleep(seconds: float) -> None:
        await original(seconds)
        recover()

    object.__setattr__(rmz.clock, "sleep", sleep)
    assert await paywall.ready() is True
    assert await paywall.ready(timeout=0) is True
    assert set(rmz.urgencies) == {Urgency.BACKGROUND}


async def test_a_token_source_that_fails_locks_no_payer_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its error, which may show the token, is named and not quoted."""
    working = True

    def token() -> str:
        if working:
            return sandbox.token
        raise OSError("vault: 1|secret-token")

    async with Sandbox() as sandbox, sandbox.client(token=token) as rmz:
        paywall = Paywall(rmz, lifetimes=Lifetimes(soft=0.001, hard=0.002))
        assert (await paywall.check("usr_abc123")).granted
        working = False
        async with sandbox.client(token=token) as other:
            assert (await Paywall(other).check("usr_abc123")).reason is Reason.UNAVAILABLE

    assert "The paywall cannot ask RMZ: OSError" in caplog.text
    assert "secret-token" not in caplog.text
