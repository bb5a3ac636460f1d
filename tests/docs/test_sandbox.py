"""The examples and the tables of "Sandbox"."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import trio

import rmz_async
from rmz_async.sandbox import Sandbox
from tests.docs.pages import ROOT, Page, prose_of

PAGE = "docs/sandbox.md"
TESTS = re.findall(r"(?m)^async def (test_\w+)\(\)", (ROOT / PAGE).read_text(encoding="utf-8"))


def rows(first: str) -> Iterator[list[str]]:
    """Give the rows of the table whose first heading is *first*."""
    inside = False
    for _, line in prose_of(PAGE):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if inside and line.startswith("| ") and cells[0] != "---":
            yield cells
        inside = line.startswith("|") and (inside or cells[0] == first)


@pytest.mark.parametrize("name", TESTS)
def test_a_test_of_the_page_passes(page: Page, name: str) -> None:
    page.run()

    page.wait(page[name]())


def test_the_sandbox_in_process_works_on_trio(page: Page) -> None:
    page.run("In process")

    trio.run(page["test_a_paused_customer_is_locked_out"])


def test_the_payment_leads_where_the_page_shows(page: Page) -> None:
    page.run()

    assert "https://app.example/welcome?rmz-subscription-id=534" in page.printed


def test_the_table_of_subscriptions_is_the_store(page: Page) -> None:
    subscriptions = Sandbox().state.subscriptions
    named = [row for row in rows("Subscription") if row[0].isdecimal()]

    assert len(named) == 7
    for number, state, user in named:
        one = subscriptions[int(number)]
        assert one.status.replace("_", " ") in state
        assert f"`{one.external_customer_id}`" == user
    assert max(subscriptions) == 533


def test_the_table_of_orders_is_the_store() -> None:
    orders = Sandbox().state.orders
    text = " ".join(" ".join(row) for row in rows("Order"))

    assert f"{min(orders)} to" in text
    assert str(max(orders)) in text
    for number, word in (
        (78901, "completed"),
        (78938, "refunded"),
        (78939, "cancelled"),
        (78941, "in progress"),
        (78942, "under review"),
        (78944, "awaiting payment"),
    ):
        assert orders[number].status.name.lower().replace("_", " ") == word
        assert word in text
    assert orders[78935].total == 0


def test_the_table_of_products_is_the_store() -> None:
    products = Sandbox().state.products
    text = " ".join(row[0] for row in rows("Product"))

    assert {int(number): slug for number, slug in re.findall(r"(\d{3}) `([\w-]+)`", text)} == {
        number: product.slug for number, product in products.items()
    }


def test_the_page_names_every_coupon() -> None:
    text = " ".join(line for _, line in prose_of(PAGE))

    coupons = [coupon.code for coupon in Sandbox().state.coupons.values()]

    assert [code for code in coupons if f"`{code}`" not in text] == []


def test_what_the_page_says_is_refused_is_refused(page: Page) -> None:
    free = rmz_async.OrderLine(product="free-ebook")

    async def try_all() -> None:
        async with Sandbox() as sandbox, sandbox.client() as rmz:
            for attempt in (
                rmz.orders.create(created_from="app.example", products=[free]),
                rmz.orders.update(78939, status=4),
                rmz.orders.update(78938, status=5),
                rmz.orders.update(78943, status=4),
                rmz.orders.update(78944, status=6),
            ):
                with pytest.raises(rmz_async.BadRequestError):
                    await attempt
            assert not sandbox.ledger

    page.wait(try_all())
