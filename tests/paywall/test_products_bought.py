"""A purchase of one more product: it lets in immediately, and takes no other product away."""

from __future__ import annotations

from datetime import timedelta

import anyio
import pytest

from rmz_async import ConnectionFailedError, EventType, PacingError
from rmz_async.paywall import Access, Fact, Lifetimes, Reason, Source
from tests.paywall.events import event
from tests.paywall.scripted import DOWN, START, ScriptedRMZ, to
from tests.paywall.shared import Shared
from tests.seams import paywall_over

pytestmark = pytest.mark.anyio


async def test_a_webhook_for_the_second_product_grants_immediately(rmz: ScriptedRMZ) -> None:
    """The first one had been looked at a moment before."""
    rmz.set(to("books", 2))
    paywall = paywall_over(rmz)
    assert not await paywall.check("noura", "films")
    rmz.set(to("books", 2), to("films", 501))

    await paywall.feed(event())

    assert (await paywall.check("noura", "films")).granted


async def test_a_lagging_replica_refuses_no_second_product(rmz: ScriptedRMZ) -> None:
    """The webhook has reported a purchase that the answer does not show."""
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
    """The paywall looks at the shared cache, too."""
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
    """An event has reported a change of the user since."""
    shared = Shared()
    rmz.set(to("books", 2), to("films", 1, "canceled"))
    paywall = paywall_over(rmz, shared=shared)
    assert await paywall.check("noura")
    rmz.later(1)
    bought = (to("books", 2), to("films", 1))
    shared.facts["noura"] = Fact(bought, rmz.today(), is_doubted=True)

    assert (await paywall.check("noura", "films")).reason is Reason.CANCELED
    assert rmz.asked == ["noura", "noura"]


async def test_a_purchase_that_is_confirmed_during_a_check_refuses_no_other_product(
    rmz: ScriptedRMZ,
) -> None:
    """The process takes it just before it would have asked RMZ."""
    shared = Shared()
    rmz.set(to("books", 2), to("films", 501))
    shared.before_lease = Fact((to("films", 501),), rmz.today(), is_partial=True)

    assert (await paywall_over(rmz, shared=shared).check("noura", "books")).granted
    assert rmz.asked == ["noura"]


async def test_after_a_confirmed_purchase_memory_knows_all_products_for_a_minute(
    rmz: ScriptedRMZ,
) -> None:
    """Also that a third one was not bought; and after the minute, RMZ is asked."""
    rmz.set(to("books", 2), to("films", 501))
    paywall = paywall_over(rmz)
    assert await paywall.check("noura")
    rmz.later(1)
    assert await paywall.confirm({"rmz-subscription-id": "501"}, user="noura")

    assert not await paywall.check("noura", "music")
    rmz.later(59)
    assert (await paywall.check("noura", "books")).source is Source.CACHE
    assert rmz.asked == ["noura"]
    rmz.later(1)
    assert (await paywall.check("noura", "books")).source is Source.API


async def test_a_purchase_that_is_over_makes_no_other_grant_live_longer(rmz: ScriptedRMZ) -> None:
    """Its link may be opened at any time."""
    rmz.set(to("books", 2), to("films", 501, "canceled"))
    paywall = paywall_over(rmz)
    assert await paywall.check("noura")
    rmz.later(59)
    assert not await paywall.confirm({"rmz-subscription-id": "501"}, user="noura")
    rmz.later(1)

    assert (await paywall.check("noura", "books")).source is Source.API


@pytest.mark.parametrize(
    ("age", "products"),
    [(None, ()), (901, ()), (6 * 3600 + 1, ()), (None, ("films",)), (10, ("films",))],
)
async def test_a_purchase_that_is_confirmed_during_a_check_lets_in_if_rmz_does_not_answer_the_check(
    rmz: ScriptedRMZ, age: float | None, products: tuple[str, ...]
) -> None:
    """The check has begun with an older grant, or with none."""
    paywall = paywall_over(rmz)
    if age is not None:
        rmz.set(to("books", 2))
        assert await paywall.check("noura")
        rmz.later(age)
    rmz.set(to("books", 2), to("films", 501))
    rmz.hold = anyio.Event()
    answers: list[Access] = []

    async def check() -> None:
        answers.append(await paywall.check("noura", *products))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(check)
        await anyio.wait_all_tasks_blocked()
        assert await paywall.confirm({"rmz-subscription-id": "501"}, user="noura")
        rmz.failure = PacingError("the minute is used up")
        rmz.hold.set()

    assert [(answer.granted, answer.source) for answer in answers] == [(True, Source.CACHE)]
    assert (await paywall.check("noura", "films")).granted
