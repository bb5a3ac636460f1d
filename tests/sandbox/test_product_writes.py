from __future__ import annotations

from typing import Any

import httpx
import pytest

from rmz_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

IMAGE = {"file": {"response": {"id": 201}}}
TEA: dict[str, Any] = {
    "name": "Tea",
    "type": "product",
    "price": 30,
    "cost_price": "22.50",
    "image": IMAGE,
}
MONTH: dict[str, Any] = {"duration": 30, "price": 10}
PLAN = {**TEA, "type": "subscription", "subscriptionVariants": [MONTH]}
CODES = {**TEA, "type": "code", "codes": [{"code": "TEA-1"}, {"code": "TEA-2"}]}
KEPT = {"slug": "pro-plan", "image": IMAGE}


async def refused(api: httpx.AsyncClient, body: object) -> Any:
    """The reasons for which a product is refused."""
    answer = await api.post("/products", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"] is True
    return answer.json()["data"]


async def test_a_product_that_was_made_is_for_sale(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """With the number after the last one, a slug of its own, and its picture."""
    answer = await api.post("/products", json=TEA)
    assert answer.status_code == 201
    made = answer.json()["data"]
    assert (made["id"], made["slug"], made["price"]) == (117, "product-117", 30)
    assert made["image"]["id"] == 201
    read = (await api.get("/products/117")).json()["data"]
    assert read["name"] == "Tea"
    assert sandbox.ledger[-1].operation == "products.create"


async def test_the_plans_of_a_new_product_can_be_bought(api: httpx.AsyncClient) -> None:
    """The answer has them under another name, in days."""
    features = [{"name": "All", "description": "Everything"}, {"name": "x"}]
    plan = {**MONTH, "badge": "popular", "features": features}
    terms = {
        "trial_days": 7,
        "grace_period_days": 0,
        "cancel_behavior": "immediate",
        "auto_renew_default": False,
    }
    body = {**PLAN, **terms, "subscriptionVariants": [plan, {"duration": 365, "price": 99}]}
    made = (await api.post("/products", json=body)).json()["data"]
    assert {name: made[name] for name in terms} == terms
    first, second = made["subscriptionVariants"]
    assert (first["duration"], first["badge"], first["features"][1]) == (
        30,
        "popular",
        {"name": "x", "description": None},
    )
    assert (second["duration"], second["price"]) == (365, 99)
    assert "subscription_variants" not in made
    session = {
        "product_id": made["id"],
        "variant_id": second["id"],
        "customer": {"id": 4501},
        "success_url": "https://app.example/ok",
        "cancel_url": "https://app.example/no",
    }
    answer = await api.post("/subscriptions/checkout-sessions", json=session)
    assert answer.status_code == 200


async def test_everything_that_a_product_may_have_is_kept(api: httpx.AsyncClient) -> None:
    field = {"type": "select", "name": "size", "required": True, "options": [{"name": "L"}]}
    body = {
        **TEA,
        "slug": "tea",
        "status": 3,
        "discount_price": 25.5,
        "discount_expiry": "2030-01-01",
        "stock": 5,
        "min_qty": 2,
        "max_purchase_count": 9,
        "show_reviews": False,
        "is_noticeable": True,
        "categories": [1, 2],
        "benefits": [3],
        "fields": [field],
        "metadata": {"display": {"show_discount_savings": True}},
        "seo": {"title": "Tea"},
        "course": {},
        "license_config": {"lock_type": "ip"},
        "product_files": [IMAGE],
        "extra_images": [IMAGE],
    }
    made = (await api.post("/products", json=body)).json()["data"]
    assert (made["slug"], made["status"], made["current_stock"]) == ("tea", 3, 5)
    assert (made["is_noticeable"], made["show_reviews"]) == (True, False)
    assert (made["actual_price"], made["discount_savings_amount"]) == (25.5, 4.5)
    assert made["show_discount_savings"] is True
    assert [category["id"] for category in made["categories"]] == [1, 2]
    assert made["fields"][0]["options"] == [{"name": "L", "price": 0}]
    assert made["license_config"] == {"lock_type": "ip"}


async def test_codes_replace_the_whole_unsold_stock(api: httpx.AsyncClient) -> None:
    """A sold one stays with its order; a request without codes does not touch the stock."""
    made = (await api.post("/products", json=CODES)).json()["data"]
    path, kept = f"/products/{made['id']}", {"slug": made["slug"], "image": IMAGE}
    assert [code["code"] for code in made["codes"]] == ["TEA-1", "TEA-2"]
    left = (await api.put(path, json=kept)).json()["data"]
    assert len(left["codes"]) == 2
    left = (await api.put(path, json={**kept, "codes": [{"code": "TEA-3"}]})).json()["data"]
    assert [code["code"] for code in left["codes"]] == ["TEA-3"]


async def test_a_plan_that_is_left_out_is_deleted(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """The plan cannot be bought any more, and subscriptions to it stay."""
    plans = [{"id": 14, "duration": 30, "price": 15}]
    changed = await api.put("/products/102", json={**KEPT, "subscriptionVariants": plans})
    (plan,) = changed.json()["data"]["subscriptionVariants"]
    assert (plan["id"], plan["price"]) == (14, 15)
    assert (await api.get("/subscriptions/501")).json()["data"]["variant"]["id"] == 15
    session = {
        "product_id": 102,
        "variant_id": 15,
        "customer": {"id": 4501},
        "success_url": "https://app.example/ok",
        "cancel_url": "https://app.example/no",
    }
    answer = await api.post("/subscriptions/checkout-sessions", json=session)
    assert answer.status_code == 404
    order = {
        "created_from": "app.example",
        "products": [
            {"identifier_type": "id", "identifier": 102, "quantity": 1, "subscription_plan": 15}
        ],
    }
    assert (await api.post("/orders", json=order)).status_code == 422
    assert sandbox.ledger[-1].operation == "products.update"


async def test_a_picture_that_is_not_named_is_removed(api: httpx.AsyncClient) -> None:
    changed = await api.put("/products/101", json={"slug": "game-key"})
    assert changed.json()["data"]["image"] is None


async def test_a_slug_belongs_to_one_product(api: httpx.AsyncClient) -> None:
    """Also on a change, which may keep its own."""
    assert await refused(api, {**TEA, "slug": "pro-plan"}) == {
        "slug": ["The slug has already been taken."]
    }
    assert (await api.put("/products/102", json=KEPT)).status_code == 200
    taken = await api.put("/products/102", json={**KEPT, "slug": "game-key"})
    assert taken.status_code == 422


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"type": "car"}, "type"),
        ({"price": "dear"}, "price"),
        ({"price": True}, "price"),
        ({"price": []}, "price"),
        ({"price": -1}, "price"),
        ({"cost_price": None}, "cost_price"),
        ({"image": None}, "image"),
        ({"image": {"file": {}}}, "image.file.response.id"),
        ({"image": {"file": {"response": {"id": 0}}}}, "image.file.response.id"),
        ({"status": 2}, "status"),
        ({"is_noticeable": "yes"}, "is_noticeable"),
        ({"is_noticeable": 1}, "is_noticeable"),
        ({"categories": [99]}, "categories.0"),
        ({"categories": 1}, "categories"),
        ({"benefits": [0]}, "benefits.0"),
        ({"type": "code", "stock": 5}, "stock"),
        ({"type": "subscription"}, "subscriptionVariants"),
        ({"type": "subscription", "subscriptionVariants": []}, "subscriptionVariants"),
        ({"subscriptionVariants": [{**MONTH, "id": 14}]}, "subscriptionVariants.0.id"),
        (
            {"subscriptionVariants": [{"duration": 31, "price": 1}]},
            "subscriptionVariants.0.duration",
        ),
        ({"trial_days": 91}, "trial_days"),
        ({"grace_period_days": 31}, "grace_period_days"),
        ({"cancel_behavior": "never"}, "cancel_behavior"),
        ({"license_config": {"prefix": 5}}, "license_config.prefix"),
    ],
    ids=repr,
)
async def test_a_wrong_field_is_named_under_data(
    api: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    """As RMZ's pages about products show it."""
    assert field in await refused(api, {**TEA, **change})


@pytest.mark.parametrize("name", ["image", "product_files", "extra_images"])
async def test_an_upload_that_is_not_there_is_not_found(api: httpx.AsyncClient, name: str) -> None:
    """And nothing is made."""
    unknown = {"file": {"response": {"id": 999}}}
    body = {**TEA, name: unknown if name == "image" else [unknown]}
    assert (await api.post("/products", json=body)).status_code == 404
    assert (await api.get("/products/117")).status_code == 404


async def test_a_product_that_is_not_there_cannot_be_replaced(api: httpx.AsyncClient) -> None:
    assert (await api.put("/products/999", json=KEPT)).status_code == 404
    assert (await api.put("/products/102", json={})).status_code == 422
