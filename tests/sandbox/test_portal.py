from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from rmz_async.sandbox import Card, CardBehaviour, Duration, Sandbox, Variant
from rmz_async.sandbox.hosted.portal.invoices import tax_within

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock, Receiver

pytestmark = pytest.mark.anyio


async def test_a_portal_session_is_made_by_customer_id(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """A known customer gets a link on this server, good for an hour unless said otherwise."""
    answer = await api.post("/portal-sessions", json={"customer": {"id": 4501}})
    assert answer.status_code == 200
    assert answer.json()["message"] == "Portal session created successfully"
    (session,) = sandbox.state.portal_sessions.values()
    assert answer.json()["data"] == {
        "url": f"http://127.0.0.1/s/{session.token}",
        "expires_at": "2025-06-01T13:00:00.000000Z",
    }
    assert session.customer_id == 4501
    assert session.token not in repr(sandbox.state)


async def test_a_portal_session_is_made_by_phone(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """Dial code and phone find the customer; the lifetime is taken as asked."""
    customer = {"country_code": "+973", "phone": "33123456"}
    answer = await api.post("/portal-sessions", json={"customer": customer, "expires_in": 300})
    assert answer.json()["data"]["expires_at"] == "2025-06-01T12:05:00.000000Z"
    (session,) = sandbox.state.portal_sessions.values()
    assert session.customer_id == 4503


@pytest.mark.parametrize("customer", [{"id": 99}, {"country_code": "966", "phone": "33123456"}])
async def test_unknown_customer_is_404(api: httpx.AsyncClient, customer: dict[str, Any]) -> None:
    """A portal session makes no customer."""
    answer = await api.post("/portal-sessions", json={"customer": customer})
    assert answer.status_code == 404
    assert answer.json()["message"] == "Customer not found"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"customer", "customer.country_code", "customer.phone"}),
        ({"customer": {"id": "x"}}, {"customer.id"}),
        ({"customer": {"id": 4501}, "expires_in": 299}, {"expires_in"}),
        ({"customer": {"id": 4501}, "expires_in": 86401}, {"expires_in"}),
        ({"customer": {"id": 4501}, "return_url": "account"}, {"return_url"}),
    ],
)
async def test_portal_session_is_checked(
    api: httpx.AsyncClient, body: dict[str, Any], fields: set[str]
) -> None:
    """Wrong fields are named."""
    answer = await api.post("/portal-sessions", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"].keys() == fields


async def new_link(api: httpx.AsyncClient, **more: Any) -> str:
    """Make a portal session, and return its link."""
    answer = await api.post("/portal-sessions", json={"customer": {"id": 4501}, **more})
    return str(answer.json()["data"]["url"])


async def test_a_link_preview_does_not_use_the_link_up(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """HEAD and GET look at the link, and only the button opens the portal."""
    link = await new_link(api)
    assert (await browser.head(link)).status_code == 200
    for _ in range(2):
        page = await browser.get(link)
        assert page.status_code == 200
        assert "Send me the code" in page.text
    (session,) = sandbox.state.portal_sessions.values()
    assert session.used_at is None
    assert sandbox.state.messages == []


async def test_a_link_opens_one_visit(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock
) -> None:
    """After the button was pressed the link leads nowhere but back to the shop."""
    link = await new_link(api, return_url="https://app.example/account?a=1&b=2")
    answer = await browser.post(link)
    assert answer.headers["location"] == "/portal/code"
    (session,) = sandbox.state.portal_sessions.values()
    assert session.used_at == clock.now
    for again in (await browser.get(link), await browser.post(link)):
        assert again.status_code == 410
        assert "This link was used already" in again.text
        assert 'href="https://app.example/account?a=1&amp;b=2"' in again.text


async def test_a_link_expires(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, clock: ManualClock
) -> None:
    """A link that was not opened in time says so, and has no button without a way back."""
    link = await new_link(api)
    clock.advance(seconds=3599)
    assert (await browser.get(link)).status_code == 200
    clock.advance(seconds=1)
    answer = await browser.get(link)
    assert answer.status_code == 410
    assert "This page has expired" in answer.text
    assert "<a class" not in answer.text


async def test_a_made_up_link_is_404(browser: httpx.AsyncClient) -> None:
    """A token that was never dealt out leads nowhere."""
    answer = await browser.get("/s/made-up")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


PAGES = [
    ("GET", "/portal"),
    ("POST", "/portal/leave"),
    ("GET", "/portal/code"),
    ("POST", "/portal/code"),
    ("GET", "/portal/subscriptions/501"),
    ("POST", "/portal/subscriptions/501/cancel"),
    ("POST", "/portal/subscriptions/501/resume"),
    ("GET", "/portal/subscriptions/501/card"),
    ("POST", "/portal/subscriptions/501/card"),
    ("GET", "/portal/subscriptions/501/plan/14"),
    ("POST", "/portal/subscriptions/501/plan/14"),
    ("GET", "/portal/invoices/78901"),
]


@pytest.mark.parametrize(("method", "path"), PAGES)
async def test_no_page_opens_without_a_visit(
    browser: httpx.AsyncClient, sandbox: Sandbox, method: str, path: str
) -> None:
    """A made-up cookie is no visit either."""
    before = repr(sandbox.state)
    assert (await browser.request(method, path)).status_code == 404
    browser.cookies.set("rmz-portal", "made-up")
    assert (await browser.request(method, path)).status_code == 404
    assert repr(sandbox.state) == before


@pytest.mark.parametrize(("method", "path"), [row for row in PAGES if "code" not in row[1]])
async def test_no_page_but_the_form_for_the_code_opens_before_the_code(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox, method: str, path: str
) -> None:
    """A visitor who has found a link has not found a phone."""
    await browser.post(await new_link(api))
    status = sandbox.state.subscriptions[501].status
    answer = await browser.request(method, path)
    if path == "/portal/leave":
        assert answer.status_code == 200
    else:
        assert answer.headers["location"] == "/portal/code"
    assert sandbox.state.subscriptions[501].status == status


async def code_of(browser: httpx.AsyncClient, phone: str = "966512345678") -> str:
    """Read the code from the message log."""
    rows = (await browser.get("/messages.json", params={"to": phone})).json()
    return str(rows[0]["text"].split()[1])


async def enter(api: httpx.AsyncClient, browser: httpx.AsyncClient, **more: Any) -> None:
    """Open the portal as customer 4501 does."""
    await browser.post(await new_link(api, **more))
    answer = await browser.post("/portal/code", data={"code": await code_of(browser)})
    assert answer.headers["location"] == "/portal"


async def test_the_code_goes_to_the_customers_phone_alone(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """The log has it for people and for programs, and no repr has it."""
    await browser.post(await new_link(api))
    code = await code_of(browser)
    assert len(code) == 6
    assert code in (await browser.get("/messages")).text
    assert (await browser.get("/messages.json?to=1")).json() == []
    assert code not in repr(sandbox.state)
    page = await browser.get("/portal/code")
    assert code not in page.text
    assert "+966 ••••••678" in page.text


async def test_a_code_may_be_typed_in_arabic_digits(
    api: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    """Blanks are overlooked, too."""
    await browser.post(await new_link(api))
    code = (await code_of(browser)).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    answer = await browser.post("/portal/code", data={"code": f" {code[:3]} {code[3:]} "})
    assert answer.headers["location"] == "/portal"


async def test_five_wrong_codes_lock_the_visit(
    api: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    """After the fifth not even the right one opens it."""
    await browser.post(await new_link(api))
    right = await code_of(browser)
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(4):
        page = await browser.post("/portal/code", data={"code": wrong})
        assert page.status_code == 422
        assert "This code is wrong." in page.text
    assert (await browser.post("/portal/code", data={})).status_code == 423
    assert (await browser.post("/portal/code", data={"code": right})).status_code == 423
    assert (await browser.get("/portal")).status_code == 423


async def test_a_visit_ends_with_the_lifetime_of_its_link(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, clock: ManualClock
) -> None:
    """An hour is an hour, inside the portal too."""
    await enter(api, browser, expires_in=300)
    assert (await browser.get("/portal")).status_code == 200
    clock.advance(minutes=5)
    assert (await browser.get("/portal")).status_code == 410


async def test_leaving_leads_back_to_the_shop(
    api: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    """The visit is over, and the cookie opens nothing any more."""
    await enter(api, browser, return_url="https://app.example/account")
    answer = await browser.post("/portal/leave")
    assert answer.headers["location"] == "https://app.example/account"
    assert (await browser.get("/portal")).status_code == 404

    await enter(api, browser)
    assert "You can close this page." in (await browser.post("/portal/leave")).text


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
