"""Several processes share what they have learnt."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import anyio
import anyio.lowlevel
import pytest
import trio
from trio.testing import MockClock

from rmz_async import ConnectionFailedError, EventType, ServerError
from rmz_async.paywall import Fact, Lifetimes, Reason, Source
from tests.paywall.events import event
from tests.paywall.scripted import START, ScriptedRMZ, subscription
from tests.paywall.shared import Shared
from tests.seams import paywall_over

pytestmark = pytest.mark.anyio

DOWN = ServerError("RMZ is down", status=503)


async def test_one_process_asks_for_all(rmz: ScriptedRMZ) -> None:
    """The second one takes the fact, and the lease is given back."""
    shared = Shared()
    first, second = (paywall_over(rmz, shared=shared) for _ in range(2))

    assert (await first.check("noura")).granted
    assert (await second.check("noura")).granted
    assert rmz.asked == ["noura"]
    assert shared.leased == set()


async def test_a_shared_refusal_is_never_old(rmz: ScriptedRMZ) -> None:
    """After 5 seconds the other process asks for itself."""
    shared = Shared()
    rmz.set()
    await paywall_over(rmz, shared=shared).check("noura")
    rmz.set(subscription())
    rmz.later(6)

    assert (await paywall_over(rmz, shared=shared).check("noura")).granted


async def test_a_process_waits_for_the_one_that_asks(rmz: ScriptedRMZ) -> None:
    """Its answer will do."""
    shared = Shared()
    shared.leased.add("noura")
    shared.other = lambda: Fact((subscription(),), rmz.today())

    access = await paywall_over(rmz, shared=shared).check("noura")
    assert (access.granted, access.source) == (True, Source.API)
    assert rmz.asked == []


async def test_an_answer_that_came_just_before_the_lease_is_taken(rmz: ScriptedRMZ) -> None:
    """The other process had ended its lease already, and RMZ is asked once."""
    shared = Shared()
    shared.before_lease = Fact((subscription(),), rmz.today())

    access = await paywall_over(rmz, shared=shared).check("noura")
    assert (access.granted, access.source) == (True, Source.API)
    assert rmz.asked == []
    assert shared.leased == set()


async def test_an_old_refusal_that_came_just_before_the_lease_is_not_taken(
    rmz: ScriptedRMZ,
) -> None:
    """A refusal is never old, whoever has learnt it."""
    shared = Shared()
    shared.before_lease = Fact((), rmz.today() - timedelta(seconds=6))

    assert (await paywall_over(rmz, shared=shared).check("noura")).granted
    assert rmz.asked == ["noura"]


async def test_a_process_takes_over_from_one_that_has_died(rmz: ScriptedRMZ) -> None:
    """No answer came in time."""
    shared = Absent(0.05)
    shared.facts["noura"] = Fact((), START - timedelta(hours=1))
    hurried = Lifetimes(patience=0.05)

    assert (await paywall_over(rmz, shared=shared, lifetimes=hurried).check("noura")).granted
    assert rmz.asked == ["noura"]


async def test_a_refresh_takes_no_fact_of_others(rmz: ScriptedRMZ) -> None:
    """An event was fed, so the fact is forgotten for all processes."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    await paywall.check("noura")
    rmz.set(subscription(status="canceled"))
    shared.leased.add("noura")
    shared.other = lambda: Fact((subscription(),), rmz.today())

    assert (await paywall.refresh("noura")).reason is Reason.CANCELED
    assert [one.status for one in shared.facts["noura"].subscriptions] == ["canceled"]


async def test_a_payer_whom_another_process_knows_comes_in(rmz: ScriptedRMZ) -> None:
    """Also if this process has started during the outage."""
    shared = Shared()
    await paywall_over(rmz, shared=shared).check("noura")
    rmz.failure = DOWN
    rmz.later(1800)
    started = paywall_over(rmz, shared=shared)

    access = await started.check("noura")
    assert (access.granted, access.source) == (True, Source.STALE)
    assert (await started.check("noura")).granted
    assert (await started.check("sami")).reason is Reason.UNAVAILABLE
    assert (await paywall_over(rmz, shared=shared, on_outage="deny").check("noura")).reason is (
        Reason.UNAVAILABLE
    )

    rmz.later(6 * 3600)
    assert (await paywall_over(rmz, shared=shared).check("noura")).granted is False


async def test_what_this_process_knows_is_not_replaced_by_something_older(rmz: ScriptedRMZ) -> None:
    """A fact of another process counts only for those who are strangers here."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    await paywall.check("noura")
    rmz.failure = DOWN
    rmz.later(1800)
    shared.facts["noura"] = Fact((), START)

    assert (await paywall.check("noura")).granted
    shared.facts["sami"] = Fact((subscription(status="expired"),), rmz.today())
    rmz.later(20)
    assert (await paywall.check("sami")).granted is False


async def test_an_asker_who_leaves_gives_the_lease_back(rmz: ScriptedRMZ) -> None:
    """Else the other processes would wait for an answer that never comes."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    rmz.hold = anyio.Event()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(paywall.check, "noura")
        while not rmz.asked:
            await anyio.lowlevel.checkpoint()
        assert shared.leased == {"noura"}
        tasks.cancel_scope.cancel()

    assert shared.leased == set()


@pytest.mark.parametrize("way", ["known", "waited for", "just before the lease"])
async def test_a_fact_of_another_process_is_no_sign_that_rmz_lags_no_more(
    rmz: ScriptedRMZ, way: str
) -> None:
    """This process may ask the replica that does not know of the cancellation yet."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    rmz.failure = DOWN
    with pytest.raises(ConnectionFailedError):
        await paywall.feed(event(EventType.SUBSCRIPTION_CANCELED, "canceled"))
    rmz.failure = None
    rmz.later(2)
    fact = Fact((subscription(status="canceled"),), rmz.today())
    if way == "known":
        shared.facts["noura"] = fact
    elif way == "waited for":
        shared.leased.add("noura")
        shared.other = lambda: fact
    else:
        shared.before_lease = fact
    access = await paywall.check("noura")
    assert (access.reason, access.source) == (Reason.CANCELED, Source.API)
    assert rmz.asked == ["noura"]

    shared.before_lease = None
    shared.leased.clear()
    rmz.later(6)
    assert (await paywall.check("noura")).granted
    rmz.set(subscription(status="canceled"))
    rmz.later(2.1)
    assert (await paywall.check("noura")).reason is Reason.CANCELED


@pytest.mark.parametrize("shared", [None, Shared()])
async def test_a_purchase_that_rmz_has_shown_may_be_canceled_the_next_moment(
    rmz: ScriptedRMZ, shared: Shared | None
) -> None:
    """From then on no replica lags behind the redirect."""
    paywall = paywall_over(rmz, shared=shared)
    rmz.set(subscription(created_at=START))
    assert await paywall.confirm("rmz-subscription-id=501", user="noura")
    assert await paywall.refresh("noura")

    rmz.set(subscription(status="canceled"))
    rmz.later(1)

    assert (await paywall.refresh("noura")).reason is Reason.CANCELED


class Absent(Shared):
    """A cache in which other processes ask for so long, each of which gives its lease back."""

    def __init__(self, *seconds: float) -> None:
        super().__init__()
        self.leased.add("noura")
        self.answers_after = list(seconds)
        self.waited: list[float] = []

    async def learnt(self, user: str, *, after: datetime | None, seconds: float) -> Fact | None:
        """Note how long the paywall would wait."""
        self.waited.append(seconds)
        if self.answers_after:
            # On the simulated clock of the test.
            await anyio.sleep(min(seconds, self.answers_after.pop(0)))
        else:
            self.leased.clear()
        return None


def test_other_processes_are_waited_for_as_long_as_patience_says() -> None:
    """Not longer, and not shorter if the first of them gives up."""
    rmz, shared = ScriptedRMZ(), Absent(2.5, 60)
    rmz.set(subscription())

    async def check() -> None:
        paywall = paywall_over(rmz, shared=shared, lifetimes=Lifetimes(patience=3))
        began = anyio.current_time()
        assert (await paywall.check("noura")).granted
        assert anyio.current_time() - began == 3

    trio.run(check, clock=MockClock(autojump_threshold=0))
    assert shared.waited == [3, 0.5]


async def test_a_cache_that_breaks_costs_no_answer(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture
) -> None:
    """The paywall says so once, and once that it has it again."""
    caplog.set_level(logging.WARNING)
    shared = Absent()
    shared.failure = OSError("gone: redis://:secret@host")
    paywall = paywall_over(rmz, shared=shared)

    assert (await paywall.check("noura")).granted
    assert not (await paywall.check("sami")).granted
    shared.failure = None
    await paywall.check("other")

    assert shared.waited == []
    assert caplog.messages == [
        "The paywall goes on without its shared cache, which raised OSError",
        "The paywall has its shared cache again",
    ]
    assert {record.name for record in caplog.records} == {"rmz_async.paywall"}


async def test_a_process_waits_again_for_others_once_the_cache_works(rmz: ScriptedRMZ) -> None:
    """A failure is over with the next answer of the cache, and RMZ is not asked twice."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    shared.failure = OSError("gone")
    await paywall.check("sami")
    shared.failure = None
    shared.leased.add("noura")
    shared.other = lambda: Fact((subscription(),), rmz.today())

    assert (await paywall.check("noura")).granted
    assert rmz.asked == ["sami"]


class Hanging(Shared):
    """A cache that answers so many calls, and then none."""

    def __init__(self, answers: int) -> None:
        super().__init__()
        self.answers = answers

    async def reach(self) -> None:
        """Answer never."""
        self.answers -= 1
        if self.answers < 0:
            await anyio.sleep_forever()


@pytest.mark.parametrize(("answers", "seconds"), [(0, 4), (2, 4), (3, 8)])
def test_a_cache_that_does_not_answer_is_waited_for_once(
    answers: int, seconds: float, caplog: pytest.LogCaptureFixture
) -> None:
    """A second longer than patience; only a lease is given back in any case."""
    rmz, shared = ScriptedRMZ(), Hanging(answers)
    rmz.set(subscription())
    paywall = paywall_over(rmz, shared=shared, lifetimes=Lifetimes(patience=3))

    async def check(user: str, expected: float) -> None:
        began = anyio.current_time()
        assert (await paywall.check(user)).granted is (user == "noura")
        assert anyio.current_time() - began == expected

    async def check_all() -> None:
        await check("noura", seconds)
        await check("sami", 0)
        rmz.later(2.9)
        await check("sara", 0)
        rmz.later(0.1)
        await check("huda", 4)
        rmz.later(3)
        shared.answers = 100
        await check("nawal", 0)
        assert "nawal" in shared.facts

    trio.run(check_all, clock=MockClock(autojump_threshold=0))
    assert rmz.asked == ["noura", "sami", "sara", "huda", "nawal"]
    assert caplog.messages[0].endswith("which raised TimeoutError")
    assert len(caplog.messages) == 2


def test_a_change_is_announced_to_a_cache_that_did_not_answer() -> None:
    """Other processes hear of it in no other way; the cache is used again from then on."""
    rmz, shared = ScriptedRMZ(), Hanging(answers=0)
    rmz.set(subscription())
    paywall = paywall_over(rmz, shared=shared)

    async def check_and_feed() -> None:
        await paywall.check("noura")
        shared.answers = 100
        await paywall.feed(event())

    trio.run(check_and_feed, clock=MockClock(autojump_threshold=0))
    assert [change.user for change in shared.log] == ["noura"]
    assert "noura" in shared.facts


async def test_a_paywall_without_a_cache_says_nothing_of_one(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture
) -> None:
    """A confirmation, an event and an outage leave no word of it in the log."""
    rmz.set(subscription(created_at=START))
    async with paywall_over(rmz) as paywall:
        assert await paywall.confirm("rmz-subscription-id=501", user="noura")
        await paywall.feed(event())
        rmz.failure = DOWN
        for user in ("noura", "sami"):
            await paywall.check(user)
        await anyio.wait_all_tasks_blocked()

    assert "cache" not in caplog.text


class Full(Absent):
    """A cache that can be read, and takes nothing in."""

    is_full = True

    async def lease(self, user: str) -> str | None:
        """Give no lease."""
        if self.is_full:
            raise MemoryError
        return await super().lease(user)

    async def put(self, user: str, fact: Fact) -> None:
        """Store no fact."""
        if self.is_full:
            raise MemoryError
        await super().put(user, fact)


async def test_a_cache_that_can_only_be_read_is_reported_once(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture
) -> None:
    """A Redis that is full, or a copy, answers each check in part."""
    caplog.set_level(logging.WARNING)
    shared = Full()
    paywall = paywall_over(rmz, shared=shared)

    for user in ("noura", "sami", "huda"):
        await paywall.check(user)
    assert caplog.messages == [
        "The paywall goes on without its shared cache, which raised MemoryError"
    ]
    shared.is_full = False
    await paywall.check("salma")

    assert caplog.messages[1:] == ["The paywall has its shared cache again"]
