"""Reports of how a request ended go to the quota's store, which may fail or hang meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager

import anyio
import pytest

from rmz_async import InMemoryQuotaStore, Pacing, QuotaReport, operations
from rmz_async._calls.outcome import Answer, Failed, Failure
from rmz_async._pacing import slots as slots_module
from rmz_async._pacing.line import NoSlotError
from rmz_async._pacing.slots import Slots
from tests.seams import Clock, Setting, replace
from tests.unit.gates import TOKEN, Gates

pytestmark = pytest.mark.anyio


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
    async with slots.slot(operations.STORE_GET, TOKEN, gates.concurrency, 200.0) as slot:
        await slot.report(closed, deadline=0.0)
    with pytest.raises(NoSlotError):
        async with slots.slot(operations.STORE_GET, TOKEN, gates.concurrency, 200.0):
            pass


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
    slot = slots.slot(operations.SUBSCRIPTIONS_GET, TOKEN, gates.concurrency, 1e18)
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
    slot = slots.slot(operations.SUBSCRIPTIONS_GET, TOKEN, gates.concurrency, 1e18)
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

    replace(monkeypatch, Setting.STORE_WITHIN, within)
    async with gates.slot() as slot:
        await slot.report(result, deadline=gates.clock.now + left)

    assert given == [allowed]


async def test_a_call_that_is_cancelled_while_a_store_learns_does_not_wait_for_it(
    gates: Gates, caplog: pytest.LogCaptureFixture
) -> None:
    """Its answer is lost in any case."""
    slots = Slots(Pacing(store=Hanging()), Clock(clock=lambda: 100.0))
    async with slots.slot(operations.STORE_GET, TOKEN, gates.concurrency, 200.0) as slot:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await slot.report(Answer(200, {}, b""), deadline=1e18)

    assert scope.cancelled_caught
    assert caplog.records == []


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
    async with slots.slot(operations.STORE_GET, TOKEN, gates.concurrency, 200.0) as slot:
        assert await slot.report(Answer(status, headers, b""), deadline=200.0) == retry_in
    if retry_in is not None:
        with pytest.raises(NoSlotError) as caught:
            async with slots.slot(operations.STORE_GET, TOKEN, gates.concurrency, 200.0):
                pass
        assert caught.value.wait == retry_in
