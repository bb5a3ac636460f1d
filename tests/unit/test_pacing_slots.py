"""The gates before a request: a slot within the minute, and one of the requests under way."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager

import anyio
import anyio.lowlevel
import attrs
import pytest

from rmz_async import InMemoryQuotaStore, Pacing, QuotaReport, operations
from rmz_async._calls.outcome import Answer, Failed, Failure
from rmz_async._calls.token import Secret
from rmz_async._pacing import slots as slots_module
from rmz_async._pacing.line import NoSlotError
from rmz_async._pacing.slots import SLOT_EXPIRY, Slot, Slots
from rmz_async.operations import Operation
from tests.seams import Clock

pytestmark = pytest.mark.anyio

TOKEN = Secret("1|slots-test-token")


@attrs.define
class Store:
    """Notes what was asked; lets pass while there is room."""

    room: int = 100
    asked: list[tuple[str, int]] = attrs.field(factory=list[tuple[str, int]])
    taken: list[float] = attrs.field(factory=list[float])
    learned: list[int | None] = attrs.field(factory=list[int | None])
    fails: bool = False

    async def reserve(self, key: str, per_minute: int, now: float, *, ahead: int = 0) -> float:
        """Let one pass."""
        self.asked.append((key, per_minute))
        if self.fails:
            raise OSError("unreachable")
        if len(self.taken) >= self.room:
            return 61.0
        self.taken.append(now)
        return 0.0

    async def forget(self, key: str, at: float) -> None:
        """Take it back, with the time that a far store needs."""
        await anyio.lowlevel.checkpoint()
        self.taken.remove(at)

    async def learn(self, key: str, per_minute: int, now: float, report: QuotaReport) -> bool:
        """Note what is left."""
        self.learned.append(report.remaining)
        return False


class ManualClock:
    """Seconds that pass when somebody sleeps, or when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    async def sleep(self, seconds: float) -> None:
        """Let time pass immediately."""
        self.now += seconds
        await anyio.lowlevel.checkpoint()


@attrs.define
class Gates:
    """Slots over a store, with one request under way at a time."""

    clock: ManualClock = attrs.field(factory=ManualClock)
    store: Store = attrs.field(factory=Store)
    at_once: anyio.Semaphore = attrs.field(factory=lambda: anyio.Semaphore(1, fast_acquire=True))
    slots: Slots = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Build the slots."""
        waiting = Clock(clock=lambda: self.clock.now, sleep=self.clock.sleep)
        self.slots = Slots(Pacing(per_minute=60, lookup_per_minute=120, store=self.store), waiting)

    def slot(
        self, operation: Operation = operations.SUBSCRIPTIONS_GET, token: Secret = TOKEN
    ) -> Slot:
        """Return a slot that must come within half a minute."""
        return self.slots.slot(operation, token, self.at_once, self.clock.now + 30)


@pytest.fixture
def gates() -> Gates:
    """Slots of which none was taken."""
    return Gates()


async def test_a_slot_is_counted_where_it_belongs(gates: Gates) -> None:
    """Each quota of each token has its count and its limit."""
    for token in (TOKEN, Secret("1|another-token"), TOKEN):
        for operation in (operations.SUBSCRIPTIONS_GET, operations.SUBSCRIPTIONS_LOOKUP):
            async with gates.slot(operation, token):
                pass
    keys, limits = zip(*gates.store.asked, strict=True)
    assert limits == (60, 120) * 3
    assert len(set(keys)) == 4
    assert keys[:2] == keys[4:]
    assert "slots-test-token" not in str(keys)


async def test_only_so_many_at_once(gates: Gates) -> None:
    """The next one waits until one is over, however that ended."""
    async with gates.slot():
        assert gates.at_once.value == 0
    assert gates.at_once.value == 1
    with pytest.raises(KeyError):
        async with gates.slot():
            raise KeyError
    assert gates.at_once.value == 1


async def test_connections_are_bound_without_pacing(gates: Gates) -> None:
    """The calls under way are bound all the same, and nothing is counted."""
    free = gates.slots.with_pacing(None)
    slot = free.slot(operations.SUBSCRIPTIONS_GET, TOKEN, gates.at_once, 0.0)
    async with slot as entered:
        assert gates.at_once.value == 0
        await entered.report(Failed(Failure.NOT_SENT, "refused"), deadline=1e18)
    assert gates.at_once.value == 1
    assert gates.store.asked == []


@pytest.mark.parametrize(
    ("failure", "given_back"), [(kind, "SENT" in kind.name) for kind in Failure]
)
async def test_only_the_slot_of_an_unsent_request_is_given_back(
    gates: Gates, failure: Failure, given_back: bool
) -> None:
    """And only that: RMZ counts what arrives, whatever it answers."""
    async with gates.slot() as slot:
        await slot.report(Failed(failure, "no"), deadline=1e18)
    assert gates.store.taken == ([] if given_back else [100.0])


async def test_an_answer_is_learned_from(gates: Gates) -> None:
    """The answer's word about the quota goes to the store, and its slot stays taken."""
    async with gates.slot() as slot:
        await slot.report(Answer(200, {"x-ratelimit-remaining": "17"}, b""), deadline=1e18)
    assert gates.store.learned == [17]
    assert gates.store.taken == [100.0]


async def test_an_answer_is_learned_from_immediately(gates: Gates) -> None:
    """The library's own store needs no time for it: the next slot knows."""
    slots = Slots(Pacing(max_wait=0), Clock(clock=lambda: 100.0))
    closed = Answer(429, {"retry-after": "7", "x-ratelimit-remaining": "0"}, b"")
    async with slots.slot(operations.STORE_GET, TOKEN, gates.at_once, 200.0) as slot:
        await slot.report(closed, deadline=0.0)
    with pytest.raises(NoSlotError):
        async with slots.slot(operations.STORE_GET, TOKEN, gates.at_once, 200.0):
            pass


async def second(gates: Gates, *, after: float) -> None:
    """Take a slot while the first is under way, which ends some seconds later."""
    async with anyio.create_task_group() as calls, gates.slot():
        calls.start_soon(pass_through, gates)
        await anyio.wait_all_tasks_blocked()
        gates.clock.now += after


async def pass_through(gates: Gates) -> None:
    """Take a slot and leave."""
    async with gates.slot():
        pass


@pytest.mark.parametrize(
    ("after", "counted"),
    [(SLOT_EXPIRY - 0.001, [100.0, 100.0]), (SLOT_EXPIRY, [100.0, 100.0 + SLOT_EXPIRY])],
)
async def test_a_stale_slot_is_counted_again(
    gates: Gates, after: float, counted: list[float]
) -> None:
    """RMZ counts a request when it arrives: one that waited for a connection is counted again."""
    await second(gates, after=after)
    assert gates.store.taken == counted


async def test_a_stale_slot_without_room_waits_without_a_connection(gates: Gates) -> None:
    """The call waits for the next slot, and holds no connection meanwhile."""
    free: list[int] = []

    class Full(Store):
        async def forget(self, key: str, at: float) -> None:
            await super().forget(key, at)
            self.room = 1

        async def reserve(self, key: str, per_minute: int, now: float, *, ahead: int = 0) -> float:
            free.append(gates.at_once.value)
            if now >= 110:
                self.room = 9
            wait = await super().reserve(key, per_minute, now, ahead=ahead)
            return min(wait, 10.0)

    gates.store = Full()
    gates.__attrs_post_init__()
    await second(gates, after=1.0)
    assert gates.store.taken == [100.0, 111.0]
    # The first two while they came, the third with a connection, and then without one.
    assert free[:3] == [1, 0, 0]
    assert set(free[4:]) == {1}
    assert gates.at_once.value == 1


async def test_a_stale_slot_that_would_come_too_late_is_refused(gates: Gates) -> None:
    """The call is refused with the reason, and leaves nothing behind."""
    gates.store.room = 2

    async def late() -> None:
        with pytest.raises(NoSlotError):
            await pass_through(gates)

    async with anyio.create_task_group() as calls, gates.slot():
        calls.start_soon(late)
        await anyio.wait_all_tasks_blocked()
        gates.clock.now += 1
        gates.store.room = 1
    assert gates.store.taken == [100.0]
    assert gates.at_once.value == 1


async def test_a_store_that_fails_for_a_stale_slot_loses_no_connection(gates: Gates) -> None:
    """No connection is lost with it."""

    async def failing() -> None:
        with pytest.raises(OSError, match="unreachable"):
            await pass_through(gates)

    async with anyio.create_task_group() as calls, gates.slot():
        calls.start_soon(failing)
        await anyio.wait_all_tasks_blocked()
        gates.clock.now += 1
        gates.store.fails = True
    assert gates.at_once.value == 1


async def test_a_call_given_up_in_line_returns_its_slot(gates: Gates) -> None:
    """The call gives its slot back, also to a store that is far away."""
    async with gates.slot():
        async with anyio.create_task_group() as calls:
            calls.start_soon(pass_through, gates)
            await anyio.wait_all_tasks_blocked()
            assert len(gates.store.taken) == 2
            calls.cancel_scope.cancel()
        assert gates.store.taken == [100.0]
    assert gates.at_once.value == 1


async def test_a_store_that_fails_after_the_answer_does_not_lose_it(
    gates: Gates, caplog: pytest.LogCaptureFixture
) -> None:
    """That is no reason to lose the answer."""

    class Broken(InMemoryQuotaStore):
        async def learn(self, key: str, per_minute: int, now: float, report: QuotaReport) -> bool:
            raise OSError("unreachable")

        async def forget(self, key: str, at: float) -> None:
            raise OSError("unreachable")

    slots = Slots(Pacing(store=Broken()), Clock())
    slot = slots.slot(operations.SUBSCRIPTIONS_GET, TOKEN, gates.at_once, 1e18)
    async with slot as entered:
        await entered.report(Answer(200, {}, b""), deadline=1e18)
        await entered.report(Failed(Failure.NOT_SENT, "refused"), deadline=1e18)
    warning = ("rmz_async", logging.WARNING, "the quota store failed: OSError")
    assert caplog.record_tuples == [warning] * 2


class Hanging(InMemoryQuotaStore):
    """A store that takes note, and never says so."""

    async def learn(self, key: str, per_minute: int, now: float, report: QuotaReport) -> bool:
        """See `QuotaStore`."""
        await anyio.sleep_forever()
        return True

    async def forget(self, key: str, at: float) -> None:
        """See `QuotaStore`."""
        await anyio.sleep_forever()


async def test_a_store_that_hangs_after_the_answer_is_given_up(
    gates: Gates, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store costs the call no more than the time that it is given."""
    monkeypatch.setattr(slots_module, "FORGET_TIMEOUT", 0.0)
    monkeypatch.setattr(slots_module, "MIN_REPORT_TIMEOUT", 0.0)
    slots = Slots(Pacing(store=Hanging()), Clock())
    slot = slots.slot(operations.SUBSCRIPTIONS_GET, TOKEN, gates.at_once, 1e18)
    async with slot as entered:
        await entered.report(Answer(200, {}, b""), deadline=0.0)
        await entered.report(Failed(Failure.NOT_SENT, "refused"), deadline=1e18)
    warning = ("rmz_async", logging.WARNING, "the quota store failed: no answer within 0.0 s")
    assert caplog.record_tuples == [warning] * 2


@pytest.mark.parametrize(
    ("result", "left", "allowed"),
    [
        (Answer(200, {}, b""), 1e9, (1.0, False)),
        (Answer(200, {}, b""), 0.25, (0.25, False)),
        (Answer(200, {}, b""), -5.0, (0.1, False)),
        (Failed(Failure.NOT_SENT, "refused"), 1e9, (0.5, True)),
        (Failed(Failure.NOT_SENT, "refused"), 0.25, (0.25, True)),
        (Failed(Failure.NOT_SENT, "refused"), -5.0, (0.1, True)),
    ],
)
async def test_a_store_has_the_rest_of_the_call_but_a_second_at_most_and_a_tenth_at_least(
    gates: Gates,
    result: Answer | Failed,
    left: float,
    allowed: tuple[float, bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To give a slot back has half a second, even if the call is cancelled."""
    given: list[tuple[float, bool]] = []

    @contextmanager
    def within(seconds: float, *, shield: bool = False) -> Generator[None]:
        given.append((seconds, shield))
        yield

    monkeypatch.setattr(slots_module, "_store_within", within)
    async with gates.slot() as slot:
        await slot.report(result, deadline=gates.clock.now + left)

    assert given == [allowed]


async def test_a_call_that_is_cancelled_while_a_store_learns_does_not_wait_for_it(
    gates: Gates, caplog: pytest.LogCaptureFixture
) -> None:
    """Its answer is lost in any case."""
    slots = Slots(Pacing(store=Hanging()), Clock(clock=lambda: 100.0))
    async with slots.slot(operations.STORE_GET, TOKEN, gates.at_once, 200.0) as slot:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await slot.report(Answer(200, {}, b""), deadline=1e18)

    assert scope.cancelled_caught
    assert caplog.records == []


async def test_a_failing_store_does_not_stop_a_cancellation(gates: Gates) -> None:
    """The cancellation goes on, and not the store's error instead."""

    class Failing(Store):
        async def forget(self, key: str, at: float) -> None:
            raise OSError("unreachable")

    gates.store = Failing()
    gates.__attrs_post_init__()
    async with gates.slot():
        with anyio.move_on_after(0) as scope:
            await pass_through(gates)
        assert scope.cancelled_caught
    assert gates.at_once.value == 1


async def test_copies_count_together(gates: Gates) -> None:
    """A copy with other limits asks the same store, also by way of one that asks none."""
    slots = Slots(Pacing(per_minute=2, max_wait=0), Clock(clock=lambda: 100.0))
    copies = [
        slots,
        slots.with_pacing(Pacing(per_minute=2, max_wait=0)),
        slots.with_pacing(None).with_pacing(Pacing(per_minute=2, max_wait=0)),
    ]
    for copy in copies[:2]:
        async with copy.slot(operations.SUBSCRIPTIONS_GET, TOKEN, gates.at_once, 200.0) as slot:
            assert isinstance(slot, Slot)
    for copy in copies:
        with pytest.raises(NoSlotError):
            async with copy.slot(operations.SUBSCRIPTIONS_GET, TOKEN, gates.at_once, 200.0):
                pass


async def test_a_copy_of_what_never_counted(gates: Gates) -> None:
    """The copy counts from its first slot on, together with other copies."""
    slots = Slots(None, Clock(clock=lambda: 100.0))
    copies = [slots.with_pacing(Pacing(per_minute=1, max_wait=0)) for _ in range(2)]
    for _ in range(2):
        async with slots.slot(operations.STORE_GET, TOKEN, gates.at_once, 200.0):
            pass
    async with copies[0].slot(operations.STORE_GET, TOKEN, gates.at_once, 200.0):
        pass
    for copy in copies:
        with pytest.raises(NoSlotError):
            async with copy.slot(operations.STORE_GET, TOKEN, gates.at_once, 200.0):
                pass


@pytest.mark.parametrize(
    ("status", "headers", "retry_in"),
    [
        (429, {"retry-after": "7", "x-ratelimit-remaining": "0"}, 8.0),
        (429, {"retry-after": "7", "x-ratelimit-remaining": "3"}, None),
        (503, {"retry-after": "7"}, None),
        (200, {"x-ratelimit-remaining": "0"}, None),
    ],
)
async def test_an_answer_that_closes_the_quota_tells_when_the_next_slot_comes(
    gates: Gates, status: int, headers: dict[str, str], retry_in: float | None
) -> None:
    """The margin belongs to the pacing, so the transport need not know it."""
    slots = Slots(Pacing(max_wait=0), Clock(clock=lambda: 100.0))
    async with slots.slot(operations.STORE_GET, TOKEN, gates.at_once, 200.0) as slot:
        assert await slot.report(Answer(status, headers, b""), deadline=200.0) == retry_in
    if retry_in is not None:
        with pytest.raises(NoSlotError) as caught:
            async with slots.slot(operations.STORE_GET, TOKEN, gates.at_once, 200.0):
                pass
        assert caught.value.wait == retry_in
