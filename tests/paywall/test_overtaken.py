"""An answer that is overtaken by an event, and by the answer after that event, decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from rmz_async import EventType, Paywall, Subscription
from rmz_async.paywall import Access, Fact
from tests.paywall.events import event
from tests.paywall.scripted import ScriptedRMZ, subscription, to
from tests.paywall.shared import Shared
from tests.seams import Urgency, paywall_over

pytestmark = pytest.mark.anyio

CANCELED = event(EventType.SUBSCRIPTION_CANCELED, "canceled")


class LateRMZ(ScriptedRMZ):
    """An RMZ whose answer may be on its way for long, with the state of when it was asked."""

    async def subscriptions(self, user: str, urgency: Urgency) -> Sequence[Subscription]:
        """Answer, after `hold` if there was one when RMZ was asked."""
        found, hold = self.known.get(user, ()), self.hold
        self.asked.append(user)
        await anyio.lowlevel.checkpoint()
        if hold is not None:
            await hold.wait()
        return found

    async def get(self, subscription_id: int) -> Subscription:
        """Answer, after `hold` if there was one when RMZ was asked."""
        hold = self.hold
        found = await super().get(subscription_id)
        if hold is not None:
            await hold.wait()
        return found


class LateCache(Shared):
    """A cache whose answer may be on its way for long."""

    hold: anyio.Event | None = None

    async def get(self, user: str) -> Fact | None:
        """Return a fact, after `hold` if there was one."""
        fact, hold = await super().get(user), self.hold
        if hold is not None:
            await hold.wait()
        return fact


@pytest.fixture
def rmz() -> LateRMZ:
    """An RMZ in which Noura pays."""
    rmz = LateRMZ()
    rmz.set(to("films", 501))
    return rmz


def cancel(rmz: LateRMZ) -> None:
    """Cancel Noura's subscription a moment later."""
    rmz.later(1)
    rmz.set(to("films", 501, "canceled"))
    rmz.hold = None


async def product_check_overtaken_by(
    paywall: Paywall, rmz: LateRMZ, *after: Subscription, kind: EventType, status: str
) -> Access:
    """Return the answer of a check for which RMZ was asked before an event, and answered after."""
    hold = rmz.hold = anyio.Event()
    answers: list[Access] = []

    async def check() -> None:
        answers.append(await paywall.check("noura", "films"))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(check)
        await anyio.wait_all_tasks_blocked()
        rmz.later(1)
        rmz.set(*after)
        rmz.hold = None
        await paywall.feed(event(kind, status))
        hold.set()
    return answers[0]


async def test_an_overtaken_answer_lets_nobody_in_who_has_canceled(rmz: LateRMZ) -> None:
    """The check of a product and the event share no request."""
    rmz.set(to("books", 501))
    paywall = paywall_over(rmz)
    assert await paywall.check("noura")
    rmz.later(6)
    canceled = to("books", 501, "canceled")
    kind = EventType.SUBSCRIPTION_CANCELED

    late = await product_check_overtaken_by(paywall, rmz, canceled, kind=kind, status="canceled")

    assert not late.granted
    assert not (await paywall.check("noura")).granted
    rmz.later(6)
    assert not (await paywall.check("noura")).granted


async def test_an_overtaken_answer_refuses_nobody_who_has_bought(rmz: LateRMZ) -> None:
    """RMZ was asked before the purchase, and is asked again."""
    rmz.set(to("books", 2))
    paywall = paywall_over(rmz)
    assert await paywall.check("noura")
    rmz.later(6)
    bought, kind = (to("books", 2), to("films", 501)), EventType.SUBSCRIPTION_CREATED

    late = await product_check_overtaken_by(paywall, rmz, *bought, kind=kind, status="active")

    assert late.granted
    assert (await paywall.check("noura", "films")).granted


async def test_an_overtaken_fact_of_the_cache_lets_nobody_in_who_has_canceled(
    rmz: LateRMZ,
) -> None:
    """The cache was read before the event."""
    shared = LateCache()
    paywall = paywall_over(rmz, shared=shared)
    shared.facts["noura"] = Fact((to("films", 501),), rmz.today())
    hold = shared.hold = anyio.Event()
    answers: list[Access] = []

    async def check() -> None:
        answers.append(await paywall.check("noura"))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(check)
        await anyio.wait_all_tasks_blocked()
        cancel(rmz)
        shared.hold = None
        await paywall.feed(CANCELED)
        hold.set()

    assert not answers[0].granted
    assert not (await paywall.check("noura")).granted


@pytest.mark.parametrize("is_settled", [True, False])
async def test_a_confirmation_lets_nobody_in_who_has_canceled_meanwhile(
    rmz: LateRMZ, is_settled: bool
) -> None:
    """The answer after the event may come before the one to the confirmation, or after it."""
    paywall = paywall_over(rmz)
    hold = rmz.hold = anyio.Event()

    async with anyio.create_task_group() as tasks:

        async def confirm() -> None:
            await paywall.confirm({"rmz-subscription-id": "501"}, user="noura")

        tasks.start_soon(confirm)
        await anyio.wait_all_tasks_blocked()
        cancel(rmz)
        answer = None if is_settled else anyio.Event()
        rmz.hold = answer
        tasks.start_soon(paywall.feed, CANCELED)
        await anyio.wait_all_tasks_blocked()
        hold.set()
        await anyio.wait_all_tasks_blocked()
        if answer is not None:
            answer.set()

    rmz.hold = None
    assert not (await paywall.check("noura")).granted
    rmz.later(6)
    assert not (await paywall.check("noura")).granted


@pytest.mark.parametrize(("number", "shown"), [(501, ()), (7, (to("books", 7),))])
async def test_a_confirmation_during_an_event_holds(
    rmz: LateRMZ, number: int, shown: tuple[Subscription, ...]
) -> None:
    """A replica that lags does not show the purchase to the event, which may be another's."""
    paywall = paywall_over(rmz, on_outage="deny")
    hold = rmz.hold = anyio.Event()

    async with anyio.create_task_group() as tasks:

        async def confirm() -> None:
            assert await paywall.confirm({"rmz-subscription-id": "501"}, user="noura")

        tasks.start_soon(confirm)
        await anyio.wait_all_tasks_blocked()
        rmz.later(1)
        rmz.set(*shown)
        answer = rmz.hold = anyio.Event()
        tasks.start_soon(paywall.feed, event(id=number))
        await anyio.wait_all_tasks_blocked()
        hold.set()
        await anyio.wait_all_tasks_blocked()
        answer.set()

    rmz.hold = None
    assert (await paywall.check("noura", "films")).granted


async def test_a_snapshot_lets_nobody_in_whose_end_an_event_has_reported_before_it_is_read(
    rmz: LateRMZ, tmp_path: Path
) -> None:
    """A delivery may come while the program still starts."""
    file = tmp_path / "payers"
    async with paywall_over(rmz, snapshot=file) as before:
        assert await before.check("noura")
    paywall = paywall_over(rmz, snapshot=file)
    cancel(rmz)
    await paywall.feed(CANCELED)
    rmz.later(6)

    async with paywall:
        assert not (await paywall.check("noura")).granted
        assert not (await paywall.check("sami")).granted


async def test_an_answer_that_no_event_has_overtaken_is_asked_for_once(rmz: LateRMZ) -> None:
    """An event of before the question, and one of another user, overtake nothing."""
    paywall = paywall_over(rmz)
    await paywall.feed(event())
    rmz.set(subscription(7, user="sami"), user="sami")
    rmz.later(901)
    hold = rmz.hold = anyio.Event()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(paywall.check, "noura")
        await anyio.wait_all_tasks_blocked()
        rmz.hold = None
        rmz.later(1)
        await paywall.feed(event(id=7, external_customer_id="sami"))
        hold.set()

    assert rmz.asked == ["noura", "noura", "sami"]


async def test_a_clock_that_is_put_back_after_an_event_makes_no_answer_overtaken(
    rmz: LateRMZ,
) -> None:
    """Each answer would otherwise be asked for twice until the clock has caught up."""
    paywall = paywall_over(rmz)
    await paywall.feed(event())
    rmz.back = timedelta(hours=1)
    rmz.later(901)

    assert await paywall.check("noura")
    assert rmz.asked == ["noura", "noura"]


async def test_a_purchase_that_is_confirmed_while_others_are_asked_for_lets_in(
    rmz: LateRMZ,
) -> None:
    """The refusal of before was read from memory, at once with the other users."""
    rmz.set()
    paywall = paywall_over(rmz)
    assert not await paywall.check("noura")
    rmz.set(to("films", 501))
    hold = rmz.hold = anyio.Event()
    answers: dict[str, Access] = {}

    async def check_many() -> None:
        answers.update(await paywall.check_many(["noura", "sami"]))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(check_many)
        await anyio.wait_all_tasks_blocked()
        rmz.hold = None
        assert await paywall.confirm({"rmz-subscription-id": "501"}, user="noura")
        hold.set()

    assert {user: access.granted for user, access in answers.items()} == {
        "noura": True,
        "sami": False,
    }
