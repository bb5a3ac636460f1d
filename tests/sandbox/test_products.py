from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from rmz_async.sandbox import Product, Sandbox

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock

pytestmark = pytest.mark.anyio

COMPUTED = (
    "actual_price",
    "current_stock",
    "is_new",
    "is_discounted",
    "is_discount_expired",
    "show_discount_countdown",
    "show_discount_savings",
    "discount_savings_amount",
)


async def test_get_sends_the_documented_product(api: httpx.AsyncClient) -> None:
    """A product has every documented key, in the documented order and forms."""
    answer = await api.get("/products/101")
    data = answer.json()["data"]
    codes = data["codes"]
    assert list(data.items()) == list(
        {
            "id": 101,
            "store_id": 1,
            "name": "Game Key",
            "slug": "game-key",
            "type": "code",
            "price": 49.99,
            "discount_price": None,
            "discount_expiry": None,
            "description": "A key that is yours immediately.",
            "status": 1,
            "min_qty": 1,
            "max_purchase_count": None,
            "purchase_count": 16,
            "fields": [],
            "is_noticeable": False,
            "license_config": None,
            "metadata": None,
            "deleted_at": None,
            "created_at": "2024-01-01T00:00:00.000000Z",
            "updated_at": "2024-01-01T00:00:00.000000Z",
            "actual_price": 49.99,
            "current_stock": 25,
            "is_new": False,
            "is_discounted": False,
            "is_discount_expired": False,
            "show_discount_countdown": False,
            "show_discount_savings": False,
            "discount_savings_amount": 0,
            "codes": codes,
            "image": {
                "id": 201,
                "model_type": "App\\Models\\StoreProduct",
                "model_id": 101,
                "type": "main_product_image",
                "file_name": "game-key.png",
                "path": "products/images",
                "metadata": None,
                "deleted_at": None,
                "created_at": "2024-01-01T00:00:00.000000Z",
                "updated_at": "2024-01-01T00:00:00.000000Z",
                "full_link": "https://cdn.rmz.gg/products/images/game-key.png",
            },
            "subscription_variants": [],
            "categories": data["categories"],
        }.items()
    )
    assert codes[0] == {
        "id": 302,
        "code": "GAME-0302-KEY",
        "order_product_id": None,
        "product_id": 101,
        "store_id": 1,
        "deleted_at": None,
        "created_at": "2024-01-01T00:00:00.000000Z",
        "updated_at": "2024-01-01T00:00:00.000000Z",
    }
    assert data["categories"][1] == {
        "id": 2,
        "slug": "game-keys",
        "title": "Game Keys",
        "description": None,
        "metadata": None,
        "is_active": True,
        "parent_id": 1,
        "store_id": 1,
        "deleted_at": None,
        "created_at": "2024-01-01T00:00:00.000000Z",
        "updated_at": "2024-01-01T00:00:00.000000Z",
        "sort_index": 2,
        "pivot": {"product_id": 101, "category_id": 2},
    }


async def test_codes_are_the_unsold_ones(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """A sold code is left out, and so are those of other products."""
    codes = (await api.get("/products/101")).json()["data"]["codes"]
    assert sandbox.state.codes[301].order_item_id is not None
    assert [code["id"] for code in codes] == list(range(302, 327))
    assert not (await api.get("/products/107")).json()["data"]["codes"]


async def test_codes_are_hidden_from_logs(sandbox: Sandbox) -> None:
    """No repr shows what is for sale."""
    assert "GAME-" not in repr(sandbox.state)


async def test_subscription_has_its_variants(api: httpx.AsyncClient) -> None:
    """Each with the Arabic label under a name of its own, and a price with its digits."""
    answer = await api.get("/products/103")
    data = answer.json()["data"]
    assert [variant["id"] for variant in data["subscription_variants"]] == [20, 21, 22]
    assert data["subscription_variants"][1] == {
        "id": 21,
        "product_id": 103,
        "duration": "quarterly",
        "price": 129.0,
        "created_at": "2024-01-01T00:00:00.000000Z",
        "updated_at": "2024-01-01T00:00:00.000000Z",
        "durationText": "3 أشهر",
    }
    assert '"price":129.00,' in answer.text
    assert (data["current_stock"], data["image"]) == (10000, None)


@pytest.mark.parametrize(
    ("advanced", "actual", "savings", "discounted", "expired"),
    [
        (timedelta(days=7, seconds=-1), "59.99", "20.01", True, False),
        (timedelta(days=7), "80", "0", False, True),
    ],
    ids=["before", "after"],
)
async def test_discount_ends_when_it_expires(
    api: httpx.AsyncClient,
    clock: ManualClock,
    advanced: timedelta,
    actual: str,
    savings: str,
    discounted: bool,
    expired: bool,
) -> None:
    """The price, what is saved and what is shown of it all go by the clock."""
    clock.now += advanced
    answer = await api.get("/products/112")
    data = answer.json()["data"]
    assert f'"actual_price":{actual},' in answer.text
    assert f'"discount_savings_amount":{savings},' in answer.text
    assert (data["is_discounted"], data["is_discount_expired"]) == (discounted, expired)
    assert data["show_discount_countdown"] is discounted
    assert data["show_discount_savings"] is discounted
    assert data["discount_price"] == 59.99


async def test_discount_without_an_expiry_lasts(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock
) -> None:
    """The discount may lack its savings; an empty metadata is PHP's list."""
    product = sandbox.state.products[112]
    product.discount_expiry, product.metadata = None, {}
    clock.advance(days=5000)
    data = (await api.get("/products/112")).json()["data"]
    assert (data["actual_price"], data["is_discounted"]) == (59.99, True)
    assert (data["show_discount_countdown"], data["show_discount_savings"]) == (False, False)
    assert data["metadata"] == []


async def test_expiry_alone_is_no_discount(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """A product that never had a lower price has no expired discount either."""
    sandbox.state.products[113].discount_price = None
    data = (await api.get("/products/113")).json()["data"]
    assert (data["is_discounted"], data["is_discount_expired"]) == (False, False)


async def test_product_is_new_for_twelve_hours(api: httpx.AsyncClient, clock: ManualClock) -> None:
    """From then on it is like any other."""
    clock.advance(hours=10, minutes=59, seconds=59)
    assert (await api.get("/products/116")).json()["data"]["is_new"] is True
    clock.advance(seconds=1)
    assert (await api.get("/products/116")).json()["data"]["is_new"] is False


async def test_list_sends_short_rows(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """The list has the documented columns and what is computed, of every product, by id."""
    sandbox.state.products[100] = Product(id=100, name="First", slug="first")
    page = (await api.get("/products")).json()["data"]
    whole = (await api.get("/products/112")).json()["data"]
    row = next(row for row in page["data"] if row["id"] == 112)
    assert list(row) == ["id", "name", "slug", "type", "price", *COMPUTED]
    assert row == {key: whole[key] for key in row}
    rest = (await api.get("/products?page=2")).json()["data"]
    assert [row["id"] for row in page["data"] + rest["data"]] == list(range(100, 117))
    assert page["next_page_url"] == "http://127.0.0.1/shawarma/products?page=2"
    assert rest["next_page_url"] is None


@pytest.mark.parametrize("target", ["999", "game-key", "１０１"])
async def test_unknown_product_is_404(api: httpx.AsyncClient, target: str) -> None:
    """A product is named by its number."""
    answer = await api.get(f"/products/{target}")
    assert (answer.status_code, answer.json()["message"]) == (404, "Product not found")


async def test_categories_have_pages(api: httpx.AsyncClient) -> None:
    """Every category comes, by id, without a pivot."""
    first = (await api.get("/categories")).json()["data"]
    second = (await api.get("/categories?page=2")).json()["data"]
    rows = first["data"] + second["data"]
    assert [row["id"] for row in rows] == list(range(1, 17))
    assert first["data"][0]["description"] == "Digital software products"
    assert "pivot" not in first["data"][0]
    assert second["data"][0]["is_active"] is False
    assert (first["next_page_url"], second["next_page_url"]) == (
        "http://127.0.0.1/shawarma/categories?page=2",
        None,
    )
