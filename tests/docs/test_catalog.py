"""The functions of "Catalogue"."""

from __future__ import annotations

from pathlib import Path

import rmz_async
from tests.docs.pages import Page

PAGE = "docs/catalog.md"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


def test_the_plans_are_printed_as_the_page_shows_them(page: Page) -> None:
    page.run()

    async def show() -> None:
        async with rmz_async.Client() as rmz:
            await page["plans"](rmz)

    page.wait(show())
    assert page.printed[:2] == ["Pro Plan 14 monthly 19.99", "Pro Plan 15 annually 199.99"]


def test_an_offer_shows_no_code(page: Page) -> None:
    page.run()

    async def show() -> None:
        async with rmz_async.Client() as rmz:
            product = await rmz.products.get(101)
            offer = await page["offer"](rmz, 101)
            assert (offer["name"], offer["can_be_bought"]) == ("Game Key", True)
            assert product.codes
            secret = product.codes[0].code
            assert secret
            assert secret not in f"{offer} {product!r}"

    page.wait(show())


def test_a_product_that_was_bought_as_often_as_allowed_is_sold_out(page: Page) -> None:
    page.run()
    bought = rmz_async.from_dict(
        rmz_async.Product,
        {"id": 1, "status": 1, "max_purchase_count": 3, "purchase_count": 3, "current_stock": 9},
    )

    assert page["is_sold_out"](bought)


def test_the_shelves_and_the_summary_are_those_of_the_store(page: Page) -> None:
    page.run()
    complete = [
        order for order in page.sandbox.state.orders.values() if order.status.name == "COMPLETED"
    ]

    async def show() -> None:
        async with rmz_async.Client() as rmz:
            assert await page["shelves"](rmz)
            assert (await page["summary"](rmz)).endswith(f" from {len(complete)} orders")

    page.wait(show())


def test_new_codes_are_added_to_the_stock_of_a_new_product(page: Page, tmp_path: Path) -> None:
    page.run()
    picture = tmp_path / "tea.png"
    picture.write_bytes(PNG)

    async def sell() -> None:
        async with rmz_async.Client() as rmz:
            number = await page["sell_tea_cards"](rmz, picture, ["TEA-1", "TEA-2"])
            await page["restock"](rmz, number, ["TEA-3"])
            product = await rmz.products.get(number)
            assert product.image
            assert {one.code for one in product.codes or ()} == {"TEA-1", "TEA-2", "TEA-3"}

    page.wait(sell())
