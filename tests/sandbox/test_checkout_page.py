from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from rmz_async.sandbox import Card, Duration, Sandbox
from rmz_async.sandbox.hosted.checkout import with_subscription_id
from rmz_async.sandbox.hosted.languages import ARABIC, ENGLISH

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def checkout(api: httpx.AsyncClient, order: dict[str, Any]) -> str:
    """The address of a page that waits for its customer."""
    order |= {"metadata": {"plan": "pro"}, "external_customer_id": "usr_new"}
    answer = await api.post("/subscriptions/checkout-sessions", json=order)
    return str(answer.json()["data"]["checkout_url"])


async def test_page_shows_what_is_bought(browser: httpx.AsyncClient, checkout: str) -> None:
    """Product, price, period and customer are on the page, and both decisions."""
    page = await browser.get(checkout)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for shown in ("Pro Plan", "SAR\u00a0199.99", "every year", "Sara Omar", "sara@example.com"):
        assert shown in page.text
    assert "+965 99887766" in page.text
    assert 'data-seconds-left="420">12:07\u202fPM UTC<' in page.text
    assert "Renews by itself on June 1, 2026" in page.text
    path = httpx.URL(checkout).path
    assert f'action="{path}/pay?lang=en"' in page.text
    assert f'action="{path}/cancel?lang=en"' in page.text


async def test_page_is_not_kept_nor_framed(browser: httpx.AsyncClient, checkout: str) -> None:
    """No cache keeps the page, no frame holds it, and it loads from this server alone."""
    page = await browser.get(checkout)
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["content-security-policy"].startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    # The directive would stop the redirect to the shop after the form.
    assert "form-action" not in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("query", "cookie", "language"),
    [
        ("?lang=ar", "en", "ar"),
        ("?lang=en", "ar", "en"),
        ("?lang=fr", "en", "ar"),
        ("", "ar", "ar"),
        ("", "en", "en"),
        ("", "tlh", "ar"),
        ("", "", "ar"),
    ],
)
async def test_a_page_is_arabic_unless_english_was_chosen(
    browser: httpx.AsyncClient, checkout: str, query: str, cookie: str, language: str
) -> None:
    """The query decides before the cookie; Arabic runs from right to left."""
    browser.cookies.clear()
    browser.cookies.set("rmz-language", cookie)
    page = await browser.get(checkout + query)
    direction = {"ar": "rtl", "en": "ltr"}[language]
    assert f'<html lang="{language}" dir="{direction}">' in page.text


async def test_a_choice_of_language_holds_for_the_next_page(
    browser: httpx.AsyncClient, checkout: str
) -> None:
    """The switch is needed once."""
    await browser.get(f"{checkout}?lang=ar")
    await browser.get(f"{checkout}?lang=en")
    assert '<html lang="en"' in (await browser.get(checkout)).text


async def test_arabic_page_has_arabic_labels(browser: httpx.AsyncClient, checkout: str) -> None:
    """Price, period and buttons are Arabic."""
    page = await browser.get(f"{checkout}?lang=ar")
    assert "١٩٩٫٩٩\u00a0ر.س" in page.text
    assert "كل سنة" in page.text
    assert "ادفع" in page.text


@pytest.mark.parametrize(
    ("duration", "english", "arabic"),
    [
        (Duration.MONTHLY, "every month", "كل شهر"),
        (Duration.QUARTERLY, "every 3 months", "كل ٣ أشهر"),
        (Duration.SEMI_ANNUAL, "every 6 months", "كل ٦ أشهر"),
        (Duration.ANNUALLY, "every year", "كل سنة"),
        (Duration.BIENNIAL, "every 2 years", "كل سنتين"),
        (Duration.QUINQUENNIAL, "every 5 years", "كل ٥ سنوات"),
        (Duration.DECENNIAL, "every 10 years", "كل ١٠ سنوات"),
    ],
)
async def test_a_duration_reads_as_people_say_it(
    duration: Duration, english: str, arabic: str
) -> None:
    """Arabic has a dual, and words of its own for few and for many."""
    assert ENGLISH.every(duration) == english
    assert ARABIC.every(duration) == arabic


async def test_names_cannot_bring_markup(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, order: dict[str, Any]
) -> None:
    """A customer's name is shown as plain text."""
    order["customer"]["firstName"] = "<script>alert(1)</script>"
    answer = await api.post("/subscriptions/checkout-sessions", json=order)
    page = await browser.get(answer.json()["data"]["checkout_url"])
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text


async def test_paying_makes_the_subscription(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox, checkout: str
) -> None:
    """Pay leads to success_url with the id of an active subscription as it was ordered."""
    answer = await browser.post(f"{checkout}/pay")
    assert answer.status_code == 303
    assert answer.headers["location"] == "https://app.example/ok?rmz-subscription-id=534"
    data = (await api.get("/subscriptions/534")).json()["data"]
    assert data["status"] == "active"
    assert data["external_customer_id"] == "usr_new"
    assert data["metadata"] == {"plan": "pro"}
    assert data["product"]["id"] == 102
    assert data["variant"]["id"] == 15
    assert data["price"]["amount"] == 199.99
    assert data["order_id"] == 79001
    assert data["current_period_start"] == "2025-06-01T12:00:00.000000Z"
    assert data["current_period_end"] == "2026-06-01T12:00:00.000000Z"
    assert data["auto_renew"] is True
    assert sandbox.state.subscriptions[534].customer_id == 4504


async def test_paying_twice_subscribes_once(
    browser: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock, checkout: str
) -> None:
    """A second payment, even a late one, leads to the subscription of the first."""
    first = await browser.post(f"{checkout}/pay")
    clock.advance(minutes=8)
    second = await browser.post(f"{checkout}/pay")
    assert first.headers["location"] == second.headers["location"]
    assert max(sandbox.state.subscriptions) == 534


async def test_paid_page_leads_on(browser: httpx.AsyncClient, checkout: str) -> None:
    """A visitor who opens the page after paying is led to the shop, and cannot cancel any more."""
    await browser.post(f"{checkout}/pay")
    page = await browser.get(checkout)
    assert "This is paid already" in page.text
    assert 'href="https://app.example/ok?rmz-subscription-id=534"' in page.text
    canceled = await browser.post(f"{checkout}/cancel")
    assert canceled.headers["location"].endswith("?rmz-subscription-id=534")


async def test_cancel_leads_back_and_pay_stays_possible(
    browser: httpx.AsyncClient, sandbox: Sandbox, checkout: str
) -> None:
    """Cancel subscribes to nothing, and leaves the page open."""
    answer = await browser.post(f"{checkout}/cancel")
    assert (answer.status_code, answer.headers["location"]) == (303, "https://app.example/no")
    assert max(sandbox.state.subscriptions) == 533
    assert (await browser.get(checkout)).status_code == 200


async def test_page_expires(
    browser: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock, checkout: str
) -> None:
    """After seven minutes neither the page nor the payment is there, but the way back is."""
    clock.advance(minutes=6, seconds=59)
    assert (await browser.get(checkout)).status_code == 200
    clock.advance(seconds=1)
    page = await browser.get(checkout)
    assert page.status_code == 410
    assert "This page has expired" in page.text
    assert 'href="https://app.example/no"' in page.text
    assert (await browser.post(f"{checkout}/pay")).status_code == 410
    assert max(sandbox.state.subscriptions) == 533
    assert (await browser.post(f"{checkout}/cancel")).status_code == 303


@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("POST", "/pay"), ("POST", "/cancel")])
async def test_made_up_page_is_404(browser: httpx.AsyncClient, method: str, tail: str) -> None:
    """A key that was never dealt out leads nowhere, whatever is done with it."""
    answer = await browser.request(method, f"/checkout/made-up{tail}")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/ok", "https://a.example/ok?rmz-subscription-id=7"),
        ("https://a.example", "https://a.example?rmz-subscription-id=7"),
        ("https://a.example/ok?x=1", "https://a.example/ok?x=1&rmz-subscription-id=7"),
        ("https://a.example/ok#top", "https://a.example/ok?rmz-subscription-id=7#top"),
        (
            "https://a.example/ok?x=%26&y#/a?b",
            "https://a.example/ok?x=%26&y&rmz-subscription-id=7#/a?b",
        ),
        ("https://a.example/ok?", "https://a.example/ok?rmz-subscription-id=7"),
    ],
)
async def test_id_goes_into_the_query(url: str, expected: str) -> None:
    """The id joins a query that is there, and stays before a fragment."""
    assert with_subscription_id(url, 7) == expected


def typed(number: str, **fields: str) -> dict[str, str]:
    """A filled-in card form."""
    return {"card_number": number, "card_expiry": "12/34", "card_code": "123"} | fields


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        (typed("4242 4242 4242 4241"), ["card_number"]),
        (typed("4242 4242 4242 4242", card_expiry="05/25"), ["card_expiry"]),
        (typed("4242 4242 4242 4242", card_expiry="13/30"), ["card_expiry"]),
        (typed("4242 4242 4242 4242", card_expiry="1/3"), ["card_expiry"]),
        (typed("4242 4242 4242 4242", card_code="12"), ["card_code"]),
        ({"card_number": ""}, ["card_number", "card_expiry", "card_code"]),
    ],
)
async def test_a_wrong_field_is_marked_and_nothing_is_charged(
    browser: httpx.AsyncClient,
    sandbox: Sandbox,
    checkout: str,
    form: dict[str, str],
    wrong: list[str],
) -> None:
    """The page comes back with the field marked."""
    page = await browser.post(f"{checkout}/pay", data=form)

    assert page.status_code == 422
    assert "Please check the marked fields." in page.text
    for name in ("card_number", "card_expiry", "card_code"):
        field = page.text.split(f'name="{name}"')[1].split(">")[0]
        assert ("aria-invalid" in field) == (name in wrong)
    assert max(sandbox.state.subscriptions) == 533


@pytest.mark.parametrize(
    "number", ["4242424242424242", "٤٢٤٢ ٤٢٤٢ ٤٢٤٢ ٤٢٤٢", "4242-4242-4242-4242"]
)
async def test_a_card_number_may_be_typed_as_people_write_it(
    browser: httpx.AsyncClient, sandbox: Sandbox, checkout: str, number: str
) -> None:
    """Blanks, hyphens and Arabic-Indic digits are understood."""
    answer = await browser.post(f"{checkout}/pay", data=typed(number, card_expiry="06/25"))

    assert answer.status_code == 303
    assert sandbox.state.subscriptions[534].card == Card(last_four="4242", scheme="visa")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("4000000000000002", "The bank declined the payment."),
        ("4000000000000069", "This card has expired."),
    ],
)
async def test_a_card_that_cannot_pay_leaves_the_page_open(
    browser: httpx.AsyncClient, sandbox: Sandbox, checkout: str, number: str, said: str
) -> None:
    """Nothing is charged, after any number of attempts, and another card pays."""
    for _ in range(2):
        page = await browser.post(f"{checkout}/pay", data=typed(number))
        assert page.status_code == 422
        assert said in page.text
    assert max(sandbox.state.subscriptions) == 533

    assert (await browser.post(f"{checkout}/pay", data=typed("5555555555554444"))).is_redirect
    assert sandbox.state.subscriptions[534].card == Card(last_four="4444", scheme="mastercard")


async def test_a_card_may_need_a_second_attempt(
    browser: httpx.AsyncClient, sandbox: Sandbox, checkout: str
) -> None:
    """The first attempt is declined, and the same card pays at the second."""
    form = typed("4000000000000119")
    assert (await browser.post(f"{checkout}/pay", data=form)).status_code == 422
    assert (await browser.post(f"{checkout}/pay", data=form)).is_redirect
    assert max(sandbox.state.subscriptions) == 534


async def test_a_payment_that_needs_approval_is_made_once_it_is_approved(
    browser: httpx.AsyncClient, sandbox: Sandbox, checkout: str
) -> None:
    """The bank's page names the sum and the shop, and leads on to the shop."""
    answer = await browser.post(f"{checkout}/pay", data=typed("4000000000003220"))
    bank = f"{checkout}/confirm"
    assert answer.headers["location"] == httpx.URL(bank).path
    page = await browser.get(bank)
    assert "A payment of SAR\u00a0199.99 to متجري waits for your approval." in page.text
    assert max(sandbox.state.subscriptions) == 533

    answer = await browser.post(bank, data={"answer": "approve"})
    assert answer.headers["location"] == "https://app.example/ok?rmz-subscription-id=534"
    again = await browser.post(bank, data={"answer": "approve"})
    assert again.headers["location"] == answer.headers["location"]
    assert max(sandbox.state.subscriptions) == 534


async def test_a_payment_that_is_not_approved_is_declined(
    browser: httpx.AsyncClient, sandbox: Sandbox, checkout: str
) -> None:
    """A refusal cannot be turned into an approval afterwards."""
    bank = f"{checkout}/confirm"
    assert (await browser.get(bank)).headers["location"] == httpx.URL(checkout).path
    await browser.post(f"{checkout}/pay", data=typed("4000000000003220"))
    page = await browser.post(bank, data={"answer": "refuse"})
    assert page.status_code == 422
    assert "The bank declined the payment." in page.text

    late = await browser.post(bank, data={"answer": "approve"})
    assert late.headers["location"] == httpx.URL(checkout).path
    assert max(sandbox.state.subscriptions) == 533


async def test_the_bank_approves_nothing_for_a_page_that_has_expired(
    browser: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock, checkout: str
) -> None:
    """Seven minutes are seven minutes, at the bank too."""
    await browser.post(f"{checkout}/pay", data=typed("4000000000003220"))
    clock.advance(minutes=7)
    assert (await browser.get(f"{checkout}/confirm")).status_code == 410
    answer = await browser.post(f"{checkout}/confirm", data={"answer": "approve"})
    assert answer.status_code == 410
    assert max(sandbox.state.subscriptions) == 533


async def test_a_trial_shows_that_nothing_is_due_today_and_when_the_card_is_charged(
    browser: httpx.AsyncClient, sandbox: Sandbox, checkout: str
) -> None:
    """The button does not say that it charges anything."""
    sandbox.state.products[102].trial_days = 14
    page = await browser.get(checkout)
    assert "SAR\u00a00.00" in page.text
    assert "14 days" in page.text
    assert "The trial ends on June 15, 2025. Your card is charged SAR\u00a0199.99" in page.text
    assert "Start the trial" in page.text

    await browser.post(f"{checkout}/pay", data=typed("4242424242424242"))
    assert sandbox.state.subscriptions[534].status == "trialing"
