"""The line for slots, three a minute, on a clock that the test moves."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import attrs
import pytest
from anyio.abc import TaskGroup

from rmz_async import InMemoryQuotaStore, Pacing
from rmz_async._pacing.line import NoSlotError
from rmz_async._pacing.slots import Slots
from tests.seams import Clock, Part, inside

pytestmark = pytest.mark.anyio

LIMIT = 3


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(30):
        await anyio.lowlevel.checkpoint()


@attrs.define
class ManualClock:
    """Seconds that pass when the test says so."""

    now: float = 100.0
    sleepers: list[tuple[float, anyio.Event]] = attrs.field(factory=list[tuple[float, anyio.Event]])

    async def sleep(self, seconds: float) -> None:
        """Sleep until the test has moved on that far."""
        sleeper = (self.now + seconds, anyio.Event())
        self.sleepers.append(sleeper)
        try:
            await sleeper[1].wait()
        finally:
            self.sleepers.remove(sleeper)

    async def move_to(self, moment: float) -> None:
        """Let time pass, and wake the callers that are due on the way."""
        await settle()
        while self.sleepers:
            due, event = min(self.sleepers, key=lambda sleeper: sleeper[0])
            if due > moment:
                break
            self.now = max(self.now, due)
            event.set()
            await settle()
        self.now = moment

    def pacer(self, **options: Any) -> Slots:
        """Return a pacer on this clock, with all patience."""
        options.setdefault("max_wait", 1000.0)
        return Slots(Pacing(**options), Clock(clock=lambda: self.now, sleep=self.sleep))


@pytest.fixture
def clock() -> ManualClock:
    """Time that stands still."""
    return ManualClock()


@attrs.define
class Callers:
    """Callers of one pacer; what each got, in the order in which it came."""

    group: TaskGroup
    got: list[tuple[str, float]] = attrs.field(factory=list[tuple[str, float]])
    refused: list[tuple[str, float]] = attrs.field(factory=list[tuple[str, float]])
    scopes: dict[str, anyio.CancelScope] = attrs.field(factory=dict[str, anyio.CancelScope])

    async def start(self, pacer: Slots, *names: str, key: str = "key") -> None:
        """Start callers, each after the one before has joined the line."""
        for name in names:
            self.scopes[name] = anyio.CancelScope()
            self.group.start_soon(self._call, pacer, name, key)
            await settle()

    async def _call(self, pacer: Slots, name: str, key: str) -> None:
        with self.scopes[name]:
            try:
                self.got.append((name, await pacer.wait_for_slot(key, LIMIT, until=math.inf)))
            except NoSlotError as error:
                self.refused.append((name, error.wait))


@asynccontextmanager
async def calling() -> AsyncGenerator[Callers]:
    """Callers, none of which may be left at the end."""
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            yield Callers(group)
            group.cancel_scope.cancel()


async def slots(pacer: Slots, number: int = LIMIT, until: float = math.inf) -> list[float]:
    """Take slots one after the other."""
    with anyio.fail_after(60):
        return [await pacer.wait_for_slot("key", LIMIT, until=until) for _ in range(number)]


async def learn(pacer: Slots, status: int, headers: Mapping[str, str]) -> None:
    """Let an answer come."""
    await pacer.report("key", LIMIT, status, headers)


async def test_a_burst_is_not_spread_out(clock: ManualClock) -> None:
    """While the minute has room, no caller waits and nothing is spread out."""
    assert await slots(clock.pacer()) == [100.0, 100.0, 100.0]


async def test_first_come_first_served(clock: ManualClock) -> None:
    """Those without a slot get theirs in the order in which they came, as soon as there is one."""
    pacer = clock.pacer()
    async with calling() as callers:
        await callers.start(pacer, *"abcdefg")
        assert callers.got == [("a", 100.0), ("b", 100.0), ("c", 100.0)]
        await clock.move_to(160.9)
        assert len(callers.got) == 3
        await clock.move_to(300.0)
        assert callers.got[3:] == [("d", 161.0), ("e", 161.0), ("f", 161.0), ("g", 222.0)]


async def test_nobody_overtakes(clock: ManualClock) -> None:
    """A call that comes while there is room, but the first has not woken yet, stands behind."""
    pacer = clock.pacer()
    async with calling() as callers:
        await callers.start(pacer, *"abcd")
        clock.now = 170.0
        await callers.start(pacer, "e")
        assert len(callers.got) == 3
        await clock.move_to(170.0)
        assert callers.got[3:] == [("d", 170.0), ("e", 170.0)]


async def test_a_line_for_one_quota_stops_no_other(clock: ManualClock) -> None:
    """A line for one quota stops no caller of another quota."""
    pacer = clock.pacer()
    async with calling() as callers:
        await callers.start(pacer, *"abcd")
        await callers.start(pacer, "lookup", key="other")
        assert callers.got[3:] == [("lookup", 100.0)]


async def test_too_long_a_wait_is_not_begun(clock: ManualClock) -> None:
    """A call that would wait longer than the longest wait learns immediately how long."""
    pacer = clock.pacer(max_wait=60)
    await slots(pacer)
    clock.now = 100.5

    with pytest.raises(NoSlotError, match=r"the next slot comes in 60\.5 s$") as caught:
        await slots(pacer)

    assert caught.value.wait == 60.5
    assert clock.sleepers == []


async def test_the_longest_wait_is_waited(clock: ManualClock) -> None:
    """The longest wait itself is not too long."""
    async with calling() as callers:
        pacer = clock.pacer(max_wait=61)
        await callers.start(pacer, *"abcd")
        await clock.move_to(161.0)
        assert callers.got[3:] == [("d", 161.0)]


async def test_a_slot_after_the_calls_end(clock: ManualClock) -> None:
    """A slot that comes when the call is over is not waited for."""
    pacer = clock.pacer()
    await slots(pacer)
    with pytest.raises(NoSlotError) as caught:
        await slots(pacer, until=160.9)
    assert caught.value.wait == 61.0


async def test_a_slot_at_the_calls_end(clock: ManualClock) -> None:
    """The last moment is in time."""
    pacer = clock.pacer()
    await slots(pacer)
    with anyio.move_on_after(0) as at_once:
        await pacer.wait_for_slot("key", LIMIT, until=161.0)
    assert at_once.cancelled_caught


async def test_the_line_is_a_part_of_the_wait(clock: ManualClock) -> None:
    """A call behind others knows that the slots of the next minute are theirs."""
    pacer = clock.pacer(max_wait=100)
    async with calling() as callers:
        await callers.start(pacer, *"abcdefg")
        assert callers.refused == [("g", 122.0)]


async def test_a_longest_wait_of_nothing_never_waits(clock: ManualClock) -> None:
    """With a longest wait of nothing a slot is free now, or there is none."""
    pacer = clock.pacer(max_wait=0)
    await slots(pacer)
    with pytest.raises(NoSlotError):
        await slots(pacer)
    clock.now = 161.0
    assert await slots(pacer) == [161.0] * 3


async def test_a_cancelled_waiter_leaves_the_line(clock: ManualClock) -> None:
    """Its slot goes to the next caller, and no slot is lost."""
    pacer = clock.pacer()
    async with calling() as callers:
        await callers.start(pacer, *"abcdefgh")
        callers.scopes["e"].cancel()
        await clock.move_to(300.0)
        assert [name for name, _ in callers.got] == [*"abcdfgh"]
        assert callers.got[5:] == [("g", 161.0), ("h", 222.0)]


async def test_the_first_is_cancelled(clock: ManualClock) -> None:
    """The second takes over, at the same time, and not a moment before."""
    pacer = clock.pacer()
    async with calling() as callers:
        await callers.start(pacer, *"abcde")
        clock.now = 160.5
        callers.scopes["d"].cancel()
        await clock.move_to(161.0)
        assert callers.got[3:] == [("e", 161.0)]


async def test_a_line_that_all_have_left_keeps_no_slot(clock: ManualClock) -> None:
    """A line that all callers have left is gone, and takes no slot with it."""
    pacer = clock.pacer()
    async with calling() as callers:
        await callers.start(pacer, *"abcdef")
        for name in "def":
            callers.scopes[name].cancel()
        await settle()
        assert inside(pacer, Part.LINES) == {}
        clock.now = 161.0
        await callers.start(pacer, *"ghi")
        assert callers.got[3:] == [("g", 161.0), ("h", 161.0), ("i", 161.0)]


async def test_a_call_cancelled_as_it_wakes_takes_no_slot(clock: ManualClock) -> None:
    """A call that is cancelled in the moment of its slot does not take it."""
    pacer = clock.pacer()
    async with calling() as callers:
        await callers.start(pacer, *"abcd")
        await pacer.forget("key", 100.0)
        callers.scopes["d"].cancel()
        await settle()
        await callers.start(pacer, "e")
        assert callers.got[3:] == [("e", 100.0)]


async def test_a_call_cancelled_as_its_wait_ends_takes_no_slot(clock: ManualClock) -> None:
    """Nor does who is cancelled in the moment in which the wait ends."""
    pacer = clock.pacer()
    async with calling() as callers:
        await callers.start(pacer, *"abcd")
        clock.now = 161.0
        clock.sleepers[0][1].set()
        callers.scopes["d"].cancel()
        await settle()
        assert inside(pacer, Part.LINES) == {}
        assert await slots(pacer) == [161.0] * 3


async def test_leaving_the_middle_disturbs_nobody(clock: ManualClock) -> None:
    """Only when the first one leaves has another one to wake."""
    pacer = clock.pacer()
    async with calling() as callers:
        await callers.start(pacer, *"abcdef")
        sleepers = list(clock.sleepers)
        callers.scopes["e"].cancel()
        await settle()
        assert clock.sleepers == sleepers


async def test_an_unused_slot_goes_to_the_first_in_line(clock: ManualClock) -> None:
    """The first in line gets it immediately."""
    pacer = clock.pacer()
    async with calling() as callers:
        await callers.start(pacer, *"abcde")
        clock.now = 110.0
        await pacer.forget("key", 100.0)
        await settle()
        assert callers.got[3:] == [("d", 110.0)]


async def test_a_429_closes_the_gate(clock: ManualClock) -> None:
    """No caller gets a slot before the Retry-After is over, and a second more."""
    pacer = clock.pacer()
    await learn(pacer, 429, {"retry-after": "7", "x-ratelimit-remaining": "0"})
    async with calling() as callers:
        await callers.start(pacer, *"ab")
        await clock.move_to(107.9)
        assert callers.got == []
        await clock.move_to(108.0)
        assert callers.got == [("a", 108.0), ("b", 108.0)]


async def test_who_waits_too_long_now_is_told(clock: ManualClock) -> None:
    """An answer that closes the gate for long ends the wait of the whole line."""
    pacer = clock.pacer(max_wait=70)
    async with calling() as callers:
        await callers.start(pacer, *"abcde")
        clock.now = 110.0
        await learn(pacer, 429, {"retry-after": "200"})
        await settle()
        assert sorted(callers.refused) == [("d", 201.0), ("e", 201.0)]


async def test_an_impatient_call_behind_patient_ones_is_refused(clock: ManualClock) -> None:
    """A call that waits too long now is refused even if those in front go on waiting."""
    pacer = clock.pacer()
    async with calling() as callers:
        await callers.start(pacer, *"abcd")
        await callers.start(pacer.with_pacing(Pacing(max_wait=70)), "e")
        await learn(pacer, 429, {"retry-after": "200"})
        await settle()
        assert callers.refused == [("e", 201.0)]


async def test_a_limit_that_rises_again_opens_the_gate(clock: ManualClock) -> None:
    """The line moves up as soon as RMZ names it."""
    pacer = clock.pacer()
    await learn(pacer, 200, {"x-ratelimit-limit": "1"})
    async with calling() as callers:
        await callers.start(pacer, *"abcd")
        assert callers.got == [("a", 100.0)]
        await learn(pacer, 200, {"x-ratelimit-limit": "5"})
        await settle()
        assert callers.got[1:] == [("b", 100.0), ("c", 100.0)]


async def test_no_more_go_than_rmz_has_left(clock: ManualClock) -> None:
    """With one request left in RMZ's window, one goes."""
    pacer = clock.pacer()
    await learn(pacer, 200, {"x-ratelimit-remaining": "1"})
    async with calling() as callers:
        await callers.start(pacer, *"ab")
        assert callers.got == [("a", 100.0)]
        await clock.move_to(161.0)
        assert callers.got[1:] == [("b", 161.0)]


@pytest.mark.parametrize("absurd", ["", "-1", "nan", "1e9", "x", "9" * 400, "9999999999", "٣"])
@pytest.mark.parametrize("status", [200, 429])
async def test_absurd_headers_change_nothing(clock: ManualClock, status: int, absurd: str) -> None:
    """For any headers, three go and the fourth waits for its minute."""
    pacer = clock.pacer()
    names = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"]
    await learn(pacer, status, dict.fromkeys(names, absurd))
    assert await slots(pacer) == [100.0] * 3
    async with calling() as callers:
        await callers.start(pacer, "d")
        await clock.move_to(161.0)
        assert callers.got == [("d", 161.0)]


async def test_an_answer_that_changes_nothing_wakes_nobody(clock: ManualClock) -> None:
    """With a thousand in line, each answer would cost a thousand looks at the quota."""
    pacer = clock.pacer()
    async with calling() as callers:
        await callers.start(pacer, *"abcd")
        sleepers = list(clock.sleepers)
        await learn(pacer, 200, {"x-ratelimit-limit": "3", "x-ratelimit-remaining": "0"})
        await learn(pacer, 200, {})
        await settle()
        assert clock.sleepers == sleepers


async def test_a_copy_with_other_patience_shares_the_line(clock: ManualClock) -> None:
    """A copy counts together with the first, and stands in the same line."""
    pacer = clock.pacer()
    copy = pacer.with_pacing(Pacing(max_wait=500))
    async with calling() as callers:
        await callers.start(pacer, *"ab")
        await callers.start(copy, *"cd")
        await callers.start(pacer, "e")
        await callers.start(pacer.with_pacing(Pacing(max_wait=1)), "f")
        assert callers.refused == [("f", 61.0)]
        await clock.move_to(161.0)
        assert callers.got[3:] == [("d", 161.0), ("e", 161.0)]


async def test_a_copy_naming_the_same_store_shares_the_line(clock: ManualClock) -> None:
    """Naming the store again changes nothing."""
    store = InMemoryQuotaStore()
    pacer = clock.pacer(store=store)
    copy = pacer.with_pacing(Pacing(store=store, max_wait=500))
    async with calling() as callers:
        await callers.start(pacer, *"abcd")
        await callers.start(copy, "e")
        assert len(clock.sleepers) == 1
