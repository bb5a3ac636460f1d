"""Subscriptions in the billing portal: customers change their own, and read their invoices."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
import pytest

from rmz_async.sandbox import Card, CardBehaviour, Duration, Sandbox, Variant
from rmz_async.sandbox.hosted.portal.invoices import tax_within
from tests.sandbox.portal_visits import enter

if TYPE_CHECKING:
    from tests.sandbox.conftest import Receiver

pytestmark = pytest.mark.anyio


async def test_a_customer_sees_every_subscription_of_their_own(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Those of others are not even said to exist."""
    await enter(api, browser)
    page = await browser.get("/portal")
    theirs, others = set[int](), set[int]()
    for one in sandbox.state.subscriptions.values():
        (theirs if one.customer_id == 4501 else others).add(one.id)
    assert theirs
    assert others
    for number in theirs:
        assert f'href="/portal/subscriptions/{number}"' in page.text
    for number in others:
        assert f'href="/portal/subscriptions/{number}"' not in page.text
        assert (await browser.get(f"/portal/subscriptions/{number}")).status_code == 404
        answer = await browser.post(f"/portal/subscriptions/{number}/cancel")
        assert answer.status_code == 404


async def test_a_customer_without_subscriptions_is_told_so(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """An empty list has words."""
    for number in [
        one.id for one in sandbox.state.subscriptions.values() if one.customer_id == 4501
    ]:
        del sandbox.state.subscriptions[number]
    await enter(api, browser)
    assert "You have no subscription here." in (await browser.get("/portal")).text


async def test_a_customer_cancels_with_the_period_and_resumes(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    """Both reach the shop as events."""
    sandbox.add_webhook("http://127.0.0.1/hooks", app=receiver)
    await enter(api, browser)
    one = sandbox.state.subscriptions[501]
    page = "/portal/subscriptions/501"
    answer = await browser.post(f"{page}/cancel", data={"effective": "end_of_period"})
    assert answer.headers["location"] == page
    assert (one.status, one.cancel_at_period_end) == ("active", True)
    assert "Ends with this period" in (await browser.get(page)).text

    await browser.post(f"{page}/resume")
    assert (one.status, one.cancel_at_period_end, one.auto_renew) == ("active", False, True)
    assert "Renews by itself" in (await browser.get(page)).text
    await sandbox.delivered()
    assert [delivery.event for delivery in sandbox.deliveries] == [
        "subscription.canceled",
        "subscription.resumed",
    ]


async def test_a_customer_cancels_immediately(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """A second decision finds that the subscription has changed."""
    await enter(api, browser)
    page = "/portal/subscriptions/501"
    await browser.post(f"{page}/cancel", data={"effective": "immediate"})
    assert sandbox.state.subscriptions[501].status == "canceled"
    again = await browser.post(f"{page}/cancel", data={"effective": "immediate"})
    assert again.status_code == 422
    assert "Nothing was done" in again.text


async def test_a_new_card_is_kept_and_charged_for_renewals(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """A card that cannot pay is not kept."""
    await enter(api, browser)
    page = "/portal/subscriptions/501/card"
    assert (await browser.get(page)).status_code == 200
    form = {"card_expiry": "12/34", "card_code": "123"}
    for number, said in (
        ("4000000000000002", "The bank declined the payment."),
        ("4000000000000069", "This card has expired."),
        ("1", "Please check the marked fields."),
    ):
        answer = await browser.post(page, data=form | {"card_number": number})
        assert answer.status_code == 422
        assert said in answer.text
    await browser.post(page, data=form | {"card_number": "5555555555554444"})
    card = sandbox.state.subscriptions[501].card
    assert card is not None
    assert (card.last_four, card.scheme) == ("4444", "mastercard")


def add_plan(sandbox: Sandbox, price: str) -> int:
    """Give the product of 501 one more plan."""
    product = sandbox.state.subscriptions[501].product_id
    sandbox.state.variants[99] = Variant(
        id=99, product_id=product, duration=Duration.ANNUALLY, price=Decimal(price)
    )
    return 99


async def test_an_upgrade_shows_its_cost_before_it_is_confirmed(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """The sum on the page is the sum that is charged."""
    add_plan(sandbox, "900.00")
    one = sandbox.state.subscriptions[501]
    await enter(api, browser)
    page = await browser.get("/portal/subscriptions/501/plan/99")
    assert page.status_code == 200
    assert one.variant_id != 99
    await browser.post("/portal/subscriptions/501/plan/99")
    assert one.variant_id == 99
    order = max(sandbox.state.orders.values(), key=lambda order: order.id)
    assert order.items[0].subscription_id == 501
    assert f"SAR\u00a0{order.total:,.2f}" in page.text


async def test_a_downgrade_waits_for_the_next_period(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Nothing is due today, and the plan until then is kept."""
    add_plan(sandbox, "1.00")
    one = sandbox.state.subscriptions[501]
    before = one.variant_id
    await enter(api, browser)
    page = await browser.get("/portal/subscriptions/501/plan/99")
    assert "SAR\u00a00.00" in page.text
    await browser.post("/portal/subscriptions/501/plan/99")
    assert (one.variant_id, one.scheduled_variant_id) == (before, 99)
    assert "Next plan" in (await browser.get("/portal/subscriptions/501")).text


async def test_an_upgrade_that_the_card_declines_changes_nothing(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """The customer reads why."""
    add_plan(sandbox, "900.00")
    one = sandbox.state.subscriptions[501]
    before = one.variant_id
    one.card = Card(last_four="0002", scheme="visa", behaviour=CardBehaviour.DECLINES)
    await enter(api, browser)
    answer = await browser.post("/portal/subscriptions/501/plan/99")
    assert answer.status_code == 422
    assert "The bank declined the payment." in answer.text
    assert one.variant_id == before


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_plan_of_another_product_cannot_be_chosen(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, method: str
) -> None:
    """A made-up address is refused in words."""
    await enter(api, browser)
    answer = await browser.request(method, "/portal/subscriptions/501/plan/4711")
    assert answer.status_code == 422
    assert "Nothing was done" in answer.text


async def test_a_subscription_that_ends_offers_no_other_plan(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Only what is possible is on the page."""
    add_plan(sandbox, "900.00")
    await enter(api, browser)
    page = "/portal/subscriptions/501"
    assert f"{page}/plan/99" in (await browser.get(page)).text
    await browser.post(f"{page}/cancel", data={"effective": "end_of_period"})
    assert "/plan/" not in (await browser.get(page)).text


async def test_an_invoice_divides_its_total_into_net_and_tax(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """The lines add up to the total, to the halala."""
    add_plan(sandbox, "900.00")
    await enter(api, browser)
    await browser.post("/portal/subscriptions/501/plan/99")
    order = max(sandbox.state.orders.values(), key=lambda order: order.id)
    page = await browser.get(f"/portal/invoices/{order.id}")
    tax = tax_within(order.total, Decimal(15))
    assert tax.net + tax.tax == order.total
    for amount in (order.total, tax.net, tax.tax):
        assert f"SAR\u00a0{amount:,.2f}" in page.text
    assert "VAT (15%)" in page.text


async def test_an_invoice_of_somebody_else_is_404(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Ids can be guessed; invoices cannot be read by guessing."""
    await enter(api, browser)
    for order in list(sandbox.state.orders.values()):
        answer = await browser.get(f"/portal/invoices/{order.id}")
        assert answer.status_code == (200 if order.customer_id == 4501 else 404)
    assert (await browser.get("/portal/invoices/1")).status_code == 404


@pytest.mark.parametrize("total", ["0", "0.01", "1.00", "115.00", "199.99"])
def test_net_and_tax_add_up(total: str) -> None:
    """Rounding loses nothing."""
    tax = tax_within(Decimal(total), Decimal(15))
    assert tax.net + tax.tax == Decimal(total)
    assert abs(tax.net * Decimal("0.15") - tax.tax) <= Decimal("0.01")
