"""The gates before a request: a slot within the minute, and one of the requests under way."""

from __future__ import annotations

import anyio
import pytest

from rmz_async import Pacing, operations
from rmz_async._calls.outcome import Failed, Failure
from rmz_async._calls.token import Secret
from rmz_async._pacing.line import NoSlotError
from rmz_async._pacing.slots import SLOT_EXPIRY, Slot, Slots
from tests.seams import Clock
from tests.unit.gates import TOKEN, Gates, Store

pytestmark = pytest.mark.anyio


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


async def test_only_so_many_requests_run_at_the_same_time(gates: Gates) -> None:
    """The next one waits until one is over, however that ended."""
    async with gates.slot():
        assert gates.concurrency.value == 0
    assert gates.concurrency.value == 1
    with pytest.raises(KeyError):
        async with gates.slot():
            raise KeyError
    assert gates.concurrency.value == 1


async def test_connections_are_bound_without_pacing(gates: Gates) -> None:
    """The calls under way are bound all the same, and nothing is counted."""
    free = gates.slots.with_pacing(None)
    slot = free.slot(operations.SUBSCRIPTIONS_GET, TOKEN, gates.concurrency, 0.0)
    async with slot as entered:
        assert gates.concurrency.value == 0
        await entered.report(Failed(Failure.NOT_SENT, "refused"), deadline=1e18)
    assert gates.concurrency.value == 1
    assert gates.store.asked == []


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
            free.append(gates.concurrency.value)
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
    assert gates.concurrency.value == 1


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
    assert gates.concurrency.value == 1


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
    assert gates.concurrency.value == 1


async def test_a_call_given_up_in_line_returns_its_slot(gates: Gates) -> None:
    """The call gives its slot back, also to a store that is far away."""
    async with gates.slot():
        async with anyio.create_task_group() as calls:
            calls.start_soon(pass_through, gates)
            await anyio.wait_all_tasks_blocked()
            assert len(gates.store.taken) == 2
            calls.cancel_scope.cancel()
        assert gates.store.taken == [100.0]
    assert gates.concurrency.value == 1


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
    assert gates.concurrency.value == 1


async def test_copies_count_together(gates: Gates) -> None:
    """A copy with other limits asks the same store, also by way of one that asks none."""
    slots = Slots(Pacing(per_minute=2, max_wait=0), Clock(clock=lambda: 100.0))
    copies = [
        slots,
        slots.with_pacing(Pacing(per_minute=2, max_wait=0)),
        slots.with_pacing(None).with_pacing(Pacing(per_minute=2, max_wait=0)),
    ]
    for copy in copies[:2]:
        async with copy.slot(operations.SUBSCRIPTIONS_GET, TOKEN, gates.concurrency, 200.0) as slot:
            assert isinstance(slot, Slot)
    for copy in copies:
        with pytest.raises(NoSlotError):
            async with copy.slot(operations.SUBSCRIPTIONS_GET, TOKEN, gates.concurrency, 200.0):
                pass


async def test_a_copy_of_a_client_without_pacing_counts_from_its_first_slot(gates: Gates) -> None:
    """The copy counts from its first slot on, together with other copies."""
    slots = Slots(None, Clock(clock=lambda: 100.0))
    copies = [slots.with_pacing(Pacing(per_minute=1, max_wait=0)) for _ in range(2)]
    for _ in range(2):
        async with slots.slot(operations.STORE_GET, TOKEN, gates.concurrency, 200.0):
            pass
    async with copies[0].slot(operations.STORE_GET, TOKEN, gates.concurrency, 200.0):
        pass
    for copy in copies:
        with pytest.raises(NoSlotError):
            async with copy.slot(operations.STORE_GET, TOKEN, gates.concurrency, 200.0):
                pass
