from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page, expect

from rmz_async.sandbox import Served
from tests.browser.conftest import Camera


def read_code(shop: Served) -> str:
    """Read the newest code from the message log."""
    rows = httpx.get(httpx.URL(shop.base_url).join("/messages.json"), trust_env=False).json()
    return str(rows[0]["text"].split()[1])


@pytest.fixture
def portal(page: Page, shop: Served, camera: Camera) -> Page:
    """The portal of customer 4501, entered as a customer enters it."""
    answer = httpx.post(
        f"{shop.base_url}/portal-sessions",
        headers={"Authorization": f"Bearer {shop.token}"},
        json={"customer": {"id": 4501}, "return_url": "https://app.example/account"},
        trust_env=False,
    )
    page.goto(answer.json()["data"]["url"])
    camera.look(page, "portal-entrance")
    page.locator("form button").click()
    page.locator("[name=code]").fill("000000")
    camera.look(page, "portal-code")
    page.locator("[name=code]").fill(read_code(shop))
    page.locator("form button").click()
    page.wait_for_url("**/portal")
    return page


def test_a_customer_cancels_and_resumes(portal: Page, camera: Camera) -> None:
    """Every step is on the page of the subscription."""
    camera.look(portal, "portal")
    portal.locator("a[href='/portal/subscriptions/501']").click()
    camera.look(portal, "portal-subscription")
    portal.locator("summary").click()
    portal.locator("form:has([value=end_of_period]) button").click()
    expect(portal.locator("form[action$=resume]")).to_be_visible()
    camera.look(portal, "portal-canceled")
    portal.locator("form[action$=resume] button").click()
    expect(portal.locator("form[action$=resume]")).to_have_count(0)


def test_a_customer_cancels_immediately(portal: Page, camera: Camera) -> None:
    """The way that loses access is behind a summary, and can be undone while the period lasts."""
    portal.goto(portal.url + "/subscriptions/501")
    portal.locator("summary").click()
    camera.look(portal, "portal-cancel")
    portal.locator("button.danger").click()
    expect(portal.locator(".status.canceled")).to_be_visible()
    camera.look(portal, "portal-canceled-now")


def test_five_wrong_codes_lock_the_visit(page: Page, shop: Served, camera: Camera) -> None:
    """The page says each time what is left to do."""
    answer = httpx.post(
        f"{shop.base_url}/portal-sessions",
        headers={"Authorization": f"Bearer {shop.token}"},
        json={"customer": {"id": 4501}, "return_url": "https://app.example/account"},
        trust_env=False,
    )
    page.goto(answer.json()["data"]["url"])
    page.locator("form button").click()
    wrong = "000000" if read_code(shop) != "000000" else "111111"
    for attempt in range(5):
        page.locator("[name=code]").fill(wrong)
        page.locator("form button").click()
        if attempt == 0:
            expect(page.get_by_role("alert")).to_be_visible()
            camera.look(page, "portal-wrong-code")
    expect(page.locator("[name=code]")).to_have_count(0)
    camera.look(page, "portal-locked")


def test_a_customer_changes_the_plan(portal: Page, camera: Camera) -> None:
    """The cost is shown before it is confirmed."""
    portal.goto(portal.url + "/subscriptions/501")
    portal.locator("a[href*='/plan/']").first.click()
    camera.look(portal, "portal-plan")
    portal.locator("form button").click()
    portal.wait_for_url("**/portal/subscriptions/501")


def test_a_customer_changes_the_card(portal: Page, camera: Camera) -> None:
    """The new card is on the page afterwards."""
    portal.goto(portal.url + "/subscriptions/501/card")
    camera.look(portal, "portal-card")
    portal.locator("[name=card_number]").fill("5555 5555 5555 4444")
    portal.locator("[name=card_expiry]").fill("12/34")
    portal.locator("[name=card_code]").fill("123")
    portal.locator("form button").click()
    expect(portal.get_by_text("4444")).to_be_visible()


def test_a_customer_reads_an_invoice_and_leaves(portal: Page, camera: Camera) -> None:
    """The way out leads to the shop."""
    home = portal.url
    portal.goto(home + "/subscriptions/501")
    portal.locator("a[href*='/invoices/']").first.click()
    camera.look(portal, "portal-invoice")
    portal.goto(home)
    portal.locator("form[action$=leave] button").click()
    portal.wait_for_url("https://app.example/account")


def test_the_message_log_has_the_code(portal: Page, shop: Served, camera: Camera) -> None:
    """A developer has no phone of the customer's."""
    code = read_code(shop)
    portal.goto(portal.url.removesuffix("/portal") + "/messages")
    expect(portal.get_by_text(code)).to_be_visible()
    camera.look(portal, "messages")
