from __future__ import annotations

from playwright.sync_api import Page, expect

from rmz_async.sandbox import Served
from tests.browser.conftest import Camera, Screen


def pay_with(page: Page, number: str) -> None:
    """Type a card and press the button."""
    page.locator("[name=card_number]").fill(number)
    page.locator("[name=card_expiry]").fill("12/34")
    page.locator("[name=card_code]").fill("123")
    page.locator("form button").first.click()


def test_a_customer_buys(page: Page, checkout: str, camera: Camera, screen: Screen) -> None:
    """The page runs in the reader's direction, and paying leads to the shop with the id."""
    page.goto(checkout)
    expect(page.locator("html")).to_have_attribute("lang", screen.language)
    expect(page.locator("html")).to_have_attribute(
        "dir", "rtl" if screen.language == "ar" else "ltr"
    )
    camera.look(page, "checkout")
    pay_with(page, "4242 4242 4242 4242")
    page.wait_for_url("https://app.example/ok?rmz-subscription-id=534")

    page.goto(checkout)
    camera.look(page, "checkout-paid")


def test_the_time_that_is_left_counts_down(page: Page, checkout: str) -> None:
    """The script shows minutes and seconds in the reader's digits."""
    page.clock.install()
    page.goto(checkout)
    timer = page.locator("[data-seconds-left]")
    before = timer.inner_text()
    page.clock.run_for(2_000)
    assert timer.inner_text() != before


def test_a_declined_card_says_so_and_another_one_pays(
    page: Page, checkout: str, camera: Camera
) -> None:
    """The page stays open after a decline."""
    page.goto(checkout)
    pay_with(page, "4000 0000 0000 0002")
    expect(page.get_by_role("alert")).to_be_visible()
    camera.look(page, "checkout-declined")
    pay_with(page, "5555 5555 5555 4444")
    page.wait_for_url("https://app.example/ok?rmz-subscription-id=534")


def test_the_test_cards_are_listed_on_the_page(page: Page, checkout: str, camera: Camera) -> None:
    """A developer needs no documentation to be declined."""
    page.goto(checkout)
    page.locator("summary").click()
    expect(page.get_by_text("4000 0000 0000 0002")).to_be_visible()
    camera.look(page, "checkout-test-cards")


def test_a_customer_approves_at_the_bank(page: Page, checkout: str, camera: Camera) -> None:
    """A 3-D Secure card asks before it pays."""
    page.goto(checkout)
    pay_with(page, "4000 0000 0000 3220")
    page.wait_for_url("**/confirm")
    camera.look(page, "checkout-bank")
    page.locator("form button").first.click()
    page.wait_for_url("https://app.example/ok?rmz-subscription-id=534")


def test_a_page_that_was_left_open_too_long_says_so(
    page: Page, checkout: str, shop: Served, camera: Camera
) -> None:
    """The customer reads why, and finds the way back to the shop."""
    page.goto(checkout)
    shop.advance(minutes=8)
    pay_with(page, "4242 4242 4242 4242")
    expect(page.locator("[name=card_number]")).to_have_count(0)
    camera.look(page, "checkout-expired")
    page.locator("a.button").click()
    page.wait_for_url("https://app.example/no")


def test_a_customer_cancels(page: Page, checkout: str) -> None:
    """The quiet button leads back to the shop, and nothing is bought."""
    page.goto(checkout)
    page.locator("button.quiet").click()
    page.wait_for_url("https://app.example/no")


def test_the_switch_changes_the_language(page: Page, checkout: str, screen: Screen) -> None:
    """The link names the other language in its own script."""
    page.goto(checkout)
    page.get_by_role("link", name="English" if screen.language == "ar" else "العربية").click()
    expect(page.locator("html")).to_have_attribute(
        "lang", "en" if screen.language == "ar" else "ar"
    )
