"""The client against RMZ's throttle: fixed minutes that open when a request arrives."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

import anyio
import anyio.lowlevel
import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rmz_async import Pacing, QuotaReport
from rmz_async._pacing.line import NoSlotError
from rmz_async._pacing.quota import MARGIN, SPAN, Quota
from rmz_async._pacing.slots import Slots
from tests.seams import Clock, Part, inside

LIMIT = 3


@attrs.define
class Throttle:
    """Counts as Laravel does; what it refuses it does not count."""

    limit: int = LIMIT
    closes_at: float = -math.inf
    served: int = 0
    refused: int = 0

    def arrive(self, now: float) -> tuple[int, dict[str, str]]:
        """Serve or refuse one request."""
        if now >= self.closes_at:
            self.closes_at, self.served = now + 60, 0
        if self.served < self.limit:
            self.served += 1
            return 200, self._headers()
        self.refused += 1
        # Laravel's whole seconds.
        wait = int(self.closes_at - now)
        return 429, {**self._headers(), "retry-after": str(wait)}

    def _headers(self) -> dict[str, str]:
        left = self.limit - self.served
        return {"x-ratelimit-limit": str(self.limit), "x-ratelimit-remaining": str(left)}


@attrs.define
class Timeline:
    """Seconds that pass when every task waits."""

    now: float = 0.0
    steps: int = 0
    due: list[tuple[float, int, anyio.Event]] = attrs.field(
        factory=list[tuple[float, int, anyio.Event]]
    )

    def clock(self) -> float:
        """Return the time."""
        self.steps += 1
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Sleep until everything before has happened."""
        self.steps += 1
        event = anyio.Event()
        heapq.heappush(self.due, (self.now + seconds, self.steps, event))
        await event.wait()
        self.steps += 1

    async def settle(self) -> None:
        """Let every task run until it waits."""
        quiet = 0
        while quiet < 6:
            before = self.steps
            await anyio.lowlevel.checkpoint()
            quiet = quiet + 1 if self.steps == before else 0

    async def run(self) -> None:
        """Let time pass for as long as anybody sleeps."""
        await self.settle()
        while self.due:
            moment, _, event = heapq.heappop(self.due)
            self.now = max(self.now, moment)
            event.set()
            await self.settle()


@attrs.frozen
class Caller:
    """A call: when it comes, its ways there and back, and when it is cancelled."""

    at: float
    there: float = 0.0
    back: float = 0.0
    cancelled_after: float = math.inf


@attrs.define
class World:
    """A client, RMZ, and what each caller got."""

    max_wait: float = 1e6
    headers: bool = True
    timeline: Timeline = attrs.field(factory=Timeline)
    throttle: Throttle = attrs.field(factory=Throttle)
    asked: dict[int, float] = attrs.field(factory=dict[int, float])
    granted: dict[int, float] = attrs.field(factory=dict[int, float])
    refused_at: dict[int, tuple[float, float]] = attrs.field(factory=dict[int, tuple[float, float]])

    def play(self, callers: Sequence[Caller], backend: str) -> None:
        """Let all callers call; at the end the line is empty."""
        timeline = self.timeline
        waiting = Clock(clock=timeline.clock, sleep=timeline.sleep)
        pacer = Slots(Pacing(max_wait=self.max_wait), waiting)
        anyio.run(self._play, pacer, callers, backend=backend)
        assert inside(pacer, Part.LINES) == {}

    async def _play(self, pacer: Slots, callers: Sequence[Caller]) -> None:
        async with anyio.create_task_group() as group:
            for number, caller in enumerate(callers):
                scope = anyio.CancelScope()
                group.start_soon(self._call, pacer, number, caller, scope)
                if caller.cancelled_after < math.inf:
                    group.start_soon(self._cancel, caller, scope)
            await self.timeline.run()

    async def _call(
        self, pacer: Slots, number: int, caller: Caller, scope: anyio.CancelScope
    ) -> None:
        sleep = self.timeline.sleep
        await sleep(caller.at)
        self.asked[number] = self.timeline.now
        with scope:
            try:
                await pacer.wait_for_slot("key", LIMIT, until=math.inf)
            except NoSlotError as error:
                self.refused_at[number] = (self.timeline.now, error.wait)
            else:
                self.granted[number] = self.timeline.now
        if number in self.granted:
            await sleep(caller.there)
            status, headers = self.throttle.arrive(self.timeline.now)
            await sleep(caller.back)
            await pacer.report("key", LIMIT, status, headers if self.headers else {})

    async def _cancel(self, caller: Caller, scope: anyio.CancelScope) -> None:
        await self.timeline.sleep(caller.at + caller.cancelled_after)
        scope.cancel()


# Quarters of a second are exact, and meet each other at the edges of windows.
def seconds(most: float) -> st.SearchStrategy[float]:
    """Times from nothing to *most*."""
    return st.integers(0, int(most * 4)).map(lambda quarters: quarters / 4)


MOMENTS = st.sampled_from([0.0, 0.25, 59.75, 60.0, 60.25, 61.0, 61.25]) | seconds(150)


def callers(
    there: st.SearchStrategy[float], back: st.SearchStrategy[float], *, cancelled: bool = True
) -> st.SearchStrategy[list[Caller]]:
    """Some calls, of which some are cancelled."""
    patience = st.none() | seconds(130) if cancelled else st.none()
    return st.lists(
        st.builds(
            lambda at, there, back, patience: Caller(
                at, there, back, math.inf if patience is None else patience
            ),
            MOMENTS,
            there,
            back,
            patience,
        ),
        max_size=14,
    )


def expected(asked: float, before: Sequence[float]) -> float:
    """When a slot is due, after those before it: not before it is asked for, and no later."""
    due = max([asked, *before[-1:]])
    return max(due, before[-LIMIT] + SPAN) if len(before) >= LIMIT else due


both_loops = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@both_loops
@given(data=st.data(), base=seconds(20), headers=st.booleans())
def test_rmz_refuses_nothing(backend: str, data: st.DataObject, base: float, headers: bool) -> None:
    """As the only client, with ways that differ by the margin at most, we never meet a 429."""
    there = seconds(MARGIN).map(lambda jitter: base + jitter)
    world = World(headers=headers)

    world.play(data.draw(callers(there, seconds(90))), backend)

    assert world.throttle.refused == 0


def test_the_margin_is_all_there_is() -> None:
    """Ways that differ by more can bring a 429: the promise is no greater than the margin."""
    slow, quick = Caller(0, there=1.25), Caller(61, there=0)
    world = World()

    world.play([slow] * LIMIT + [quick] * LIMIT, "asyncio")

    assert world.throttle.refused == LIMIT


@both_loops
@given(crowd=callers(seconds(0.5), seconds(0.5)))
@example([Caller(0)] * 9)
@example([Caller(0)] * 4 + [Caller(0, cancelled_after=61)] * 3 + [Caller(0)] * 3)
def test_slots_come_in_order_and_in_time(backend: str, crowd: list[Caller]) -> None:
    """First come, first served, each as early as can be, even if others are cancelled."""
    world = World()

    world.play(crowd, backend)

    granted = list(world.granted)
    assert granted == [number for number in world.asked if number in world.granted]
    times = list(world.granted.values())
    for place, number in enumerate(granted):
        assert times[place] == expected(world.asked[number], times[:place])
    stayed = {n for n, caller in enumerate(crowd) if caller.cancelled_after == math.inf}
    assert stayed <= world.granted.keys()


@both_loops
@given(crowd=callers(seconds(0.5), seconds(0.5), cancelled=False), max_wait=seconds(200))
@example([Caller(0)] * 9, 61.0)
def test_a_caller_that_cannot_be_served_in_time_is_refused_immediately(
    backend: str, crowd: list[Caller], max_wait: float
) -> None:
    """A slot comes within the longest wait, or the error says immediately when it would come."""
    world = World(max_wait=max_wait)

    world.play(crowd, backend)

    times: list[float] = []
    for number, asked in world.asked.items():
        due = expected(asked, times)
        if due - asked <= max_wait:
            assert world.granted[number] == due
            times.append(due)
        else:
            assert world.refused_at[number] == (asked, due - asked)


STEPS = st.lists(st.tuples(st.booleans(), seconds(3)), max_size=40)


@given(STEPS, st.integers(1, 12))
def test_only_others_on_the_token_can_bring_a_429(
    steps: list[tuple[bool, float]], limit: int
) -> None:
    """Within a window, only what others sent since our last answer can bring us a 429."""
    quota, throttle = Quota(), Throttle(limit)
    now, news = 0.0, True
    for is_ours, pause in steps:
        now += pause
        if now >= 60:
            break
        if not is_ours:
            throttle.arrive(now)
            news = True
        elif quota.wait(limit, now) == 0:
            quota.record(now)
            status, headers = throttle.arrive(now)
            assert status == 200 or news
            quota.learn(
                limit,
                now,
                QuotaReport(
                    limit=limit,
                    remaining=int(headers["x-ratelimit-remaining"]),
                    closed_for=float(headers["retry-after"]) if status == 429 else None,
                ),
            )
            news = False


NUMBERS = st.none() | st.integers(0, 10**10)
LESSONS = st.tuples(NUMBERS, NUMBERS, st.none() | st.floats(0, 1e10))


@given(st.lists(st.tuples(seconds(70), st.booleans(), LESSONS), max_size=20))
def test_whatever_the_headers_say(
    steps: list[tuple[float, bool, tuple[int | None, int | None, float | None]]],
) -> None:
    """A wait is bounded, never negative, and no shorter for those behind; a closed gate is shut."""
    quota, now, closed_until = Quota(), 0.0, 0.0
    for pause, send, (limit, remaining, closed_for) in steps:
        now += pause
        if send:
            quota.record(now)
        quota.learn(
            LIMIT, now, QuotaReport(limit=limit, remaining=remaining, closed_for=closed_for)
        )
        if closed_for is not None:
            closed_until = max(closed_until, now + min(closed_for, 300))
        waits = [quota.wait(LIMIT, now, ahead) for ahead in range(5)]
        assert waits == sorted(waits)
        assert max(0.0, closed_until - now) <= waits[0] <= 301
