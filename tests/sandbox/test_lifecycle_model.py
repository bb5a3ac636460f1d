"""The sandbox beside a model that was written only from RMZ's documentation."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
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

from rmz_async.sandbox import Card, CardBehaviour, Order, Sandbox, Status
from tests.sandbox.lifecycle_model import DAY, MONTH, Model, Plan

START = datetime(2025, 6, 1, 12, tzinfo=UTC)
BEHAVIOURS = {
    "pays": CardBehaviour.PAYS,
    "declines": CardBehaviour.DECLINES,
    "second": CardBehaviour.SECOND_ATTEMPT,
}
# The plans of the product that is sold here, by the ids of the seeded store.
PLANS = {
    14: Plan(14, Decimal("19.99"), MONTH),
    15: Plan(15, Decimal("199.99"), 365 * DAY),
    16: Plan(16, Decimal("349.50"), 730 * DAY),
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
        self.model = Model("pays", PLANS[14], PLANS[14].price)
        for number in tuple(self.sandbox.state.subscriptions):
            if number != 501:
                del self.sandbox.state.subscriptions[number]
        self.subscription = self.sandbox.state.subscriptions[501]
        self.subscription.variant_id = 14
        self.subscription.price = PLANS[14].price
        self.sandbox.state.orders.clear()

    async def receive(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one delivery."""
        body = json.loads(await Request(scope, receive).body())
        if body["event"].startswith("subscription."):
            self.events.append(body["event"].removeprefix("subscription."))
        await Response(status_code=204)(scope, receive, send)

    @property
    def orders(self) -> list[Order]:
        """The charges of the customer, the oldest first."""
        return [order for _, order in sorted(self.sandbox.state.orders.items())]

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> bool:
        """Make one call; return whether it was done."""

        async def send() -> httpx.Response:
            headers = {"Authorization": f"Bearer {self.sandbox.token}"}
            transport = httpx.ASGITransport(self.sandbox.app)
            async with httpx.AsyncClient(transport=transport, headers=headers) as api:
                answer = await api.request(method, f"{self.sandbox.base_url}{path}", json=body)
            await self.sandbox.delivered()
            return answer

        return self.runner.run(send()).is_success

    def in_portal(self, button: str) -> bool:
        """Press a button of the portal, as the customer; return whether it did something."""

        async def press() -> httpx.Response:
            headers = {"Authorization": f"Bearer {self.sandbox.token}"}
            transport = httpx.ASGITransport(self.sandbox.app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1"
            ) as browser:
                made = await browser.post(
                    f"{self.sandbox.base_url}/portal-sessions",
                    json={"customer": {"id": self.subscription.customer_id}},
                    headers=headers,
                )
                await browser.post(made.json()["data"]["url"])
                message = (await browser.get("/messages.json")).json()[0]["text"]
                await browser.post("/portal/code", data={"code": message.split()[1]})
                answer = await browser.post(f"/portal/subscriptions/501/{button}")
            await self.sandbox.delivered()
            return answer

        return self.runner.run(press()).is_redirect

    @initialize(card=CARDS, trial_days=st.integers(0, 20), grace_days=st.sampled_from([7, 5, 30]))
    def begin(self, card: str, trial_days: int, grace_days: int) -> None:
        """Begin with a period that was paid for, or with a trial."""
        self.model.card, self.model.grace_days = card, grace_days
        self.sandbox.state.products[102].grace_period_days = grace_days
        self.subscription.card = card_of(card)
        if trial_days:
            self.model.status, self.model.end = "trialing", trial_days * DAY
            self.model.has_paid = False
            self.subscription.status = Status.TRIALING
            self.subscription.paid_periods = 0
        self.subscription.current_period_start = START
        self.subscription.current_period_end = START + timedelta(hours=self.model.end)
        if trial_days:
            self.subscription.trial_ends_at = self.subscription.current_period_end

    @rule(hours=PASSING)
    def pass_hours(self, hours: int) -> None:
        """Move both clocks."""
        self.model.pass_hours(hours)
        self.runner.run(self.sandbox.clock.advance(hours=hours))

    @rule(after=PASSING)
    def pause(self, after: int) -> None:
        """Pause both."""
        self.pass_hours(after)
        assert self.call("POST", "/subscriptions/501/pause") is self.model.pause()

    @rule(after=PASSING)
    def unpause(self, after: int) -> None:
        """Unpause both."""
        self.pass_hours(after)
        assert self.call("POST", "/subscriptions/501/unpause") is self.model.unpause()

    @rule(days=st.integers(1, 9), after=PASSING)
    def extend(self, days: int, after: int) -> None:
        """Extend both."""
        self.pass_hours(after)
        path = "/subscriptions/501/extend"
        assert self.call("POST", path, {"days": days}) is self.model.extend(days)

    @precondition(lambda self: len(self.model.events) > 2)
    @rule(immediately=st.sampled_from([False, False, False, True]))
    def cancel(self, immediately: bool) -> None:
        """Cancel both."""
        body = {"effective": "immediate" if immediately else "end_of_period"}
        done = self.call("POST", "/subscriptions/501/cancel", body)
        assert done is self.model.cancel(immediately=immediately)

    @rule(after=PASSING)
    def resume(self, after: int) -> None:
        """Take the cancellation of both back."""
        self.pass_hours(after)
        assert self.in_portal("resume") is self.model.resume()

    @rule(name=st.sampled_from([*PLANS]), after=PASSING)
    def change_plan(self, name: int, after: int) -> None:
        """Ask for another plan of both."""
        self.pass_hours(after)
        assert self.in_portal(f"plan/{name}") is self.model.change_plan(PLANS[name])

    @precondition(lambda self: len(self.model.charges) > 0)
    @rule(after=PASSING)
    def refund(self, after: int) -> None:
        """Refund the latest payment of both."""
        self.pass_hours(after)
        number = self.orders[-1].id
        assert self.call("PUT", f"/orders/{number}", {"status": 6}) is self.model.refund()

    @precondition(lambda self: len(self.model.events) > 0)
    @rule(card=CARDS)
    def change_the_card(self, card: str) -> None:
        """Give both another card."""
        self.model.card, self.model.declined = card, 0
        self.subscription.card = card_of(card)

    @invariant()
    def both_are_the_same(self) -> None:
        """Status, period, plan, money, and all events in their order."""
        subscription, model = self.subscription, self.model
        assert subscription.status == model.status
        assert subscription.current_period_start == START + timedelta(hours=model.start)
        assert subscription.current_period_end == START + timedelta(hours=model.end)
        assert subscription.cancel_at_period_end is model.is_ending
        assert (subscription.variant_id, subscription.price) == (model.plan.name, model.price)
        waiting = None if model.next_plan is None else model.next_plan.name
        assert subscription.scheduled_variant_id == waiting
        if model.status == "paused":
            assert subscription.paused_remaining_days == model.banked_days
        assert self.events == model.events
        assert [
            (order.total, order.created_at, order.transaction.is_refunded) for order in self.orders
        ] == [
            (charge.amount, START + timedelta(hours=charge.at), charge.is_refunded)
            for charge in model.charges
        ]
        assert [
            order.transaction.store_balance_credited_at is not None for order in self.orders
        ] == [charge.is_credited for charge in model.charges]

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
