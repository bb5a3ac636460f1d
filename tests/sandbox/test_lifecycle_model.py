"""The sandbox beside a model that was written only from RMZ's documentation."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rmz_async.sandbox import Card, CardBehaviour, Sandbox, Status
from rmz_async.sandbox.rules.subscriptions import resume
from rmz_async.sandbox.wire.answers import RefusedError
from tests.sandbox.lifecycle_model import DAY, MONTH, Model

START = datetime(2025, 6, 1, 12, tzinfo=UTC)
BEHAVIOURS = {
    "pays": CardBehaviour.PAYS,
    "declines": CardBehaviour.DECLINES,
    "second": CardBehaviour.SECOND_ATTEMPT,
}
# Steps that are likely to reach something, or to miss it by an hour.
PASSING = st.sampled_from([0, 1, 23, 3 * DAY, 4 * DAY, 7 * DAY + 1, 27 * DAY, MONTH, 40 * DAY])
CARDS = st.sampled_from([*BEHAVIOURS, "none"])


def card_of(kind: str) -> Card | None:
    """Return the sandbox's card for the model's word."""
    if kind == "none":
        return None
    return Card(last_four="0000", scheme="visa", behaviour=BEHAVIOURS[kind])


class Lifecycle(RuleBasedStateMachine):
    """Does to one subscription of the sandbox what it does to the model."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.sandbox = Sandbox(clock=lambda: START, throttle=False)
        self.sandbox.add_webhook("http://127.0.0.1/hooks", app=self.receive)
        self.events: list[str] = []
        self.model = Model("pays")
        for number in tuple(self.sandbox.state.subscriptions):
            if number != 501:
                del self.sandbox.state.subscriptions[number]
        self.subscription = self.sandbox.state.subscriptions[501]
        self.subscription.variant_id = 14

    async def receive(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one delivery."""
        body = json.loads(await Request(scope, receive).body())
        self.events.append(body["event"].removeprefix("subscription."))
        await Response(status_code=204)(scope, receive, send)

    def call(self, name: str, body: dict[str, Any] | None = None) -> bool:
        """Make one call; return whether it was done."""

        async def send() -> httpx.Response:
            headers = {"Authorization": f"Bearer {self.sandbox.token}"}
            transport = httpx.ASGITransport(self.sandbox.app)
            async with httpx.AsyncClient(transport=transport, headers=headers) as api:
                answer = await api.post(
                    f"{self.sandbox.base_url}/subscriptions/501/{name}", json=body
                )
            await self.sandbox.delivered()
            return answer

        return self.runner.run(send()).is_success

    @initialize(card=CARDS, trial_days=st.integers(0, 20))
    def begin(self, card: str, trial_days: int) -> None:
        """Begin with a period that was paid for, or with a trial."""
        self.model = Model.trial(card, trial_days) if trial_days else Model(card)
        self.subscription.card = card_of(card)
        self.subscription.current_period_start = START
        self.subscription.current_period_end = START + timedelta(hours=self.model.end)
        if trial_days:
            self.subscription.status = Status.TRIALING
            self.subscription.trial_ends_at = self.subscription.current_period_end
            self.subscription.paid_periods = 0

    @rule(hours=PASSING)
    def pass_hours(self, hours: int) -> None:
        """Move both clocks."""
        self.model.pass_hours(hours)
        self.runner.run(self.sandbox.clock.advance(hours=hours))

    @rule(after=PASSING)
    def pause(self, after: int) -> None:
        """Pause both."""
        self.pass_hours(after)
        assert self.call("pause") is self.model.pause()

    @rule(after=PASSING)
    def unpause(self, after: int) -> None:
        """Unpause both."""
        self.pass_hours(after)
        assert self.call("unpause") is self.model.unpause()

    @rule(days=st.integers(1, 9), after=PASSING)
    def extend(self, days: int, after: int) -> None:
        """Extend both."""
        self.pass_hours(after)
        assert self.call("extend", {"days": days}) is self.model.extend(days)

    @precondition(lambda self: len(self.model.events) > 2)
    @rule(immediately=st.sampled_from([False, False, False, True]))
    def cancel(self, immediately: bool) -> None:
        """Cancel both."""
        body = {"effective": "immediate" if immediately else "end_of_period"}
        assert self.call("cancel", body) is self.model.cancel(immediately=immediately)

    @rule(after=PASSING)
    def resume(self, after: int) -> None:
        """Take the cancellation of both back."""
        self.pass_hours(after)
        if self.model.resume():
            resume(self.subscription, self.sandbox.clock.now())
        else:
            with pytest.raises(RefusedError):
                resume(self.subscription, self.sandbox.clock.now())

    @precondition(lambda self: len(self.model.events) > 0)
    @rule(card=CARDS)
    def change_the_card(self, card: str) -> None:
        """Give both another card, before a charge of the old one has failed."""
        if self.model.failures == 0:
            self.model.card = card
            self.subscription.card = card_of(card)

    @invariant()
    def both_are_the_same(self) -> None:
        """Status, period, plan to end, and all events in their order."""
        subscription, model = self.subscription, self.model
        assert subscription.status == model.status
        assert subscription.current_period_start == START + timedelta(hours=model.start)
        assert subscription.current_period_end == START + timedelta(hours=model.end)
        assert subscription.cancel_at_period_end is model.is_ending
        if model.status == "paused":
            assert subscription.paused_remaining_days == model.banked_days
        assert self.events == model.events

    def teardown(self) -> None:
        """Leave no loop behind."""
        self.runner.run(self.sandbox.aclose())
        self.runner.close()


Lifecycle.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestLifecycle = Lifecycle.TestCase
