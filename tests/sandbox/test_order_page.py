from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from rmz_async.sandbox import TEST_CARDS, OrderStatus, Sandbox

if TYPE_CHECKING:
    from tests.sandbox.conftest import Receiver

pytestmark = pytest.mark.anyio

FORM = {
    "country_code": "965",
    "phone": "99887766",
    "firstName": "Sara",
    "lastName": "Omar",
    "email": "sara@example.com",
}


@pytest.fixture
async def checkout(api: httpx.AsyncClient, basket: dict[str, Any]) -> str:
    """The address of a page for two keys with a note, and a plan, at a tenth less."""
    basket["products"][0]["notice"] = "<b>a gift</b>"
    basket["products"].append(
        {
            "identifier_type": "slug",
            "identifier": "business",
            "quantity": 1,
            "subscription_plan": 21,
        }
    )
    answer = await api.post("/orders", json=basket | {"coupon_code": "SAVE10"})
    return str(answer.json()["data"]["checkout_url"])


@pytest.fixture
async def unnamed(api: httpx.AsyncClient, basket: dict[str, Any]) -> str:
    """The address of a page whose customer is not known yet."""
    del basket["customer"]
    answer = await api.post("/orders", json=basket)
    return str(answer.json()["data"]["checkout_url"])


async def test_page_shows_what_is_bought(browser: httpx.AsyncClient, checkout: str) -> None:
    """Lines, discount, total and customer are on the page, and both decisions."""
    page = await browser.get(checkout)
    assert page.status_code == 200
    for shown in (
        *("myapp.com", "Game Key", "× 2", "SAR\u00a099.98", "&lt;b&gt;a gift&lt;/b&gt;"),
        *(
            "باقة الأعمال",
            "every 3 months",
            "Renews by itself on August 30, 2025 for SAR\u00a0129.00",
            "SAR\u00a0129.00",
            "−SAR\u00a022.90",
            "SAR\u00a0206.08",
        ),
        *("Ahmed Ali", "ahmed@example.com", "+966 512345678"),
    ):
        assert shown in page.text
    assert "firstName" not in page.text
    assert "<code" not in page.text
    path = httpx.URL(checkout).path
    assert f'action="{path}/pay?lang=en"' in page.text
    assert f'action="{path}/cancel?lang=en"' in page.text
    assert f'href="{path}?lang=ar"' in page.text


async def test_the_page_is_arabic_and_right_to_left(
    browser: httpx.AsyncClient, checkout: str
) -> None:
    """Numbers, periods and buttons are Arabic, and run from right to left."""
    page = await browser.get(f"{checkout}?lang=ar")
    assert '<html lang="ar" dir="rtl">' in page.text
    for shown in ("طلبك", "× ٢", "٩٩٫٩٨\u00a0ر.س", "كل ٣ أشهر", "٢٢٫٩٠\u00a0ر.س", "ادفع"):
        assert shown in page.text


async def test_page_without_a_coupon_has_no_discount(
    browser: httpx.AsyncClient, unnamed: str
) -> None:
    """Nor has the receipt."""
    assert "Discount" not in (await browser.get(unnamed)).text
    await browser.post(f"{unnamed}/pay", data=FORM)
    receipt = (await browser.get(unnamed)).text
    assert "Paid. Thank you!" in receipt
    assert "Discount" not in receipt


async def test_paying_makes_the_order(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox, checkout: str
) -> None:
    """The order has its checkout, coupon, codes and subscription, and is paid by card."""
    await browser.post(f"{checkout}/pay")
    order = (await api.get("/orders/79001")).json()["data"]
    assert (order["checkout_id"], order["coupon_id"]) == (55044, 1)
    assert (order["total"], order["current_status"]) == (206.08, 4)
    transaction = order["transaction"]
    assert transaction["payment_method"] == "dokanpay"
    assert transaction["human_format"]["payment.method"] == "البطائق الإئتمانية"
    assert (transaction["deserved"], transaction["platform_fees"]) == (185.47, 20.61)
    key, plan = order["items"]
    assert (key["price"], key["quantity"], key["notice"]) == (49.99, 2, "<b>a gift</b>")
    assert (plan["price"], plan["subscription"]["id"]) == (129.0, 534)
    codes = (await api.get("/products/101")).json()["data"]["codes"]
    assert [code["id"] for code in codes] == list(range(304, 327))
    subscription = (await api.get("/subscriptions/534")).json()["data"]
    assert (subscription["order_id"], subscription["status"]) == (79001, "active")
    assert subscription["payment_method"] == {"last_four": "4242", "scheme": "visa"}
    assert subscription["current_period_end"] == "2025-08-30T12:00:00.000000Z"
    assert sandbox.state.coupons[1].usage_count == 1


@pytest.mark.parametrize(
    ("slug", "quantity", "status"),
    [
        ("game-key", 1, OrderStatus.COMPLETED),
        ("python-course", 1, OrderStatus.COMPLETED),
        ("editor-license", 1, OrderStatus.COMPLETED),
        ("logo-design", 1, OrderStatus.IN_PROGRESS),
        ("sticker", 5, OrderStatus.IN_PROGRESS),
    ],
)
async def test_status_follows_the_goods(
    api: httpx.AsyncClient,
    browser: httpx.AsyncClient,
    sandbox: Sandbox,
    basket: dict[str, Any],
    slug: str,
    quantity: int,
    status: OrderStatus,
) -> None:
    """Goods delivered immediately are completed, and work for a person is in progress."""
    line = {"identifier_type": "slug", "identifier": slug, "quantity": quantity}
    answer = await api.post("/orders", json=basket | {"products": [line]})
    await browser.post(answer.json()["data"]["checkout_url"] + "/pay")
    assert sandbox.state.orders[79001].status is status


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_paying_ends_on_the_receipt(
    browser: httpx.AsyncClient, checkout: str, language: str
) -> None:
    """The browser is led to a page that can be opened again, in the language that it had."""
    answer = await browser.post(f"{checkout}/pay?lang={language}")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{httpx.URL(checkout).path}?lang={language}"
    assert answer.headers["cache-control"] == "no-store"
    page = await browser.get(answer.headers["location"])
    assert page.status_code == 200
    for shown in ("79001", "GAME-0302-KEY", "GAME-0303-KEY", "Ahmed Ali", "https://myapp.com/"):
        assert shown in page.text
    assert "GAME-0304-KEY" not in page.text
    assert "<form" not in page.text


async def test_paying_twice_orders_once(
    browser: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver, checkout: str
) -> None:
    """A second payment leads to the same receipt, and nothing is taken or sent again."""
    sandbox.add_webhook("http://127.0.0.1/hooks", app=receiver)
    first = await browser.post(f"{checkout}/pay")
    second = await browser.post(f"{checkout}/pay")
    await sandbox.delivered()
    assert first.headers["location"] == second.headers["location"]
    assert max(sandbox.state.orders) == 79001
    assert [payload["event"] for payload in receiver.reported] == [
        "subscription.created",
        "order.created",
    ]


async def test_cancel_leads_to_the_shop_and_pay_stays_possible(
    browser: httpx.AsyncClient, sandbox: Sandbox, checkout: str
) -> None:
    """Cancel orders nothing, and leaves the page open."""
    answer = await browser.post(f"{checkout}/cancel")
    assert (answer.status_code, answer.headers["location"]) == (303, "https://myapp.com/")
    assert max(sandbox.state.orders) == 78944
    assert "Your order" in (await browser.get(checkout)).text


async def test_who_comes_too_late_pays_nothing(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox, basket: dict[str, Any]
) -> None:
    """A checkout reserves no stock: the second payment for the last piece is refused."""
    basket["products"][0] |= {"identifier": 110, "quantity": 1}
    first, second = [
        (await api.post("/orders", json=basket | {"created_from": shop})).json()["data"]
        for shop in ("one.example", "two.example")
    ]
    await browser.post(first["checkout_url"] + "/pay")
    answer = await browser.post(second["checkout_url"] + "/pay")
    assert answer.status_code == 409
    assert "This is sold out" in answer.text
    assert 'href="https://two.example/"' in answer.text
    assert max(sandbox.state.orders) == 79001


async def test_unknown_customer_is_asked_for(
    browser: httpx.AsyncClient, sandbox: Sandbox, unnamed: str
) -> None:
    """The page has the fields, and what is typed there makes or finds the customer."""
    page = (await browser.get(unnamed)).text
    for name in FORM:
        assert f'name="{name}"' in page
    for code in ("966", "973", "971", "974", "968", "965"):
        assert f'value="{code}"' in page
    answer = await browser.post(f"{unnamed}/pay", data=FORM)
    assert answer.status_code == 303
    assert sandbox.state.orders[79001].customer_id == 4504
    assert sandbox.state.customers[4504].email == "sara@example.com"
    assert "Sara Omar" in (await browser.get(unnamed)).text


async def test_wrong_form_is_shown_again(
    browser: httpx.AsyncClient, sandbox: Sandbox, unnamed: str
) -> None:
    """The typed values are still there, the wrong ones are marked, and nothing is ordered."""
    form = FORM | {"phone": "abc", "firstName": "<Sara>", "email": ""}
    answer = await browser.post(f"{unnamed}/pay", data=form)
    assert answer.status_code == 422
    assert "Please check the marked fields." in answer.text
    assert answer.text.count('aria-invalid="true"') == 2
    assert 'value="&lt;Sara&gt;"' in answer.text
    assert '<option value="965" selected>' in answer.text
    # The address of the form itself cannot be got.
    assert f'href="{httpx.URL(unnamed).path}?lang=ar"' in answer.text
    assert len(sandbox.state.customers) == 3
    assert max(sandbox.state.orders) == 78944


@pytest.mark.parametrize("body", [b"", b"\xff\xfe=%ff", b"country_code=1&phone=5"])
async def test_no_form_is_a_wrong_form(
    browser: httpx.AsyncClient, unnamed: str, body: bytes
) -> None:
    """The page is shown again after any form."""
    assert (await browser.post(f"{unnamed}/pay", content=body)).status_code == 422


@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("POST", "/pay"), ("POST", "/cancel")])
async def test_made_up_page_is_404(browser: httpx.AsyncClient, method: str, tail: str) -> None:
    """A key that was never dealt out leads nowhere, whatever is done with it."""
    answer = await browser.request(method, f"/order-checkout/made-up{tail}")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


def card(number: str) -> dict[str, str]:
    """A form with a card."""
    return {"card_number": number, "card_expiry": "12/34", "card_code": "123"}


async def test_each_test_card_is_listed_and_typed_into_the_same_form_as_a_sessions(
    browser: httpx.AsyncClient, checkout: str
) -> None:
    """Both pages read the same fields."""
    page = (await browser.get(checkout)).text
    for test_card in TEST_CARDS:
        number = test_card.number
        assert f"{number[:4]} {number[4:8]} {number[8:12]} {number[12:]}" in page
    assert 'name="card_number"' in page


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("4000000000000002", "The bank declined the payment."),
        ("4000000000000069", "This card has expired."),
        ("4000000000000119", "The bank declined the payment."),
    ],
)
async def test_a_declined_card_orders_nothing_and_another_pays(
    browser: httpx.AsyncClient, sandbox: Sandbox, checkout: str, number: str, said: str
) -> None:
    """The page stays open, and says why."""
    answer = await browser.post(f"{checkout}/pay", data=card(number))
    assert answer.status_code == 422
    assert said in answer.text
    assert sandbox.ledger.of("hosted.pay") == ()
    assert (await browser.post(f"{checkout}/pay", data=card("4242424242424242"))).is_redirect
    assert len(sandbox.ledger.of("hosted.pay")) == 1


async def test_a_card_that_needs_a_second_attempt_pays_at_it(
    browser: httpx.AsyncClient, sandbox: Sandbox, checkout: str
) -> None:
    """The page remembers the first."""
    form = card("4000000000000119")
    statuses = [(await browser.post(f"{checkout}/pay", data=form)).status_code for _ in range(3)]
    assert statuses == [422, 303, 303]
    assert len(sandbox.ledger.of("hosted.pay")) == 1


async def test_the_bank_asks_before_it_pays(
    browser: httpx.AsyncClient, sandbox: Sandbox, checkout: str
) -> None:
    """Refused, nothing is ordered; approved, once; and the bank's page then leads back."""
    confirm = f"{checkout}/confirm"
    back = {(await browser.get(confirm)).status_code for _ in range(2)}
    assert back == {303}
    form = card("4000000000003220")
    answer = await browser.post(f"{checkout}/pay", data=form)
    assert answer.headers["location"].startswith(httpx.URL(confirm).path)
    assert "waits for your approval" in (await browser.get(confirm)).text
    answer = await browser.post(confirm, data={"answer": "refuse"})
    assert (answer.status_code, sandbox.ledger) == (422, sandbox.ledger[:1])
    await browser.post(f"{checkout}/pay", data=form)
    for _ in range(2):
        assert (await browser.post(confirm, data={"answer": "approve"})).status_code == 303
    assert len(sandbox.ledger.of("hosted.pay")) == 1
    assert "Your order" not in (await browser.get(checkout)).text


async def test_the_card_of_an_order_pays_for_the_renewals_of_its_plan(
    browser: httpx.AsyncClient, sandbox: Sandbox, checkout: str
) -> None:
    """A card that fails at renewals does so here too."""
    sandbox.state.subscriptions.clear()
    await browser.post(f"{checkout}/pay", data=card("4000000000000341"))
    (subscription,) = sandbox.state.subscriptions.values()
    assert subscription.card is not None
    assert subscription.card.last_four == "0341"
    await sandbox.clock.advance(days=400)
    assert subscription.status == "expired"
    assert sandbox.ledger.renewals(subscription.id) == ()


async def test_a_wrong_card_loses_nothing_that_was_typed(
    browser: httpx.AsyncClient, sandbox: Sandbox, unnamed: str
) -> None:
    """A card that cannot be read makes no customer."""
    answer = await browser.post(f"{unnamed}/pay", data=FORM | card("1234"))
    assert answer.status_code == 422
    assert answer.text.count("Please check the marked fields.") == 1
    assert answer.text.count('aria-invalid="true"') == 1
    assert 'value="Sara"' in answer.text
    assert len(sandbox.state.customers) == 3
    answer = await browser.post(f"{unnamed}/pay", data=FORM | card("1234") | {"email": ""})
    assert answer.text.count("Please check the marked fields.") == 1
    assert answer.text.count('aria-invalid="true"') == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_made_up_bank_page_is_404(browser: httpx.AsyncClient, method: str) -> None:
    """As every page whose key was never dealt out."""
    answer = await browser.request(method, "/order-checkout/made-up/confirm")
    assert answer.status_code == 404
