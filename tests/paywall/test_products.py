"""A user with subscriptions to several products: each one lets in and ends for itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import attrs
import pytest

import rmz_sync.paywall
from rmz_async import ConfigurationError, InvalidRequestError, Plan, Subscription
from rmz_async.models import Duration, SubscriptionProduct, Variant
from rmz_async.paywall import Access, Fact, PaywallDouble, Policy, Reason, Source, decide
from tests.observers import Notebook
from tests.paywall.scripted import DOWN, START, ScriptedRMZ, subscription, to
from tests.paywall.shared import Shared
from tests.seams import Urgency, paywall_over

pytestmark = pytest.mark.anyio


@pytest.fixture
def rmz() -> ScriptedRMZ:
    """An RMZ in which Noura pays for two products; that of the books lasts longer."""
    scripted = ScriptedRMZ()
    scripted.set(to("films", 1, days=1), to("books", 2))
    return scripted


async def test_each_product_that_is_paid_for_lets_in(rmz: ScriptedRMZ) -> None:
    """With the end of its own; any of several will do, and one request is enough."""
    paywall = paywall_over(rmz)

    films = await paywall.check("noura", "films")
    books = await paywall.check("noura", "books")
    both = await paywall.check("noura", "films", "books")

    assert (films.until, books.until) == (START + timedelta(days=1), START + timedelta(days=30))
    assert both is await paywall.check("noura")
    assert books is both
    assert rmz.asked == ["noura"]


async def test_a_product_ends_on_time_and_the_other_goes_on(rmz: ScriptedRMZ) -> None:
    """No webhook is needed, and a renewal is seen immediately."""
    paywall = paywall_over(rmz)
    assert await paywall.check("noura", "films")
    rmz.later(86_400)

    assert (await paywall.check("noura", "films")).reason is Reason.PERIOD_ENDED
    assert (await paywall.check("noura", "books")).granted
    rmz.later(6)
    rmz.set(to("films", 1, days=1), to("books", 2), to("films", 3))
    assert (await paywall.check("noura", "films")).until == START + timedelta(days=30)


async def test_many_users_are_checked_for_a_product(rmz: ScriptedRMZ) -> None:
    """With the reason and the end that one user's check has, from memory or not."""
    rmz.set(to("books", 3, user="sami"), user="sami")
    paywall = paywall_over(rmz)
    await paywall.check("noura")

    answers = await paywall.check_many(["sami", "noura", "nobody"], "films")

    assert [access.reason for access in answers.values()] == [
        Reason.OTHER_PRODUCT,
        Reason.ACTIVE,
        Reason.NO_SUBSCRIPTION,
    ]
    assert answers["noura"].until == START + timedelta(days=1)
    assert sorted(rmz.asked) == ["nobody", "noura", "sami"]
    with pytest.raises(ConfigurationError, match="products"):
        await paywall.check_many(["noura"], cast("Any", 102))


async def test_a_refusal_of_a_product_among_many_is_never_old(rmz: ScriptedRMZ) -> None:
    """Although memory lets the user in for another product."""
    paywall = paywall_over(rmz)
    await paywall.check("noura")
    rmz.later(5)
    rmz.set(to("books", 2), to("music", 3))

    assert (await paywall.check_many(["noura"], "music"))["noura"].granted
    assert rmz.asked == ["noura", "noura"]


async def test_a_refusal_of_one_product_is_never_old(rmz: ScriptedRMZ) -> None:
    """Although what memory knows of the user is a grant."""
    rmz.set(to("books", 2))
    paywall = paywall_over(rmz)
    assert await paywall.check("noura")
    assert (await paywall.check("noura", "films")).reason is Reason.OTHER_PRODUCT
    assert len(rmz.asked) == 1

    rmz.set(to("books", 2), to("films", 3))
    rmz.later(5)

    assert (await paywall.check("noura", "films")).granted
    assert len(rmz.asked) == 2
    assert rmz.urgencies[-1] is Urgency.RETURNING


async def test_a_refusal_that_cannot_be_checked_is_not_spoken(rmz: ScriptedRMZ) -> None:
    """The product that is known to be paid for lets in meanwhile."""
    rmz.set(to("books", 2))
    paywall = paywall_over(rmz)
    await paywall.check("noura")
    rmz.failure = DOWN
    rmz.later(6)

    for _ in range(2):
        access = await paywall.check("noura", "films")
        assert (access.granted, access.reason) == (False, Reason.UNAVAILABLE)
        assert access.retry_after
    assert (await paywall.check("noura", "books")).granted


async def test_an_outage_that_lets_everybody_in_does_so_for_each_product(rmz: ScriptedRMZ) -> None:
    """That is the rule of the shop."""
    paywall = paywall_over(rmz, on_outage="allow")
    rmz.failure = DOWN

    assert (await paywall.check("noura", "films")).reason is Reason.OUTAGE_ALLOWED


@pytest.mark.parametrize("on_outage", ["keep-known", "deny"])
async def test_a_stranger_is_refused_no_product_while_rmz_is_down(
    rmz: ScriptedRMZ, on_outage: str
) -> None:
    """Nothing is known of the user: the answer cannot say, and so it is no refusal."""
    paywall = paywall_over(rmz, on_outage=on_outage)
    rmz.failure = DOWN

    access = await paywall.check("sami", "films")

    assert (access.granted, access.reason) == (False, Reason.UNAVAILABLE)
    assert access.retry_after


async def test_a_product_that_memory_grants_needs_no_look_at_what_all_know(
    rmz: ScriptedRMZ,
) -> None:
    """The cache that the processes share may be slow, or gone."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    assert await paywall.check("noura")
    shared.facts.clear()

    assert (await paywall.check("noura", "films")).granted
    assert rmz.asked == ["noura"]


async def test_an_older_fact_of_another_process_refuses_no_product(rmz: ScriptedRMZ) -> None:
    """The fact lets the user in, and says nothing certain about the product."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    shared.facts["noura"] = Fact((to("books", 2),), rmz.today())
    rmz.later(30)

    assert (await paywall.check("noura", "films")).granted
    assert rmz.asked == ["noura"]


async def test_a_snapshot_knows_all_products(rmz: ScriptedRMZ, tmp_path: Path) -> None:
    """A process that starts while RMZ is down lets a payer into both."""
    path = tmp_path / "payers"
    paywall, started = (paywall_over(rmz, snapshot=path) for _ in range(2))
    async with paywall:
        await paywall.check("noura")
    rmz.failure = DOWN
    rmz.later(60)

    await started.answers.background.load()
    films = await started.check("noura", "films")
    assert (films.granted, films.source) == (True, Source.SNAPSHOT)
    assert (await started.check("noura", "books")).granted
    assert (await started.check("noura", "games")).reason is Reason.UNAVAILABLE


async def test_a_paywall_that_keeps_no_subscriptions_asks_each_time(rmz: ScriptedRMZ) -> None:
    """A payer is not refused for that."""
    paywall = paywall_over(rmz, keep_subscriptions=False)

    for _ in range(2):
        assert (await paywall.check("noura", "films")).granted
    assert (await paywall.check("noura")).subscription is None
    assert len(rmz.asked) == 2


async def test_an_observer_gets_the_answer_about_the_product(rmz: ScriptedRMZ) -> None:
    """Answers that memory has ready are not recorded."""
    seen = Notebook()
    paywall = paywall_over(rmz, observer=seen)

    await paywall.check("noura", "games")
    await paywall.check("noura", "films")

    assert [(each.granted, each.reason) for each in seen.decisions] == [(False, "other_product")]
    assert seen.lines == ["decision check begins", "on_decision", "decision ends"]


@pytest.mark.parametrize("products", [("",), (102,), (["films"],)])
async def test_a_product_is_a_slug_or_a_plan(rmz: ScriptedRMZ, products: Any) -> None:
    """An id is refused; so is a user without a name."""
    with pytest.raises(ConfigurationError, match=r"^products: pass each slug"):
        await paywall_over(rmz).check("noura", *products)
    with pytest.raises(InvalidRequestError):
        await paywall_over(rmz).check("", "films")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("paused", Reason.PAUSED),
        ("canceled", Reason.CANCELED),
        ("expired", Reason.EXPIRED),
        ("past_due", Reason.GRACE_ENDED),
        ("trialing", Reason.TRIAL_EXCLUDED),
        ("active", Reason.PERIOD_ENDED),
    ],
)
async def test_a_refusal_is_about_the_product(
    rmz: ScriptedRMZ, status: str, reason: Reason
) -> None:
    """Another product may let the user in; the words name this one."""
    rmz.set(to("films", 1, status, days=-1), to("books", 2), to("games", 3, "expired"))
    policy = Policy(grace=timedelta(0), trial=False)

    access = await paywall_over(rmz, policy=policy).check("noura", "films")

    assert access.reason is reason
    assert "films" in access.text("en")
    assert "films" in access.text("ar")


async def test_a_product_that_was_never_bought_is_refused_as_such(rmz: ScriptedRMZ) -> None:
    """A subscription to something else that is over says nothing."""
    rmz.set(to("books", 2, "expired"))

    access = await paywall_over(rmz).check("noura", "films")

    assert (access.reason, access.subscription) == (Reason.NO_SUBSCRIPTION, None)


@pytest.mark.parametrize(
    ("held", "policy", "reason"),
    [
        ([to(None, 1), to("books", 2)], Policy(), Reason.UNREADABLE),
        ([to("books", 2)] * 50, Policy(), Reason.TOO_MANY),
        ([to("films", 1)], Policy(product_ids=[2]), Reason.OTHER_PRODUCT),
    ],
)
async def test_a_product_is_refused_only_if_all_is_known(
    rmz: ScriptedRMZ, held: list[Subscription], policy: Policy, reason: Reason
) -> None:
    """The policy counts first."""
    rmz.set(*held)

    assert (await paywall_over(rmz, policy=policy).check("noura", "films")).reason is reason


PLAN = Plan(
    product_id=102,
    variant_id=15,
    slug="pro",
    name="Pro",
    duration=Duration.MONTHLY,
    price=None,
    trial_days=0,
)


async def test_a_plan_of_a_product_that_cannot_be_read_lets_nobody_in(rmz: ScriptedRMZ) -> None:
    """The policy counts one product only, and this may be another one."""
    bought = attrs.evolve(subscription(1), product=None, variant=Variant(id=15))
    rmz.set(bought)
    paywall = paywall_over(rmz, policy=Policy(product_ids=[102]))

    assert (await paywall.check("noura", PLAN)).reason is Reason.UNREADABLE
    rmz.set(attrs.evolve(bought, product=SubscriptionProduct(id=102)))
    rmz.later(6)
    assert (await paywall.check("noura", PLAN)).granted


def test_an_answer_names_everything_that_grants() -> None:
    """The longest first, each with its own end."""
    films = attrs.evolve(to("films", 1, days=1), variant=Variant(id=15))
    held = [films, to("games", 3, "expired"), to("books", 2)]

    access = decide(held, now=START)

    assert [each.product and each.product.slug for each in access.grants] == ["books", "films"]
    assert [each.until for each in access.grants] == [
        START + timedelta(days=30),
        START + timedelta(days=1),
    ]
    assert [each.variant for each in access.grants] == [None, Variant(id=15)]
    assert {each.id for each in access.subscriptions} == {1, 2, 3}
    assert access.subscriptions[0] == access.subscription
    assert decide([], now=START).subscriptions == ()
    assert Access(granted=True, reason=Reason.ACTIVE, checked_at=START).grants == ()


async def test_a_double_has_several_products() -> None:
    """Each is granted and taken away for itself."""
    double = PaywallDouble(now=START)
    double.grant("noura", slug="films")
    double.grant("noura", slug="books", also=True)
    assert (await double.check("noura", "films")).granted
    double.deny("noura", "paused", slug="films")

    assert (await double.check("noura", "films")).reason is Reason.PAUSED
    assert (await double.check("noura", "books")).granted


def test_code_that_cannot_await_asks_for_products() -> None:
    """From memory, or by the double's thread."""
    with rmz_sync.paywall.PaywallDouble(now=START) as double:
        double.grant("noura", slug="films")
        double.grant("noura", slug="books", also=True)
        assert double.check("noura", "films").source is Source.API
        assert double.check("noura", "films").source is Source.CACHE
        double.deny("noura", slug="films")
        assert double.check("noura", "films").reason is Reason.EXPIRED
