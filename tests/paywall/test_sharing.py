"""Several processes share what they have learnt."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from rmz_async import ConnectionFailedError, ServerError
from rmz_async.paywall import Fact, Reason, Source
from tests.paywall.scripted import START, ScriptedRMZ, subscription
from tests.paywall.shared import Shared
from tests.seams import paywall_over

pytestmark = pytest.mark.anyio

DOWN = ServerError("RMZ is down", status=503)


@pytest.fixture
def rmz() -> ScriptedRMZ:
    """An RMZ in which Noura pays."""
    scripted = ScriptedRMZ()
    scripted.set(subscription())
    return scripted


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

    assert (await paywall_over(rmz, shared=shared).check("noura")).granted
    assert rmz.asked == []


async def test_an_answer_that_came_just_before_the_lease_is_taken(rmz: ScriptedRMZ) -> None:
    """The other process had ended its lease already, and RMZ is asked once."""
    shared = Shared()
    shared.before_lease = Fact((subscription(),), rmz.today())

    assert (await paywall_over(rmz, shared=shared).check("noura")).granted
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
    shared = Shared()
    shared.leased.add("noura")
    shared.facts["noura"] = Fact((), START - timedelta(hours=1))

    assert (await paywall_over(rmz, shared=shared).check("noura")).granted
    assert rmz.asked == ["noura"]


async def test_a_refresh_takes_no_fact_of_others(rmz: ScriptedRMZ) -> None:
    """An event was fed, so the fact is forgotten for all processes."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    await paywall.check("noura")
    rmz.set(subscription(status="canceled"))
    shared.leased.add("noura")

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


async def test_a_cache_that_breaks_costs_no_answer(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture
) -> None:
    """The paywall says so once, and once that it has it again."""
    caplog.set_level(logging.WARNING)
    shared = Shared()
    shared.failure = OSError("gone: redis://:secret@host")
    paywall = paywall_over(rmz, shared=shared)

    assert (await paywall.check("noura")).granted
    assert not (await paywall.check("sami")).granted
    shared.failure = None
    await paywall.check("other")

    assert caplog.messages == [
        "The paywall goes on without its shared cache, which raised OSError",
        "The paywall has its shared cache again",
    ]


async def test_an_event_is_forgotten_everywhere_before_rmz_is_asked(rmz: ScriptedRMZ) -> None:
    """So that no process takes the old fact meanwhile."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    await paywall.check("noura")
    rmz.failure = DOWN
    from tests.paywall.test_feeding import event

    with pytest.raises(ConnectionFailedError):
        await paywall.feed(event())
    assert shared.facts["noura"].is_doubted
    assert [change.user for change in shared.log] == ["noura"]
