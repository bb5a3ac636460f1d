"""Known payers go before strangers, and users of whom an event reports a change before all."""

from __future__ import annotations

from datetime import timedelta

import anyio
import pytest

from rmz_async import ConnectionFailedError, EventType, PacingError, ServerError
from rmz_async.paywall import Access, Fact, Reason, Source
from tests.paywall.events import event
from tests.paywall.scripted import START, ScriptedRMZ, subscription
from tests.paywall.shared import Shared
from tests.seams import Urgency, paywall_over

pytestmark = pytest.mark.anyio

DOWN = ServerError("RMZ is down", status=503)
FULL = PacingError("the minute is used up")


class BriefFailure(ScriptedRMZ):
    """An RMZ that is well again as soon as somebody has slept."""

    async def sleep(self, seconds: float) -> None:
        """Let time pass, and mend RMZ."""
        await super().sleep(seconds)
        self.failure = None


async def test_a_payer_whom_another_process_knows_costs_no_request(rmz: ScriptedRMZ) -> None:
    """The answer is older than `soft`, and younger than `hard`."""
    shared = Shared()
    shared.facts["noura"] = Fact((subscription(),), START)
    rmz.later(300)
    rmz.hold = anyio.Event()
    found: list[Access] = []

    async def check() -> None:
        found.append(await paywall.check("noura"))

    async with paywall_over(rmz, shared=shared) as paywall, anyio.create_task_group() as tasks:
        tasks.start_soon(check)
        await anyio.wait_all_tasks_blocked()
        assert [(one.granted, one.source, one.checked_at) for one in found] == [
            (True, Source.STALE, START)
        ]
        rmz.hold.set()


async def test_a_payer_whom_another_process_knows_is_no_stranger(rmz: ScriptedRMZ) -> None:
    """The period that was paid for is over, so that RMZ has to be asked before strangers are."""
    shared = Shared()
    shared.facts["noura"] = Fact((subscription(days=0.001),), START)
    rmz.later(100)

    assert (await paywall_over(rmz, shared=shared).check("noura")).granted
    assert rmz.urgencies == [Urgency.RETURNING]


async def test_a_doubted_payer_whom_another_process_knows_is_no_stranger(rmz: ScriptedRMZ) -> None:
    """An event has reported a change of the user since."""
    shared = Shared()
    shared.facts["noura"] = Fact((subscription(),), START, is_doubted=True)
    rmz.later(1)
    rmz.set(subscription(status="canceled"))

    access = await paywall_over(rmz, shared=shared).check("noura")
    assert access.reason is Reason.CANCELED
    assert rmz.urgencies == [Urgency.RETURNING]


@pytest.mark.parametrize(("of_other", "newest"), [(700, 700), (-700, 0)])
async def test_the_newer_of_two_grants_counts_for_a_known_payer(
    rmz: ScriptedRMZ, of_other: float, newest: float
) -> None:
    """The other grant is of another process, and is too old to be taken for an answer of RMZ."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    await paywall.check("noura")
    shared.facts["noura"] = Fact((subscription(),), START + timedelta(seconds=of_other))
    rmz.later(1000)
    rmz.failure = FULL

    access = await paywall.check("noura")
    assert (access.source, access.checked_at) == (Source.STALE, START + timedelta(seconds=newest))
    # Without a background, the asker asks RMZ; a payer whose grant is too old waits for a slot.
    assert rmz.urgencies[1:] == [Urgency.PAYER if newest else Urgency.RETURNING]


async def test_a_refusal_that_another_process_knows_makes_nobody_a_payer(rmz: ScriptedRMZ) -> None:
    """The user has paid since, and waits as a stranger does."""
    shared = Shared()
    shared.facts["noura"] = Fact((), START)
    rmz.later(10)

    assert (await paywall_over(rmz, shared=shared).check("noura")).granted
    assert rmz.urgencies == [Urgency.STRANGER]


async def test_a_brief_failure_is_no_outage_for_an_answer_that_is_too_old() -> None:
    """The payer waits for the second attempt, and a customer who has gone is not let in."""
    rmz = BriefFailure()
    rmz.set(subscription())
    paywall = paywall_over(rmz)
    await paywall.check("noura")
    rmz.set(subscription(status="canceled"))
    rmz.later(901)
    rmz.failure = DOWN

    assert (await paywall.check("noura")).reason is Reason.CANCELED
    assert rmz.urgencies[1:] == [Urgency.RETURNING] * 2


async def test_a_full_minute_costs_a_payer_nothing_and_is_named(rmz: ScriptedRMZ) -> None:
    """The status says how old the answer is that was handed out."""
    paywall = paywall_over(rmz)
    await paywall.check("noura")
    assert paywall.status.hard == 900
    rmz.later(2000)
    rmz.failure = FULL

    access = await paywall.check("noura")
    assert (access.granted, access.source) == (True, Source.STALE)
    assert paywall.status.hard >= 2000


async def test_an_old_grant_is_handed_out_for_five_seconds_before_a_further_look(
    rmz: ScriptedRMZ,
) -> None:
    """Else each page view would ask an RMZ that cannot answer."""
    paywall = paywall_over(rmz)
    rmz.later(1000)
    await paywall.check("noura")
    rmz.failure = FULL
    rmz.later(61)

    asked = []
    for seconds in (0, 4.9, 0.2):
        rmz.later(seconds)
        assert (await paywall.check("noura")).source is Source.STALE
        asked.append(len(rmz.asked))
    assert asked == [2, 2, 3]


async def test_a_full_minute_names_the_oldest_of_its_answers(rmz: ScriptedRMZ) -> None:
    """A younger one that comes later does not hide it."""
    rmz.set(subscription(user="sami"), user="sami")
    paywall = paywall_over(rmz)
    await paywall.check("noura")
    rmz.later(1000)
    await paywall.check("sami")
    rmz.later(1000)
    rmz.failure = FULL
    for user in ("noura", "sami"):
        assert (await paywall.check(user)).granted

    assert paywall.status.hard >= 2000


@pytest.mark.parametrize("age", [61, 901])
async def test_after_an_outage_those_of_whom_events_told_go_first(
    rmz: ScriptedRMZ, age: float
) -> None:
    """The inbox may feed the event again much later."""
    users = [f"user-{number}" for number in range(10)]
    async with paywall_over(rmz) as paywall:
        for user in (*users, "noura"):
            rmz.set(subscription(user=user), user=user)
            await paywall.check(user)
        rmz.later(age)
        rmz.failure = DOWN
        for user in users:
            assert (await paywall.check(user)).granted
        with pytest.raises(ConnectionFailedError):
            await paywall.feed(event(EventType.SUBSCRIPTION_CANCELED, "canceled"))
        rmz.failure = None
        before = len(rmz.asked)
        await anyio.wait_all_tasks_blocked()

    assert rmz.asked[before] == "noura"
    assert rmz.urgencies[before] is Urgency.REPORTED


async def test_nobody_is_asked_for_again_whom_an_event_has_renewed(rmz: ScriptedRMZ) -> None:
    """The user waits in the background, and has been asked for meanwhile."""
    async with paywall_over(rmz) as paywall:
        await paywall.check("noura")
        rmz.later(61)
        rmz.failure = FULL
        with pytest.raises(ConnectionFailedError):
            await paywall.feed(event())
        rmz.failure = None
        await paywall.feed(event())
        before = len(rmz.asked)
        await anyio.wait_all_tasks_blocked()

    assert len(rmz.asked) == before


async def test_nobody_is_asked_for_again_who_has_lost_access_meanwhile(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture
) -> None:
    """The user waits in the background as a payer, and is none any more."""
    async with paywall_over(rmz) as paywall:
        await paywall.check("noura")
        rmz.later(61)
        assert (await paywall.check("noura")).source is Source.STALE
        rmz.set()
        assert not await paywall.refresh("noura")
        before = len(rmz.asked)
        await anyio.wait_all_tasks_blocked()

    assert len(rmz.asked) == before
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("on_outage", "age", "granted"),
    [
        ("keep-known", 300, True),
        ("deny", 300, False),
        ("keep-known", 6 * 3600 - 1, True),
        ("keep-known", 6 * 3600, False),
    ],
)
async def test_a_payer_who_becomes_known_while_rmz_fails_comes_in(
    rmz: ScriptedRMZ, on_outage: str, age: float, granted: bool
) -> None:
    """Another process has stored an answer just before this one failed to get one."""
    shared = Shared()
    shared.before_lease = Fact((subscription(),), START)
    rmz.later(age)
    rmz.failure = DOWN
    paywall = paywall_over(rmz, shared=shared, on_outage=on_outage)

    access = await paywall.check("noura")
    assert access.granted is granted
    assert access.certain is granted
    # Memory hands the answer out for some seconds.
    await paywall.check("noura")
    assert paywall.status.handed_out == granted


async def test_a_payer_whom_another_process_has_renewed_waits_for_no_second_attempt(
    rmz: ScriptedRMZ,
) -> None:
    """RMZ has failed, and the answer of the other process is old, but newer than the own one."""
    shared = Shared()
    paywall = paywall_over(rmz, shared=shared)
    await paywall.check("noura")
    rmz.later(900)
    renewed = rmz.today()
    shared.before_lease = Fact((subscription(),), renewed)
    rmz.later(61)
    rmz.failure = DOWN

    access = await paywall.check("noura")
    assert (access.granted, access.checked_at) == (True, renewed)
    assert rmz.slept == []
