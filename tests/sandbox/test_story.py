"""All that can happen to a customer, by what people and time do and by no shortcut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

import rmz_async
from rmz_async.sandbox import Event, Sandbox

if TYPE_CHECKING:
    from tests.sandbox.conftest import Receiver

pytestmark = pytest.mark.anyio

PAYS, FAILS_LATER = "4242424242424242", "4000000000000341"
CARD = {"card_expiry": "12/34", "card_code": "123"}


class Portal:
    """A customer who is in the billing portal."""

    def __init__(self, browser: httpx.AsyncClient, number: int) -> None:
        self._browser = browser
        self._page = f"/portal/subscriptions/{number}"

    async def enter(self, rmz: rmz_async.Client, customer: int) -> None:
        """Open the link, and type the code that the phone shows."""
        session = await rmz.portal_sessions.create(customer=customer)
        await self._browser.post(session.url)
        text = (await self._browser.get("/messages.json")).json()[0]["text"]
        await self._browser.post("/portal/code", data={"code": text.split()[1]})

    async def press(self, button: str, **form: str) -> None:
        """Send a form of the subscription's page."""
        answer = await self._browser.post(f"{self._page}/{button}", data=form)
        assert answer.status_code == 303, button


async def test_every_event_is_sent_by_what_people_and_time_do(
    sandbox: Sandbox, browser: httpx.AsyncClient, receiver: Receiver
) -> None:
    """Thirteen kinds, each when it is true, and in RMZ's order."""
    for number in tuple(sandbox.state.subscriptions):
        del sandbox.state.subscriptions[number]
    sandbox.add_webhook("http://127.0.0.1/hooks", app=receiver)
    sandbox.state.products[102].trial_days = 14
    steps: dict[str, list[str]] = {}

    async def happened(step: str) -> None:
        await sandbox.delivered()
        steps[step] = [payload["event"].partition(".")[2] for payload in receiver.reported]
        receiver.bodies.clear()
        receiver.headers.clear()

    async with sandbox.client(pacing=None) as rmz:
        number = await sandbox.subscribe(product_id=102, variant_id=14)
        await happened("begins a trial")
        await sandbox.clock.advance(days=14)
        await happened("the trial ends")
        await sandbox.clock.advance(days=27)
        await happened("the period ends")
        portal = Portal(browser, number)
        await portal.enter(rmz, 4501)
        await portal.press("plan/15")
        await happened("takes a dearer plan")
        await portal.press("card", card_number=FAILS_LATER, **CARD)
        await sandbox.clock.advance(days=362)
        await happened("the card fails")
        await portal.enter(rmz, 4501)
        await portal.press("card", card_number=PAYS, **CARD)
        await sandbox.clock.advance(days=3)
        await happened("the next attempt is paid")
        await rmz.subscriptions.pause(number)
        await rmz.subscriptions.unpause(number)
        await rmz.subscriptions.extend(number, days=7)
        await happened("the shop pauses and extends")
        await portal.enter(rmz, 4501)
        await portal.press("cancel", effective="end_of_period")
        await portal.press("resume")
        await portal.press("cancel", effective="immediate")
        await portal.press("resume")
        await portal.press("cancel", effective="end_of_period")
        await happened("the customer hesitates")
        await sandbox.clock.advance(days=800)
        await happened("the period runs out")
        order = max(sandbox.state.orders)
        await rmz.orders.update(order, status=rmz_async.OrderStatus.REFUNDED)
        await happened("the shop refunds")
    assert steps == {
        "begins a trial": ["created", "created"],
        "the trial ends": ["activated"],
        "the period ends": ["renewed"],
        "takes a dearer plan": ["updated", "created"],
        "the card fails": ["past_due", "renewal_failed"],
        "the next attempt is paid": ["renewed"],
        "the shop pauses and extends": ["paused", "unpaused", "updated"],
        "the customer hesitates": ["canceled", "resumed", "canceled", "resumed", "canceled"],
        "the period runs out": ["expired"],
        "the shop refunds": ["status.changed"],
    }
    reported = {delivery.event for delivery in sandbox.deliveries}
    assert reported == set(Event)
