"""The paywall: answers from memory, one request for all, and no refusal that is not certain."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import anyio
import anyio.lowlevel
import pytest

import rmz_async
from rmz_async import ConfigurationError, ConnectionFailedError, InvalidRequestError, Paywall
from rmz_async.paywall import Lifetimes, Policy, Reason, Source
from rmz_async.sandbox import Sandbox
from tests.paywall.scripted import DOWN, START, ScriptedRMZ, subscription
from tests.paywall.settling import settle
from tests.seams import Urgency, paywall_over

pytestmark = pytest.mark.anyio


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
