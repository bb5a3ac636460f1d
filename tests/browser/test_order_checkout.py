from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page, expect

from rmz_async.sandbox import Served
from tests.browser.conftest import Camera


@pytest.fixture
def order_page(shop: Served) -> str:
    """The address of an order's page whose customer nobody knows yet."""
    answer = httpx.post(
        f"{shop.base_url}/orders",
        headers={"Authorization": f"Bearer {shop.token}"},
        json={
            "created_from": "app.example",
            "products": [
                {"identifier_type": "id", "identifier": 101, "quantity": 2},
                {
                    "identifier_type": "id",
                    "identifier": 102,
                    "quantity": 1,
                    "subscription_plan": 15,
                },
            ],
            "coupon_code": "SAVE10",
        },
        trust_env=False,
    )
    return str(answer.json()["data"]["checkout_url"])


def pay_with(page: Page, number: str) -> None:
    """Type a card and press the button."""
    page.locator("[name=card_number]").fill(number)
    page.locator("[name=card_expiry]").fill("12/34")
    page.locator("[name=card_code]").fill("123")
    page.locator("form button").first.click()


def test_a_new_customer_pays_for_an_order(page: Page, order_page: str, camera: Camera) -> None:
    """A card is declined, the bank asks about the next, and the page becomes the receipt."""
    page.goto(order_page)
    for name, typed in (
        ("firstName", "سارة"),
        ("lastName", "عمر"),
        ("email", "sara@example.com"),
        ("phone", "99887766"),
    ):
        page.locator(f"[name={name}]").fill(typed)
    camera.look(page, "order")
    pay_with(page, "4000 0000 0000 0002")
    expect(page.get_by_role("alert")).to_be_visible()
    camera.look(page, "order-declined")
    pay_with(page, "4000 0000 0000 3220")
    page.wait_for_url("**/confirm**")
    camera.look(page, "order-bank")
    page.locator("form button").first.click()
    expect(page.locator("code").first).to_be_visible()
    camera.look(page, "order-receipt")
