"""A user with subscriptions to several products: each one lets in and ends for itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import attrs
import pytest

import rmz_sync.paywall
from rmz_async import (
    ConfigurationError,
    ConnectionFailedError,
    EventType,
    InvalidRequestError,
    Plan,
    ServerError,
    Subscription,
)
from rmz_async.models import Duration, SubscriptionProduct, Variant
from rmz_async.paywall import Access, Fact, Lifetimes, PaywallDouble, Policy, Reason, Source, decide
from tests.observers import Notebook
from tests.paywall.scripted import START, ScriptedRMZ, subscription
from tests.paywall.shared import Shared
from tests.paywall.test_feeding import event
from tests.seams import Urgency, paywall_over

pytestmark = pytest.mark.anyio

DOWN = ServerError("RMZ is down", status=503)


def to(
    slug: str | None, number: int, status: str = "active", *, days: float = 30, **fields: Any
) -> Subscription:
    """A subscription to a product."""
    one = subscription(number, status, days=days, **fields)
    return attrs.evolve(one, product=SubscriptionProduct(id=number, slug=slug, name=slug))


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


async def test_a_webhook_for_the_second_product_grants_immediately(rmz: ScriptedRMZ) -> None:
    """The first one had been looked at a moment before."""
    rmz.set(to("books", 2))
    paywall = paywall_over(rmz)
    assert not await paywall.check("noura", "films")
    rmz.set(to("books", 2), to("films", 501))

    await paywall.feed(event())

    assert (await paywall.check("noura", "films")).granted


async def test_a_lagging_replica_refuses_no_second_product(rmz: ScriptedRMZ) -> None:
    """The webhook has told of a purchase that the answer does not show."""
    rmz.set(to("books", 2))
    paywall = paywall_over(rmz)
    await paywall.feed(event())

    assert (await paywall.check("noura", "films")).reason is Reason.UNAVAILABLE
    assert (await paywall.check("noura", "books")).granted
    rmz.set(to("books", 2), to("films", 501))
    assert (await paywall.check("noura", "films")).granted


async def test_a_confirmed_purchase_takes_no_other_product_away(rmz: ScriptedRMZ) -> None:
    """RMZ is asked, because one subscription says nothing about the others."""
    shared = Shared()
    rmz.set(to("books", 2), to("films", 501))
    paywall, other = (paywall_over(rmz, shared=shared) for _ in range(2))

    assert await paywall.confirm({"rmz-subscription-id": "501"}, user="noura")

    assert (await paywall.check("noura", "films")).granted
    assert (await other.check("noura", "films")).granted
    assert rmz.asked == []
    assert (await paywall.check("noura", "books")).granted
    assert (await other.check("noura", "books")).granted


async def test_a_confirmed_purchase_is_no_answer_about_another_product(rmz: ScriptedRMZ) -> None:
    """RMZ is asked, though the purchase was read a moment ago."""
    rmz.set(to("books", 2), to("films", 501))
    paywall = paywall_over(rmz)

    assert await paywall.confirm({"rmz-subscription-id": "501"}, user="noura")

    assert (await paywall.check("noura", "books")).granted
    assert rmz.asked == ["noura"]


async def test_a_confirmed_purchase_keeps_the_other_product_during_an_outage(
    rmz: ScriptedRMZ,
) -> None:
    """Both let in, and a product that the user never had is no refusal."""
    rmz.set(to("books", 2))
    paywall = paywall_over(rmz)
    assert await paywall.check("noura")
    rmz.later(30)
    rmz.set(to("books", 2), to("films", 501, days=60))
    assert await paywall.confirm({"rmz-subscription-id": "501"}, user="noura")
    rmz.failure = DOWN

    assert (await paywall.check("noura", "books")).until == START + timedelta(days=30)
    assert (await paywall.check("noura", "films")).until == START + timedelta(days=60)
    assert (await paywall.check("noura")).until == START + timedelta(days=60)
    assert (await paywall.check("noura", "music")).reason is Reason.UNAVAILABLE


async def test_a_confirmed_purchase_makes_no_other_grant_live_longer(rmz: ScriptedRMZ) -> None:
    """Somebody may open the same link again and again, and has canceled the other product."""
    rmz.set(to("books", 2), to("films", 501, days=20))
    hard = Lifetimes().hard
    paywall = paywall_over(rmz)
    assert await paywall.check("noura", "books")
    rmz.set(to("films", 501, days=20))
    for _ in range(2):
        rmz.later(hard / 2)
        assert await paywall.confirm({"rmz-subscription-id": "501"}, user="noura")

    assert (await paywall.check("noura", "films")).granted
    assert not await paywall.check("noura", "books")


async def test_a_purchase_that_is_confirmed_again_is_as_new_as_the_last_look(
    rmz: ScriptedRMZ,
) -> None:
    """There is no other subscription that is older."""
    rmz.set(to("films", 501))
    paywall = paywall_over(rmz)
    assert await paywall.check("noura")
    rmz.later(30)

    assert await paywall.confirm({"rmz-subscription-id": "501"}, user="noura")

    assert (await paywall.check("noura")).checked_at == rmz.today()


async def test_a_confirmed_purchase_keeps_nothing_that_an_event_has_doubted(
    rmz: ScriptedRMZ,
) -> None:
    """The other product may be the one that has changed."""
    rmz.set(to("books", 2), to("films", 501))
    paywall = paywall_over(rmz)
    assert await paywall.check("noura", "books")
    rmz.failure = DOWN
    with pytest.raises(ConnectionFailedError):
        await paywall.feed(event(EventType.SUBSCRIPTION_CANCELED, "canceled", id=2))
    rmz.later(1)
    rmz.failure = None
    assert await paywall.confirm({"rmz-subscription-id": "501"}, user="noura")
    rmz.failure = DOWN

    assert (await paywall.check("noura", "films")).granted
    assert (await paywall.check("noura", "books")).reason is Reason.UNAVAILABLE


async def test_a_purchase_that_another_process_has_confirmed_is_not_refused(
    rmz: ScriptedRMZ,
) -> None:
    """A refusal that is a second old is looked at again, in what all know."""
    shared = Shared()
    rmz.set(to("books", 2))
    paywall = paywall_over(rmz, shared=shared)
    assert not await paywall.check("noura", "films")
    assert not await paywall.check("noura", "films")
    assert len(rmz.asked) == 1
    rmz.later(1)
    shared.facts["noura"] = Fact((to("films", 501),), rmz.today(), is_partial=True)

    assert (await paywall.check("noura", "films")).granted
    assert len(rmz.asked) == 1


async def test_such_a_purchase_lets_in_while_rmz_is_down(rmz: ScriptedRMZ) -> None:
    """What all know is looked at, too."""
    shared = Shared()
    rmz.set(to("books", 2))
    paywall = paywall_over(rmz, shared=shared)
    assert await paywall.check("noura")
    rmz.later(1)
    rmz.failure = DOWN
    assert not await paywall.check("sami")
    shared.facts["noura"] = Fact((to("books", 2), to("films", 501)), rmz.today())

    assert (await paywall.check("noura", "films")).granted
    assert rmz.asked == ["noura", "sami"]


async def test_a_doubted_fact_of_another_process_grants_no_product(rmz: ScriptedRMZ) -> None:
    """An event has told of the user since."""
    shared = Shared()
    rmz.set(to("books", 2), to("films", 1, "canceled"))
    paywall = paywall_over(rmz, shared=shared)
    assert await paywall.check("noura")
    rmz.later(1)
    bought = (to("books", 2), to("films", 1))
    shared.facts["noura"] = Fact(bought, rmz.today(), is_doubted=True)

    assert (await paywall.check("noura", "films")).reason is Reason.CANCELED
    assert rmz.asked == ["noura", "noura"]


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
    await paywall.check("noura")
    await paywall.answers.background.save()
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
    with pytest.raises(ConfigurationError, match=r"^products: must be"):
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
    """Whatever else lets the user in; the words name the product."""
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
