"""A request that all share who ask the same at the same time."""

from __future__ import annotations

import anyio
import pytest

from rmz_async._flights import Flights


@pytest.mark.anyio
async def test_all_who_wait_for_an_answer_go_on_when_it_is_there() -> None:
    """Only one of them asks, and each gets the answer."""
    flights = Flights[str]()
    asked: list[str] = []
    answers: list[str] = []
    reply = anyio.Event()

    async def ask() -> str:
        asked.append("noura")
        await reply.wait()
        return "granted"

    async def join() -> None:
        answers.append(await flights.join("noura", ask))

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(join)
        await anyio.wait_all_tasks_blocked()
        assert asked == ["noura"]
        reply.set()
        await anyio.wait_all_tasks_blocked()
        # A task that waits now would wait for ever.
        tasks.cancel_scope.cancel()

    assert answers == ["granted"] * 3
    assert asked == ["noura"]
