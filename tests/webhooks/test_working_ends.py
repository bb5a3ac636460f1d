"""The end of a `working()` block while the inbox is being read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread
import pytest

from rmz_async.webhooks import Event, Stats
from tests.webhooks.receiving import deliver_events, unreliable
from tests.webhooks.storages import Time

pytestmark = pytest.mark.anyio


async def test_a_task_that_is_claimed_while_the_block_ends_is_not_begun(
    address: str, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain handler cannot be cancelled, and would keep the block from ending."""
    receiver, inbox = unreliable(address, time)
    seen: list[str] = []
    asked, answers = threading.Event(), threading.Event()
    claim: Callable[..., Any] = inbox.claim

    def claim_late(*arguments: Any, **options: Any) -> Any:
        tasks = claim(*arguments, **options)
        asked.set()
        answers.wait()
        return tasks

    async def answer() -> None:
        answers.set()

    @receiver.on("*")
    def note(event: Event) -> None:
        seen.append(event.dedupe_key)

    await deliver_events(receiver, "a")
    monkeypatch.setattr(inbox, "claim", claim_late)
    async with anyio.create_task_group() as group, receiver.working():
        await anyio.to_thread.run_sync(asked.wait)
        # The task runs when the end of the block waits for the first time.
        group.start_soon(answer)

    assert seen == []
    assert await receiver.stats() == Stats(deliveries=1, waiting=1)
    assert await receiver.drain() == 1
    await receiver.aclose()
