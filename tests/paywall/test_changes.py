"""A change that one process has learnt of reaches all that share its cache."""

from __future__ import annotations

from datetime import timedelta

import anyio
import pytest

from rmz_async import ConnectionFailedError, EventType, ServerError
from rmz_async.paywall import Change, Fact, Reason, Source
from tests.paywall.events import event
from tests.paywall.scripted import START, ScriptedRMZ, subscription
from tests.paywall.shared import Shared
from tests.seams import Setting, paywall_over, replace

pytestmark = pytest.mark.anyio

DOWN = ServerError("RMZ is down", status=503)
CANCELED = event(EventType.SUBSCRIPTION_CANCELED, "canceled")


async def test_an_event_reaches_the_processes_that_it_has_not_come_to(rmz: ScriptedRMZ) -> None:
    """Their grant is not handed out once more, and RMZ is asked once for all."""
    shared = Shared()
    first, other = (paywall_over(rmz, shared=shared) for _ in range(2))
    assert (await first.check("noura")).granted
    assert (await other.check("noura")).granted

    rmz.later(1)
    rmz.set(subscription(status="canceled"))
    await first.feed(CANCELED)
    async with other:
        await anyio.wait_all_tasks_blocked()
        assert (await other.check("noura")).reason is Reason.CANCELED
    assert len(rmz.asked) == 2


async def test_an_event_that_is_fed_again_reaches_a_cache_that_had_failed(
    rmz: ScriptedRMZ,
) -> None:
    """Other processes hear of it in no other way, and the change is as old as it was."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    shared.failure, rmz.failure = OSError("the cache is down"), DOWN
    with pytest.raises(ConnectionFailedError):
        await paywall.feed(CANCELED)
    assert not shared.log

    shared.failure = rmz.failure = None
    rmz.later(60)
    rmz.set(subscription(status="canceled"))
    await paywall.feed(CANCELED)
    assert [change.at for change in shared.log] == [START]


async def test_what_was_learnt_since_a_change_is_kept(rmz: ScriptedRMZ) -> None:
    """A process hears of its own events, too."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    await paywall.feed(event())
    async with paywall:
        await anyio.wait_all_tasks_blocked()
        await paywall.check("noura")
    assert rmz.asked == ["noura"]


async def test_an_answer_that_was_under_way_during_a_change_is_doubted(rmz: ScriptedRMZ) -> None:
    """RMZ was asked before the change, and the answer came after it."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    rmz.hold = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(paywall.check, "noura")
        await anyio.wait_all_tasks_blocked()
        at = rmz.today() + timedelta(seconds=1)
        shared.log.append(Change(user="noura", at=at, subscription_id=501, status="canceled"))
        async with paywall:
            await anyio.wait_all_tasks_blocked()
            rmz.hold.set()
            await anyio.wait_all_tasks_blocked()
    rmz.later(1)
    rmz.set(subscription(status="canceled"))

    assert (await paywall.check("noura")).reason is Reason.CANCELED


async def test_a_fact_from_before_an_event_is_asked_for_again(rmz: ScriptedRMZ) -> None:
    """Another process has put it there after the event, from an answer that came late."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    rmz.failure = DOWN
    rmz.later(1)
    with pytest.raises(ConnectionFailedError):
        await paywall.feed(CANCELED)
    shared.facts["noura"] = Fact((subscription(),), START)
    rmz.failure = None
    rmz.later(1)
    rmz.set(subscription(status="canceled"))

    assert (await paywall.check("noura")).reason is Reason.CANCELED


async def test_an_answer_that_lags_is_not_shared(rmz: ScriptedRMZ) -> None:
    """Other processes would hand it out for a minute."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)

    await paywall.feed(CANCELED)
    assert shared.facts == {}
    rmz.set(subscription(status="canceled"))
    rmz.later(2.1)
    assert (await paywall.check("noura")).reason is Reason.CANCELED
    assert "noura" in shared.facts


async def test_a_confirmed_purchase_is_known_to_all_processes(rmz: ScriptedRMZ) -> None:
    """Also to one that has just refused the customer, though RMZ's replicas lag."""
    shared = Shared()
    confirming, other = (paywall_over(rmz, shared=shared) for _ in range(2))
    rmz.set()
    assert (await other.check("noura")).reason is Reason.NO_SUBSCRIPTION
    rmz.later(1)
    rmz.set(subscription(created_at=START))
    assert await confirming.confirm("rmz-subscription-id=501", user="noura")
    rmz.set()

    assert (await other.check("noura")).granted
    await confirming.refresh("noura")
    assert (await other.check("noura")).granted


async def test_what_another_process_knows_is_no_sign_that_replicas_have_caught_up(
    rmz: ScriptedRMZ,
) -> None:
    """The purchase may have come with a redirect."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    rmz.set()
    with pytest.raises(ConnectionFailedError):
        await paywall.feed(event())
    rmz.later(1)
    shared.leased.add("noura")
    shared.other = lambda: Fact((subscription(),), rmz.today())
    assert await paywall.check("noura")
    shared.leased.clear()

    with pytest.raises(ConnectionFailedError):
        await paywall.refresh("noura")


async def test_a_refusal_is_shared_for_its_seconds(rmz: ScriptedRMZ) -> None:
    """RMZ is not asked again for each page view of somebody who does not pay."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    rmz.set()
    for _ in range(3):
        assert (await paywall.check("noura")).reason is Reason.NO_SUBSCRIPTION

    assert rmz.asked == ["noura"]


async def test_a_refusal_that_another_process_knows_outlives_no_outage(rmz: ScriptedRMZ) -> None:
    """The grant in memory is older: it is handed out no more, and a fresh refusal is spoken."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    await paywall.check("noura")
    rmz.later(1000)
    rmz.failure = DOWN
    await paywall.check("sami")
    shared.facts["noura"] = Fact((subscription(status="canceled"),), rmz.today())

    access = await paywall.check("noura")
    assert (access.reason, access.source) == (Reason.CANCELED, Source.STALE)
    rmz.later(30)
    assert (await paywall.check("noura")).reason is Reason.UNAVAILABLE
    assert (await paywall.check("noura")).reason is Reason.UNAVAILABLE


async def test_what_another_process_has_just_learnt_is_said_during_an_outage(
    rmz: ScriptedRMZ,
) -> None:
    """A payer whose answer is a little old, and a stranger, are looked up in the shared cache."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    await paywall.check("noura")
    rmz.later(61)
    rmz.failure = DOWN
    assert (await paywall.check("sami")).reason is Reason.UNAVAILABLE
    shared.facts["noura"] = Fact((subscription(status="canceled"),), rmz.today())
    shared.facts["huda"] = Fact((), rmz.today())

    assert (await paywall.check("noura")).reason is Reason.CANCELED
    assert (await paywall.check("huda")).reason is Reason.NO_SUBSCRIPTION
    assert rmz.asked == ["noura", "sami"]


async def test_an_old_grant_needs_no_look_at_what_all_know(
    rmz: ScriptedRMZ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The background asks RMZ about it, and the page does not wait for the cache."""
    shared, read = Shared(), list[str]()
    async with paywall_over(rmz, shared=shared) as paywall:
        await paywall.check("noura")
        rmz.later(61)
        monkeypatch.setattr(shared, "get", read.append)

        assert (await paywall.check("noura")).source is Source.STALE
        assert read == []


async def test_a_newer_grant_of_another_process_is_taken_during_an_outage(
    rmz: ScriptedRMZ,
) -> None:
    """The knowledge of this process is too old to be handed out."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    await paywall.check("noura")
    rmz.later(6 * 3600 - 10)
    shared.facts["noura"] = Fact((subscription(),), rmz.today())
    rmz.later(20)
    rmz.failure = DOWN

    assert (await paywall.check("noura")).granted


async def test_a_refresh_takes_no_fact_while_rmz_is_down(rmz: ScriptedRMZ) -> None:
    """Else an event would count as followed."""
    shared = Shared()
    await paywall_over(rmz, shared=shared).check("noura")
    rmz.failure = DOWN

    with pytest.raises(ConnectionFailedError):
        await paywall_over(rmz, shared=shared).feed(CANCELED)


async def test_changes_that_cannot_be_read_cost_no_answer(rmz: ScriptedRMZ) -> None:
    """The background goes on."""
    shared = Shared()
    shared.failure = OSError("gone")
    async with paywall_over(rmz, shared=shared) as paywall:
        await anyio.wait_all_tasks_blocked()
        assert (await paywall.check("noura")).granted


async def test_many_doubts_are_forgotten_in_order(
    rmz: ScriptedRMZ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of events costs a bounded amount of memory."""
    replace(monkeypatch, Setting.MOST_DOUBTS, 1)
    paywall = paywall_over(rmz)
    await paywall.check("noura")
    rmz.failure = DOWN
    rmz.later(1)
    for user in ("noura", "sami"):
        with pytest.raises(ConnectionFailedError):
            await paywall.feed(event(status="canceled", external_customer_id=user))
    # The doubt is gone, and the answer itself is looked at once more all the same.
    rmz.failure = None
    rmz.later(10)
    rmz.set(subscription(status="canceled"))
    assert (await paywall.check("noura")).reason is Reason.CANCELED


async def test_a_refusal_is_kept_while_the_cache_fails(rmz: ScriptedRMZ) -> None:
    """No other process can confirm a purchase without the cache, so RMZ is not asked again."""
    shared = Shared()
    shared.failure = OSError("the cache is down")
    paywall = paywall_over(rmz, shared=shared)
    for _ in range(2):
        assert not (await paywall.check("sami")).granted
    assert rmz.asked == ["sami"]


async def test_what_another_process_knows_is_used_while_a_third_one_asks(rmz: ScriptedRMZ) -> None:
    """No lease is needed for it, and nobody waits."""
    shared = Shared()
    await paywall_over(rmz, shared=shared).check("noura")
    shared.leased.add("noura")
    assert (await paywall_over(rmz, shared=shared).check("noura")).granted
    assert rmz.asked == ["noura"]


class WithoutRoom(Shared):
    """A cache that takes changes, and no facts."""

    async def put(self, user: str, fact: Fact) -> None:
        """Refuse a fact."""
        raise OSError("no space is left")


async def test_a_cache_that_can_be_written_again_is_reported(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture
) -> None:
    """An event and a fact are both written, so that each shows whether the cache can be."""
    paywall = paywall_over(rmz, shared=WithoutRoom())
    await paywall.check("noura")
    await paywall.feed(event())
    words = [message.rpartition("its shared cache")[2] for message in caplog.messages]
    assert words == [", which raised OSError", " again", ", which raised OSError"]
