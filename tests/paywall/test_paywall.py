"""The paywall: answers from memory, one request for all, and no refusal that is not certain."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import anyio
import anyio.lowlevel
import pytest

import rmz_async
from rmz_async import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    InvalidRequestError,
    PacingError,
    Paywall,
    ServerError,
)
from rmz_async.paywall import Lifetimes, OnOutage, Policy, Reason, Source
from rmz_async.sandbox import Sandbox
from tests.paywall.scripted import START, ScriptedRMZ, subscription
from tests.seams import Urgency, paywall_over

pytestmark = pytest.mark.anyio

DOWN = ServerError("RMZ is down", status=503)


@pytest.fixture
def rmz() -> ScriptedRMZ:
    """An RMZ in which Noura pays."""
    scripted = ScriptedRMZ()
    scripted.set(subscription())
    return scripted


async def settle(until: Callable[[], bool]) -> None:
    """Let other tasks run until something is true."""
    for _ in range(1000):
        if until():
            return
        await anyio.lowlevel.checkpoint()
    raise AssertionError("nothing happened")


async def test_a_known_payer_costs_no_request(rmz: ScriptedRMZ) -> None:
    """The first answer says that RMZ was asked, and the others are one object from memory."""
    paywall = paywall_over(rmz)

    first = await paywall.check("noura")
    second, third = await paywall.check("noura"), await paywall.check("noura")

    assert (first.granted, first.reason, first.source) == (True, Reason.ACTIVE, Source.API)
    assert second.source is Source.CACHE
    assert second is third
    assert (second.until, second.checked_at) == (START + timedelta(days=30), START)
    assert rmz.asked == ["noura"]
    assert (paywall.status.handed_out, paywall.status.asked) == (2, 1)


async def test_a_thousand_askers_make_one_request(rmz: ScriptedRMZ) -> None:
    """All of them get the answer of the one who asked."""
    paywall = paywall_over(rmz)
    rmz.hold = anyio.Event()
    granted: list[bool] = []

    async def ask() -> None:
        granted.append((await paywall.check("noura")).granted)

    async with anyio.create_task_group() as tasks:
        for _ in range(1000):
            tasks.start_soon(ask)
        await settle(lambda: rmz.asked == ["noura"])
        rmz.hold.set()

    assert granted == [True] * 1000
    assert rmz.asked == ["noura"]


async def test_an_asker_who_leaves_takes_nobody_along(rmz: ScriptedRMZ) -> None:
    """The next one who waits asks."""
    paywall = paywall_over(rmz)
    rmz.hold = anyio.Event()
    granted: list[bool] = []
    leaving = anyio.CancelScope()

    async def leave() -> None:
        with leaving:
            await paywall.check("noura")

    async def stay() -> None:
        granted.append((await paywall.check("noura")).granted)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(leave)
        await settle(lambda: rmz.asked == ["noura"])
        tasks.start_soon(stay)
        tasks.start_soon(stay)
        await anyio.lowlevel.checkpoint()
        leaving.cancel()
        await settle(lambda: len(rmz.asked) == 2)
        rmz.hold.set()

    assert granted == [True, True]
    assert len(rmz.asked) == 2


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


async def test_a_known_payer_is_asked_for_again_in_the_background(rmz: ScriptedRMZ) -> None:
    """The check that found RMZ out of reach leaves the user to the background."""
    async with paywall_over(rmz) as paywall:
        await paywall.check("noura")
        rmz.failure = DOWN
        rmz.later(901)
        assert (await paywall.check("noura")).source is Source.STALE
        rmz.failure = None

        await settle(lambda: paywall.status.problem is None)
        await settle(lambda: len(rmz.asked) == 4)

    assert rmz.urgencies[-1] is Urgency.BACKGROUND


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
    """A customer who has paid seconds ago is not told to upgrade."""
    paywall = paywall_over(rmz)
    rmz.set()
    assert (await paywall.check("noura")).reason is Reason.NO_SUBSCRIPTION
    rmz.later(4)
    assert (await paywall.check("noura")).reason is Reason.NO_SUBSCRIPTION
    assert len(rmz.asked) == 1

    rmz.set(subscription())
    rmz.later(2)
    assert (await paywall.check("noura")).granted


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
    """Payers are told apart from strangers."""
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


async def test_payers_are_not_driven_out_by_strangers(rmz: ScriptedRMZ) -> None:
    """Their memory is their own, and in it the one that was learnt first goes first."""
    paywall = paywall_over(rmz, capacity=2)
    for user in ("one", "two", "three"):
        rmz.set(subscription(user=user), user=user)
        await paywall.check(user)
    for number in range(100):
        await paywall.check(f"stranger-{number}")
    assert paywall.status.known == 2

    before = len(rmz.asked)
    await paywall.check("two")
    await paywall.check("three")
    assert len(rmz.asked) == before
    await paywall.check("one")
    assert len(rmz.asked) == before + 1


async def test_a_paywall_may_remember_one_payer(rmz: ScriptedRMZ) -> None:
    paywall = paywall_over(rmz, capacity=1)

    for _ in range(2):
        assert await paywall.check("noura")
    assert rmz.asked == ["noura"]


async def test_a_paywall_may_forget_the_subscriptions(rmz: ScriptedRMZ) -> None:
    """The first answer has it, and those from memory do not."""
    paywall = paywall_over(rmz, keep_subscriptions=False)

    assert (await paywall.check("noura")).subscription is not None
    assert (await paywall.check("noura")).subscription is None


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


async def test_many_users_are_checked_at_the_same_time(rmz: ScriptedRMZ) -> None:
    """The answers come in the order of the question, each user once."""
    paywall = paywall_over(rmz)
    await paywall.check("noura")

    answers = await paywall.check_many(["sami", "noura", "sami"])

    assert {user: access.granted for user, access in answers.items()} == {
        "sami": False,
        "noura": True,
    }
    assert rmz.asked == ["noura", "sami"]


@pytest.mark.parametrize("user", ["", "x" * 192, None, 5])
async def test_a_user_that_rmz_cannot_know_is_refused(rmz: ScriptedRMZ, user: Any) -> None:
    """Such a name is a mistake of the program, and no answer about a customer."""
    paywall = paywall_over(rmz)

    with pytest.raises(InvalidRequestError, match=r"external_customer_id\b"):
        await paywall.check(user)
    with pytest.raises(InvalidRequestError, match="external_customer_id"):
        await paywall.refresh(user)
    with pytest.raises(InvalidRequestError, match="external_customer_id"):
        await paywall.check_many(["noura", user])


async def test_a_refusal_of_rmz_itself_is_the_program_s(rmz: ScriptedRMZ) -> None:
    """A field that RMZ refuses is no outage."""
    paywall = paywall_over(rmz)
    rmz.failure = None
    bad = InvalidRequestError("refused", errors={"external_customer_id": ("no",)})

    def refuse() -> None:
        raise bad

    rmz.meanwhile = refuse
    with pytest.raises(InvalidRequestError):
        await paywall.check("noura")
    assert paywall.status.reachable


async def test_a_refresh_asks_though_memory_knows(rmz: ScriptedRMZ) -> None:
    """A failure leaves what is known in place."""
    paywall = paywall_over(rmz)
    await paywall.check("noura")

    assert (await paywall.refresh("noura")).source is Source.API
    rmz.failure = DOWN
    with pytest.raises(ConnectionFailedError, match="ServerError"):
        await paywall.refresh("noura")
    assert (await paywall.check("noura")).granted
    assert len(rmz.asked) == 3
    assert rmz.urgencies[1:] == [Urgency.BACKGROUND] * 2


async def test_a_refresh_does_not_take_an_answer_that_began_before(rmz: ScriptedRMZ) -> None:
    """The change may have come in between."""
    paywall = paywall_over(rmz)
    rmz.hold = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(paywall.check, "noura")
        await settle(lambda: len(rmz.asked) == 1)
        tasks.start_soon(paywall.refresh, "noura")
        await settle(lambda: rmz.hold is not None and rmz.hold.statistics().tasks_waiting == 1)
        rmz.hold.set()

    assert len(rmz.asked) == 2


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


async def test_a_paywall_is_entered_once_at_a_time(rmz: ScriptedRMZ) -> None:
    """After it was left, it may be entered again."""
    paywall = paywall_over(rmz)
    async with paywall:
        with pytest.raises(ConfigurationError, match="already"):
            await paywall.__aenter__()
    async with paywall:
        assert (await paywall.check("noura")).granted
    await paywall.__aexit__(None, None, None)


async def test_an_answer_that_is_not_certain_drives_no_payer_out(rmz: ScriptedRMZ) -> None:
    """Fifty subscriptions without access may hide one that grants it."""
    paywall = paywall_over(rmz)
    await paywall.check("noura")
    rmz.set(*(subscription(number, "expired") for number in range(1, 51)))
    rmz.later(1000)

    assert (await paywall.check("noura")).granted
    rmz.set(*(subscription(number, "expired") for number in range(1, 51)), user="sami")
    assert (await paywall.check("sami")).reason is Reason.TOO_MANY


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_outage": "open"}, "on_outage: must be keep-known, deny or allow"),
        ({"capacity": 0}, "capacity: must be an integer of 1 or more"),
        ({"capacity": True}, "capacity: must be an integer of 1 or more"),
        ({"capacity": 2.5}, "capacity: must be an integer of 1 or more"),
        ({"lifetimes": 60}, "lifetimes: must be a Lifetimes"),
        ({"product_ids": [1], "policy": Policy()}, "product_ids, policy: pass only one .*"),
    ],
)
def test_an_option_that_breaks_a_rule_is_named(options: dict[str, Any], message: str) -> None:
    """The message begins with the option."""
    with pytest.raises(ConfigurationError, match=f"^{message}$"):
        Paywall(rmz_async.Client("1|secret-token"), **options)


async def test_a_paywall_asks_rmz_for_all_subscriptions_of_a_user() -> None:
    """A payer whose card was declined is among them, and a token that fails is no refusal."""
    async with Sandbox(throttle=False) as sandbox, sandbox.client() as rmz:
        paywall = Paywall(rmz)
        access = await paywall.check("usr_abc123")
        assert access.granted
        assert access.subscription is not None
        assert access.subscription.external_customer_id == "usr_abc123"


@pytest.mark.parametrize("pacing", [rmz_async.Pacing(), None])
async def test_a_payer_never_waits_for_a_slot(pacing: rmz_async.Pacing | None) -> None:
    """A stranger waits for a moment, and without pacing RMZ's own refusal is no outage for long."""
    async with Sandbox() as sandbox, sandbox.client(pacing=pacing) as rmz:
        paywall = Paywall(rmz)
        assert (await paywall.check("usr_abc123")).granted
        answers = await paywall.check_many([f"stranger-{number}" for number in range(130)])
        assert not any(answers.values())
        assert [access.certain for access in answers.values()].count(False) > 0
        before = sandbox.clock.now()
        assert (await paywall.check("usr_abc123")).granted
        assert sandbox.clock.now() == before


async def test_a_paywall_takes_a_policy_in_place_of_products() -> None:
    """A trial that the policy does not count lets nobody in."""
    async with Sandbox(throttle=False) as sandbox, sandbox.client() as rmz:
        policy = Policy(product_ids=frozenset({7}))
        paywall = Paywall(rmz, policy=policy, lifetimes=Lifetimes(soft=1))

        assert (await paywall.check("usr_abc123")).reason is Reason.OTHER_PRODUCT


def test_a_paywall_shows_its_store_and_no_token() -> None:
    """Also if it was refused half-way."""
    paywall = Paywall(rmz_async.Client("1|secret-token"), product_ids=[102])

    assert repr(paywall) == "<Paywall of https://merchant-api.rmz.gg/shawarma>"
    assert repr(object.__new__(Paywall)) == "<Paywall>"


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
        rmz.failure = None
        rmz.later(61)
        renewed = await paywall.check("noura")
        while renewed.source is Source.STALE:
            await anyio.lowlevel.checkpoint()
            renewed = await paywall.check("noura")


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
