"""Clients, event loops, threads and processes that count together."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable

import anyio
import pytest

from rmz_async import InMemoryQuotaStore, Pacing, QuotaReport, QuotaStore
from rmz_async._pacing.line import NoSlotError
from rmz_async._pacing.quota import Quota
from rmz_async._pacing.slots import Slots
from tests.seams import Clock, Part, inside


def pacer_at(now: float, store: QuotaStore | None = None) -> Slots:
    """A pacer with all patience, at a moment that stays."""
    return Slots(Pacing(max_wait=1000, store=store), Clock(clock=lambda: now, sleep=sleep))


async def sleep(_: float) -> None:
    """Sleep until cancelled."""
    await anyio.sleep_forever()


async def take_slot(pacer: Slots, until: float = math.inf) -> float:
    """A take_slot, of one a minute."""
    return await pacer.wait_for_slot("key", 1, until=until)


async def stand_in_line(pacer: Slots) -> None:
    """Come too late for a take_slot, and wait."""
    await take_slot(pacer)


async def refused_at_once(pacer: Slots) -> float:
    """Return the error of a call whose time is up."""
    with anyio.fail_after(60), pytest.raises(NoSlotError) as caught:
        await take_slot(pacer, until=0)
    return caught.value.wait


@pytest.mark.anyio
async def test_a_free_slot_does_not_give_way() -> None:
    """If no request waits, a slot and its lesson take no round of the event loop."""
    pacer = pacer_at(100.0)
    for undisturbed in (take_slot(pacer), pacer.report("key", 1, 200, {})):
        with pytest.raises(StopIteration):
            undisturbed.send(None)


@pytest.mark.anyio
async def test_clients_without_a_store_count_alone() -> None:
    """Without a store each client counts its own."""
    await take_slot(pacer_at(100.0))

    assert await take_slot(pacer_at(100.0)) == 100.0


@pytest.mark.anyio
@pytest.mark.parametrize(("now", "wait"), [(100.0, 61.0), (160.5, 0.5)])
async def test_clients_with_one_store_share_a_quota(now: float, wait: float) -> None:
    """Two clients with the same store have one quota together, to its last moment."""
    store = InMemoryQuotaStore()
    await take_slot(pacer_at(100.0, store))

    assert await refused_at_once(pacer_at(now, store)) == wait


@pytest.mark.anyio
async def test_a_copy_with_its_own_store_has_its_own_count() -> None:
    """A copy with a store of its own has another count."""
    pacer = pacer_at(100.0)
    await take_slot(pacer)

    assert await take_slot(pacer.with_pacing(Pacing(store=InMemoryQuotaStore()))) == 100.0


@pytest.mark.anyio
async def test_a_look_from_behind_takes_no_slot() -> None:
    """A call that asks from behind others takes no slot, even if there are enough for all."""
    store = InMemoryQuotaStore()

    assert await store.reserve("key", 2, 100.0, ahead=1) == 0.0
    assert await store.reserve("key", 2, 100.0, ahead=2) == 61.0
    assert await store.reserve("key", 2, 100.0, ahead=1) == 0.0


@pytest.mark.anyio
async def test_giving_back_makes_no_quota() -> None:
    """There is nothing to give back, and no quota comes of it."""
    store = InMemoryQuotaStore()
    await pacer_at(100.0, store).forget("other", 100.0)

    assert inside(store, Part.VERSIONS) == {}


class FarStore(InMemoryQuotaStore):
    """A store whose answer takes its time, in which the test lets things happen."""

    def __init__(self, meanwhile: Callable[[], Awaitable[object]]) -> None:
        super().__init__()
        self.asked = 0
        self._meanwhile = meanwhile

    async def reserve(self, key: str, per_minute: int, now: float, *, ahead: int = 0) -> float:
        """Answer what was right when it was asked."""
        self.asked += 1
        answer = await super().reserve(key, per_minute, now, ahead=ahead)
        if self.asked == 3:
            await self._meanwhile()
        return answer


@pytest.mark.anyio
async def test_news_while_the_store_is_asked() -> None:
    """News between the store's answer and the wait is not slept through."""

    async def meanwhile() -> None:
        await pacer.forget("key", 100.0)

    pacer = pacer_at(100.0, FarStore(meanwhile))
    await take_slot(pacer)
    with anyio.fail_after(60):
        assert await take_slot(pacer) == 100.0


def test_the_count_goes_on_in_the_next_event_loop(anyio_backend: str) -> None:
    """The count of the last loop goes on."""
    pacer = pacer_at(100.0)

    assert anyio.run(take_slot, pacer, backend=anyio_backend) == 100.0
    assert anyio.run(refused_at_once, pacer, backend=anyio_backend) == 61.0


def test_a_loop_that_never_ended_holds_up_no_other() -> None:
    """Tasks of a loop that stands still hold up no task of another loop."""
    pacer = pacer_at(100.0)
    stopped = asyncio.new_event_loop()
    stopped.run_until_complete(take_slot(pacer))
    waiter = stopped.create_task(stand_in_line(pacer))
    stopped.run_until_complete(asyncio.sleep(0))
    (line,) = inside(pacer, Part.LINES).values()

    assert asyncio.run(refused_at_once(pacer)) == 61.0

    async def wake() -> None:
        await pacer.forget("key", 100.0)
        assert await take_slot(pacer) == 100.0

    asyncio.run(wake())
    assert not line.waiters[0].wait_scope.cancel_called
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        stopped.run_until_complete(waiter)
    stopped.close()
    assert inside(pacer, Part.LINES) == {}


def test_a_call_cancelled_by_asyncio_takes_no_slot() -> None:
    """A call that asyncio itself wakes and cancels together is cancelled, and takes no slot."""

    async def main() -> None:
        pacer = pacer_at(100.0)
        await take_slot(pacer)
        waiter = asyncio.create_task(stand_in_line(pacer))
        for _ in range(5):
            await asyncio.sleep(0)
        await pacer.forget("key", 100.0)
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        assert await take_slot(pacer) == 100.0

    asyncio.run(main())


CHANGES: dict[str, tuple[Callable[[InMemoryQuotaStore], Awaitable[object]], dict[int, float]]] = {
    "reserve": (lambda store: store.reserve("key", 60, 100.0), {2: 61.0, 3: 51.0, 4: 0.0}),
    "forget": (lambda store: store.forget("key", 90.0), {1: 61.0, 2: 0.0}),
    "count": (lambda store: store.count("key", 100.0, [95.0]), {2: 56.0, 3: 51.0, 4: 0.0}),
    "learn": (lambda store: store.learn("key", 60, 100.0, QuotaReport(limit=2)), {60: 51.0}),
}
"""Each with the wait that follows, by the limit."""


@pytest.mark.anyio
@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_that_another_thread_overtakes_is_made_again(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Neither waits for the other, and both count."""
    change, waits = CHANGES[name]
    store = InMemoryQuotaStore()
    await store.reserve("key", 60, 90.0)
    overtaking = [100.0]
    plain = Quota.copy

    def overtaken(quota: Quota) -> Quota:
        copied = plain(quota)
        while overtaking:
            # Another thread, at this moment.
            with pytest.raises(StopIteration):
                store.reserve("key", 60, overtaking.pop()).send(None)
        return copied

    monkeypatch.setattr(Quota, "copy", overtaken)
    before = inside(store, Part.VERSIONS)["key"]
    await change(store)

    assert not overtaking
    # A thread that was slower still finds it from there.
    assert before.latest() is inside(store, Part.VERSIONS)["key"].latest()
    quota = inside(store, Part.VERSIONS)["key"].latest().quota
    assert {limit: quota.wait(limit, 100.0) for limit in waits} == waits


@pytest.mark.anyio
async def test_room_is_left_by_the_requests_of_the_last_minute() -> None:
    """A closure does not count, and room is never less than none."""
    store = InMemoryQuotaStore()
    for now in (100.0, 130.0):
        await store.reserve("key", 10, now)
    await store.learn("key", 10, 130.0, QuotaReport(closed_for=30.0))

    assert store.room("key", 1, 130.0) == 0
    assert [store.room("key", 10, now) for now in (130.0, 161.0, 191.0)] == [8, 9, 10]


@pytest.mark.anyio
async def test_a_version_is_never_changed() -> None:
    """Else another thread would see a change that may still be overtaken."""
    store = InMemoryQuotaStore()
    await store.reserve("key", 1, 100.0)
    first = inside(store, Part.VERSIONS)["key"]
    await store.forget("key", 100.0)

    assert first.quota.wait(1, 100.0) == 61.0
    assert first.latest().quota.wait(1, 100.0) == 0.0


@pytest.mark.anyio
async def test_quotas_of_unused_tokens_are_forgotten() -> None:
    """Quotas of which nothing is known any more are forgotten when many have come."""
    store = InMemoryQuotaStore()
    for number in range(64):
        await store.reserve(f"key-{number}", 60, 100.0)
    await store.reserve("another", 60, 161.0)

    assert set(inside(store, Part.VERSIONS)) == {"another"}


@pytest.mark.anyio
async def test_quotas_of_the_last_minute_are_kept() -> None:
    """No quota of the last minute is forgotten, and the next look comes when there are thrice."""
    store = InMemoryQuotaStore()
    for number in range(64):
        await store.reserve(f"key-{number}", 1, 100.0)
    await store.reserve("another", 1, 160.0)

    assert len(inside(store, Part.VERSIONS)) == 65
    assert await store.reserve("key-0", 1, 160.0) == 1.0
    for number in range(126):
        await store.reserve(f"more-{number}", 1, 161.0)
    assert len(inside(store, Part.VERSIONS)) == 191
    await store.reserve("more", 1, 161.0)
    assert len(inside(store, Part.VERSIONS)) == 192
    await store.reserve("and more", 1, 161.0)
    assert len(inside(store, Part.VERSIONS)) == 129
