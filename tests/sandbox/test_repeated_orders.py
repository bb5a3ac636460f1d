from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from rmz_async.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock, Receiver

pytestmark = pytest.mark.anyio


async def test_repeat_is_the_same_checkout(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock, basket: dict[str, Any]
) -> None:
    """For five minutes an equal order is answered in the documented shape, and makes nothing."""
    await api.post("/orders", json=basket)
    clock.advance(minutes=4, seconds=59)
    answer = await api.post("/orders", json=basket)
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "message": "Checkout already exists",
        "data": {"checkout_id": 55044, "duplicate": True},
    }
    assert len(sandbox.state.order_checkouts) == 1
    assert [effect.operation for effect in sandbox.ledger] == ["orders.create"]


async def test_same_order_again_does_not_move_the_five_minutes(
    api: httpx.AsyncClient, clock: ManualClock, basket: dict[str, Any]
) -> None:
    """They count from the first order, however often it comes again, and then it is a new one."""
    await api.post("/orders", json=basket)
    clock.advance(minutes=4)
    await api.post("/orders", json=basket)
    clock.advance(minutes=1)
    answer = await api.post("/orders", json=basket)
    assert (answer.status_code, answer.json()["data"]["checkout_id"]) == (201, 55045)


async def test_free_order_that_comes_again_is_named(
    api: httpx.AsyncClient,
    sandbox: Sandbox,
    receiver: Receiver,
    basket: dict[str, Any],
) -> None:
    """The id is the order's, and neither a second order nor a second event is made."""
    sandbox.add_webhook("http://127.0.0.1/hooks", app=receiver)
    basket["products"][0]["identifier"] = 105
    await api.post("/orders", json=basket)
    answer = await api.post("/orders", json=basket)
    await sandbox.delivered()
    assert answer.json()["data"] == {"order_id": 79001, "duplicate": True}
    assert max(sandbox.state.orders) == 79001
    assert len(receiver.bodies) == 1


async def test_paid_order_that_comes_again_is_named(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, basket: dict[str, Any]
) -> None:
    """Once the checkout is paid, the same order again names the order that was made."""
    first = await api.post("/orders", json=basket)
    await browser.post(first.json()["data"]["checkout_url"] + "/pay")
    answer = await api.post("/orders", json=basket)
    assert answer.json() == {
        "success": True,
        "message": "Order already exists",
        "data": {"order_id": 79001, "duplicate": True},
    }


async def test_same_order_again_is_no_lack_of_stock(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, basket: dict[str, Any]
) -> None:
    """An order that took the last piece, sent again, differs from one that comes too late."""
    basket["products"] = [{"identifier_type": "slug", "identifier": "last-key", "quantity": 1}]
    first = await api.post("/orders", json=basket)
    await browser.post(first.json()["data"]["checkout_url"] + "/pay")
    assert (await api.post("/orders", json=basket)).json()["data"]["duplicate"] is True
    other = await api.post("/orders", json=basket | {"customer": {"id": 4502}})
    assert other.json()["message"] == "Requested quantity not available for product: Last Key"


async def test_content_counts_and_not_its_writing(
    api: httpx.AsyncClient, basket: dict[str, Any]
) -> None:
    """Another order of keys, blanks, and an empty field more say the same."""
    basket["products"][0]["options"] = {"color": "red", "size": {"w": 1, "h": 2}}
    await api.post("/orders", json=basket)
    basket["products"][0]["options"] = {"size": {"h": 2, "w": 1}, "color": "red"}
    written = json.dumps(
        {**dict(reversed(basket.items())), "coupon_code": None, "unknown": 1}, indent=3
    )
    answer = await api.post(
        "/orders", content=written, headers={"Content-Type": "application/json"}
    )
    assert answer.json()["data"] == {"checkout_id": 55044, "duplicate": True}


@pytest.mark.parametrize(
    "change",
    [
        {"customer": {"id": 4502}},
        {"customer": None},
        {"created_from": "other.example"},
        {"coupon_code": "SAVE10"},
        {"products": [{"identifier_type": "id", "identifier": 101, "quantity": 1}]},
        {
            "products": [
                {"identifier_type": "id", "identifier": 101, "quantity": 2, "notice": "now"}
            ]
        },
        {
            "products": [
                {"identifier_type": "id", "identifier": 101, "quantity": 2, "options": {"a": 1}}
            ]
        },
    ],
    ids=["customer", "nobody", "shop", "coupon", "quantity", "notice", "options"],
)
async def test_other_content_is_another_order(
    api: httpx.AsyncClient, basket: dict[str, Any], change: dict[str, object]
) -> None:
    """Any difference makes a checkout of its own."""
    await api.post("/orders", json=basket)
    answer = await api.post("/orders", json=basket | change)
    assert (answer.status_code, answer.json()["data"]["checkout_id"]) == (201, 55045)


async def test_refused_order_is_not_remembered(
    api: httpx.AsyncClient, sandbox: Sandbox, basket: dict[str, Any]
) -> None:
    """An order that could not be had a moment ago may be had now."""
    basket["products"][0]["identifier"] = 115
    assert (await api.post("/orders", json=basket)).status_code == 400
    sandbox.state.products[115].stock = 2
    assert (await api.post("/orders", json=basket)).status_code == 201
