from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import anyio
import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from rmz_async.sandbox import Clock, Sandbox
from rmz_async.sandbox.lifecycle.agenda import Agenda

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


class Seconds:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.passed = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.passed


def test_time_stands_still_unless_it_is_told_to_run() -> None:
    """Time outside counts only between run and stop, however often either is called."""
    seconds = Seconds()
    clock = Clock(monotonic=seconds)
    start = clock.now()
    seconds.passed += 5
    assert clock.now() == start
    assert not clock.is_running
    clock.run()
    seconds.passed += 2
    clock.run()
    seconds.passed += 1
    assert clock.now() == start + timedelta(seconds=3)
    clock.stop()
    clock.stop()
    seconds.passed += 5
    assert clock.now() == start + timedelta(seconds=3)


@pytest.mark.anyio
async def test_a_running_clock_can_be_moved_too(anyio_backend: str) -> None:
    """The clock runs on from the time that it was moved to."""
    seconds = Seconds()
    clock = Clock(monotonic=seconds)
    start = clock.now()
    clock.run()
    seconds.passed += 1
    await clock.advance(timedelta(minutes=1), days=1, hours=2, minutes=3, seconds=4)
    seconds.passed += 1
    expected = timedelta(days=1, hours=2, minutes=4, seconds=6)
    assert clock.now() == start + expected
    clock.stop()
    assert clock.now() == start + expected


def test_a_source_of_the_callers_own_is_followed() -> None:
    """The source must be aware, and it decides whether time runs."""
    moment = NOON
    clock = Clock(lambda: moment)
    assert clock.now() == NOON
    assert clock.is_running
    moment += timedelta(days=1)
    assert clock.now() == NOON + timedelta(days=1)
    with pytest.raises(ValueError, match="follows the one that the sandbox was given"):
        clock.run()
    with pytest.raises(ValueError, match="aware datetimes"):
        Clock(lambda: datetime(2025, 6, 1))  # noqa: DTZ001 - refused for just that


@pytest.mark.anyio
async def test_time_never_goes_back(anyio_backend: str) -> None:
    """A negative distance is refused, and changes nothing."""
    clock = Clock(lambda: NOON)
    with pytest.raises(ValueError, match="never back"):
        await clock.advance(days=1, hours=-25)
    assert clock.now() == NOON


@pytest.mark.anyio
async def test_a_cancelled_advance_leaves_the_clock_where_it_came_to(anyio_backend: str) -> None:
    """Events that happened did so at their moment, and the rest can still come."""
    sandbox = Sandbox(clock=lambda: NOON)
    begun = anyio.Event()

    async def hangs(*_: object) -> None:
        begun.set()
        await anyio.sleep_forever()

    sandbox.add_webhook("http://127.0.0.1/hooks", app=hangs)
    async with anyio.create_task_group() as moving:
        moving.start_soon(partial(sandbox.clock.advance, days=5))
        await begun.wait()
        moving.cancel_scope.cancel()
    assert NOON < sandbox.clock.now() < NOON + timedelta(days=5)
    await sandbox.aclose()
    (webhook,) = sandbox.webhooks
    webhook.enabled = False
    left = NOON + timedelta(days=5) - sandbox.clock.now()
    await sandbox.clock.advance(left)
    assert sandbox.state.subscriptions[502].paid_periods == 1


def test_time_runs_while_a_sandbox_is_served() -> None:
    """Its callers wait in real time; what comes due happens without a request."""
    sandbox = Sandbox()
    ends_at = sandbox.clock.now().replace(microsecond=0) + timedelta(seconds=1)
    sandbox.state.subscriptions[507].current_period_end = ends_at
    with sandbox.serve():
        for _ in range(1200):
            if sandbox.ledger.of("lifecycle.expired", 507):
                break
            anyio.run(anyio.sleep, 0.05)
    assert [effect.at for effect in sandbox.ledger.of("lifecycle.expired", 507)] == [ends_at]
    assert not sandbox.clock.is_running


def test_time_can_stand_still_while_a_sandbox_is_served() -> None:
    """Only `advance` moves it then, from any thread."""
    with Sandbox().serve(clock_runs=False) as served:
        clock = served.sandbox.clock
        start = clock.now()
        served.advance(timedelta(days=1), hours=1)
        assert clock.now() == start + timedelta(days=1, hours=1)


@pytest.mark.anyio
async def test_the_clock_of_a_served_sandbox_can_be_moved_from_any_loop(
    anyio_backend: str,
) -> None:
    """Work that comes due is done on the sandbox's own loop, and awaited here."""
    async with Sandbox().serve(clock_runs=False) as served, httpx.AsyncClient() as api:
        await served.sandbox.clock.advance(days=31)
        headers = {"Authorization": f"Bearer {served.token}"}
        answer = await api.get(f"{served.base_url}/subscriptions/507", headers=headers)
        assert answer.json()["data"]["status"] == "active"
        await served.sandbox.clock.advance(days=350)
        answer = await api.get(f"{served.base_url}/subscriptions/507", headers=headers)
        assert answer.json()["data"]["status"] == "expired"


def test_an_agenda_keeps_one_moment_for_each_key() -> None:
    """The earliest first, ties in their order, and a moved key only at its new moment."""
    agenda: Agenda[str] = Agenda()
    assert agenda.next() is None
    for key, hours in (("a", 3), ("b", 1), ("c", 1), ("d", 2), ("a", 1), ("d", 2)):
        agenda.put(key, NOON + timedelta(hours=hours))
    agenda.put("d", None)
    agenda.put("nobody", None)
    taken: list[str] = []
    while agenda.next() is not None:
        taken.append(agenda.take()[1])
    assert taken == ["b", "c", "a"]
    with pytest.raises(IndexError):
        agenda.take()


@pytest.mark.anyio
async def test_a_running_clock_does_not_go_back_because_a_move_waits_for_a_delivery(
    anyio_backend: str,
) -> None:
    """The move begins when the delivery has ended."""
    passed = timedelta(0)
    sandbox = Sandbox(clock=lambda: NOON + passed)
    begun, answers = anyio.Event(), anyio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await answers.wait()
        await PlainTextResponse("")(scope, receive, send)

    sandbox.add_webhook("http://127.0.0.1/hooks", app=slow)
    sandbox.emit("subscription.renewed", 501)
    async with anyio.create_task_group() as moving:
        await begun.wait()
        moving.start_soon(partial(sandbox.clock.advance, seconds=1))
        await anyio.wait_all_tasks_blocked()
        passed += timedelta(seconds=2)
        answers.set()

    assert sandbox.clock.now() == NOON + timedelta(seconds=3)
