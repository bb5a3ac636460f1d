from __future__ import annotations

from collections import Counter
from typing import Any

import anyio
import httpx
import pytest

from rmz_async.sandbox import Sandbox, Status

pytestmark = pytest.mark.anyio
CARD = {"number": "4242424242424242", "expiry": "12/30", "code": "123", "name": "Sara"}


async def test_the_state_stays_true_under_500_mixed_calls(clock: Any, order: Any) -> None:
    """Each effect is in the ledger once, and the state is what the ledger says."""
    sandbox = Sandbox(clock=clock, throttle=False)
    answers: Counter[tuple[str, int]] = Counter()
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    transport = httpx.ASGITransport(sandbox.app)
    async with httpx.AsyncClient(transport=transport, headers=headers) as api:
        made = await api.post(f"{sandbox.base_url}/subscriptions/checkout-sessions", json=order)
        page = made.json()["data"]["checkout_url"]
        end = sandbox.state.subscriptions[501].current_period_end

        async def call(name: str, path: str, body: Any = None) -> None:
            answer = await api.post(f"{sandbox.base_url}{path}", json=body)
            answers[name, answer.status_code] += 1

        async def pay() -> None:
            answer = await api.post(f"{page}/pay", data=CARD)
            answers["pay", answer.status_code] += 1

        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                tasks.start_soon(call, "extend", "/subscriptions/501/extend", {"days": 7})
                tasks.start_soon(pay)
                for change in ("pause", "unpause", "cancel"):
                    tasks.start_soon(call, change, f"/subscriptions/508/{change}")
                for number in range(509, 514):
                    tasks.start_soon(call, "other", f"/subscriptions/{number}/pause")
    assert answers.total() == 500
    assert answers["extend", 200] == len(sandbox.ledger.extensions(501)) == 1
    assert (sandbox.state.subscriptions[501].current_period_end - end).days == 7
    assert answers["pay", 303] == 50
    assert len(sandbox.ledger.of("hosted.pay")) == 1
    assert max(sandbox.state.subscriptions) == 534
    assert answers["other", 200] == 5
    assert answers["cancel", 200] == len(sandbox.ledger.of("subscriptions.cancel", 508)) == 1
    pauses = len(sandbox.ledger.of("subscriptions.pause", 508))
    unpauses = len(sandbox.ledger.of("subscriptions.unpause", 508))
    assert answers["pause", 200] == pauses
    assert answers["unpause", 200] == unpauses
    is_paused = sandbox.state.subscriptions[508].status is Status.PAUSED
    assert pauses - unpauses == is_paused
