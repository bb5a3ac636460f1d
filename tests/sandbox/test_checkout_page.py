from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from rmz_async.sandbox import Duration, Sandbox
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
    # It would stop the redirect to the shop after the form.
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
    """What a customer is called is text."""
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
    """Who opens the page again after paying is led to the shop, and cannot cancel any more."""
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
