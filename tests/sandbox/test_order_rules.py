from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from rmz_async.sandbox import Coupon, OrderStatus, Sandbox

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock

pytestmark = pytest.mark.anyio


def line(slug: str, quantity: int = 1, **more: object) -> dict[str, object]:
    """An entry of ``products``."""
    return {"identifier_type": "slug", "identifier": slug, "quantity": quantity, **more}


async def test_paid_order_gets_a_checkout(
    api: httpx.AsyncClient, sandbox: Sandbox, basket: dict[str, Any]
) -> None:
    """The answer is the documented one, and before the payment nothing is ordered nor taken."""
    answer = await api.post("/orders", json=basket)
    (checkout,) = sandbox.state.order_checkouts.values()
    assert answer.status_code == 201
    assert answer.json() == {
        "message": "Checkout link created successfully",
        "data": {
            "checkout_id": 55044,
            "checkout_url": f"http://127.0.0.1/order-checkout/{checkout.key}",
            "amount": 99.98,
            "status": "pending_payment",
        },
        "api": "rmz.shawarma",
        "timestamp": 1748779200,
    }
    assert '"amount":99.98,' in answer.text
    assert max(sandbox.state.orders) == 78944
    product = (await api.get("/products/101")).json()["data"]
    assert (product["current_stock"], product["purchase_count"]) == (25, 16)


async def test_free_order_is_completed_immediately(
    api: httpx.AsyncClient, sandbox: Sandbox, basket: dict[str, Any]
) -> None:
    """The answer is the documented one, and the order is there, paid with nothing."""
    basket["products"] = [line("free-ebook")]
    answer = await api.post("/orders", json=basket)
    assert answer.status_code == 201
    assert answer.json() == {
        "message": "Order created successfully",
        "data": {"order_id": 79001, "status": "completed", "amount": 0},
        "api": "rmz.shawarma",
        "timestamp": 1748779200,
    }
    order = (await api.get("/orders/79001")).json()["data"]
    assert (order["current_status"], order["total"], order["checkout_id"]) == (4, 0, None)
    assert order["transaction"]["payment_method"] == "free"
    assert order["transaction"]["human_format"]["payment.method"] == "مجاني"
    assert not sandbox.state.order_checkouts


async def test_free_order_takes_what_a_paid_one_takes(
    api: httpx.AsyncClient, sandbox: Sandbox, basket: dict[str, Any]
) -> None:
    """With nothing left to pay, codes, stock, coupon and subscription are used all the same."""
    basket["products"] = [
        line("game-key", 2),
        line("sticker", 10),
        line("pro-plan", subscription_plan=14),
        # Not completed if there is something to pay.
        line("logo-design"),
    ]
    basket["coupon_code"] = "FREE100"
    answer = await api.post("/orders", json=basket)
    assert answer.json()["data"] == {"order_id": 79001, "status": "completed", "amount": 0}
    order = sandbox.state.orders[79001]
    sold = [code.id for code in sandbox.state.codes.values() if code.order_item_id == 1045]
    assert [item.id for item in order.items] == [1045, 1046, 1047, 1048]
    assert sold == [302, 303]
    assert sandbox.state.products[101].purchase_count == 18
    assert sandbox.state.products[111].stock == 80
    assert sandbox.state.coupons[3].usage_count == 1
    assert order.status is OrderStatus.COMPLETED
    subscription = sandbox.state.subscriptions[534]
    assert (subscription.order_id, subscription.customer_id, subscription.card) == (
        79001,
        4501,
        None,
    )
    sent = (await api.get("/orders/79001")).json()["data"]
    assert sent["coupon_id"] == 3
    assert [item["subscription"] and item["subscription"]["id"] for item in sent["items"]] == [
        None,
        None,
        534,
        None,
    ]


@pytest.mark.parametrize(
    ("code", "amount"),
    [("SAVE10", "89.98"), ("MINUS20", "79.98"), ("ONCE", "49.99")],
)
async def test_coupon_lowers_the_total(
    api: httpx.AsyncClient, basket: dict[str, Any], code: str, amount: str
) -> None:
    """By a percentage, rounded to the halala, or by an amount."""
    answer = await api.post("/orders", json=basket | {"coupon_code": code})
    assert f'"amount":{amount},' in answer.text


async def test_coupon_never_lowers_below_nothing(
    api: httpx.AsyncClient, basket: dict[str, Any]
) -> None:
    """A coupon that is worth more than the order makes it free."""
    basket["products"] = [line("brand-new")]
    answer = await api.post("/orders", json=basket | {"coupon_code": "MINUS20"})
    assert answer.json()["data"]["amount"] == 0


async def test_coupon_is_valid_up_to_its_last_second(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock, basket: dict[str, Any]
) -> None:
    """The coupon expires at the moment that is set, not after it."""
    sandbox.state.coupons[9] = Coupon(id=9, code="SOON", amount=Decimal(1), expires_at=clock.now)
    clock.advance(seconds=-1)
    assert (await api.post("/orders", json=basket | {"coupon_code": "SOON"})).status_code == 201
    clock.advance(seconds=1)
    basket["created_from"] = "other.example"
    refused = await api.post("/orders", json=basket | {"coupon_code": "SOON"})
    assert refused.json()["message"] == "Coupon is no longer valid"


async def test_coupon_is_used_when_the_order_is_made(
    api: httpx.AsyncClient,
    browser: httpx.AsyncClient,
    sandbox: Sandbox,
    basket: dict[str, Any],
) -> None:
    """An unpaid checkout uses no coupon; what was promised stays promised to the second too."""
    urls: list[str] = []
    for shop in ("one.example", "two.example"):
        body = basket | {"coupon_code": "ONCE", "created_from": shop}
        urls.append((await api.post("/orders", json=body)).json()["data"]["checkout_url"])
    for url in urls:
        await browser.post(f"{url}/pay")
    assert sandbox.state.coupons[4].usage_count == 2
    assert [str(sandbox.state.orders[number].total) for number in (79001, 79002)] == ["49.99"] * 2
    refused = await api.post("/orders", json=basket | {"coupon_code": "ONCE"})
    assert refused.json()["message"] == "Coupon is no longer valid"


@pytest.mark.parametrize(
    ("products", "coupon", "message"),
    [
        ([line("nothing")], "", "Product not found: nothing"),
        (
            [{"identifier_type": "id", "identifier": 999, "quantity": 1}],
            "",
            "Product not found: 999",
        ),
        (
            [{"identifier_type": "slug", "identifier": 101, "quantity": 1}],
            "",
            "Product not found: 101",
        ),
        (
            [{"identifier_type": "id", "identifier": "game-key", "quantity": 1}],
            "",
            "Product not found: game-key",
        ),
        ([line("old-template")], "", "Product unavailable: Old Template"),
        (
            [line("sold-out-mug")],
            "",
            "Requested quantity not available for product: Sold Out Mug",
        ),
        (
            [line("game-key", 26)],
            "",
            "Requested quantity not available for product: Game Key",
        ),
        (
            [line("game-key", 13), line("game-key", 13)],
            "",
            "Requested quantity not available for product: Game Key",
        ),
        (
            [line("signed-print", 2)],
            "",
            "Requested quantity not available for product: Signed Print",
        ),
        (
            [line("python-course", 10001)],
            "",
            "Requested quantity not available for product: Python Course",
        ),
        ([line("sticker", 4)], "", "Minimum quantity is 5 for product: Sticker"),
        (
            [line("pro-plan", 2, subscription_plan=14)],
            "",
            "Maximum quantity allowed for subscriptions is 1",
        ),
        (
            [line("pro-plan", subscription_plan=14), line("pro-plan", subscription_plan=15)],
            "",
            "Maximum quantity allowed for subscriptions is 1",
        ),
        ([line("game-key")], "NOSUCH", "Invalid coupon code"),
        ([line("game-key")], "save10", "Invalid coupon code"),
        ([line("game-key")], "DISABLED", "Invalid coupon code"),
        ([line("game-key")], "USEDUP", "Coupon is no longer valid"),
        ([line("game-key")], "EXPIRED", "Coupon is no longer valid"),
    ],
)
async def test_goods_that_cannot_be_had_are_refused(
    api: httpx.AsyncClient,
    sandbox: Sandbox,
    basket: dict[str, Any],
    products: object,
    coupon: str,
    message: str,
) -> None:
    """A rule that is broken is a 400 with the documented message, and nothing is made."""
    answer = await api.post("/orders", json=basket | {"products": products, "coupon_code": coupon})
    assert answer.status_code == 400
    assert answer.json() == {
        "message": message,
        "data": None,
        "api": "rmz.shawarma",
        "timestamp": 1748779200,
        "error": True,
    }
    assert not sandbox.state.order_checkouts
    assert not sandbox.state.placed_requests
    assert sandbox.ledger == ()


@pytest.mark.parametrize(
    "product",
    [line("game-key", 25), line("signed-print"), line("sticker", 5), line("sticker", 90)],
    ids=["every code", "the last purchase", "the minimum", "all stock"],
)
async def test_all_that_there_is_can_be_had(
    api: httpx.AsyncClient, basket: dict[str, Any], product: object
) -> None:
    """The bounds themselves are fine."""
    answer = await api.post("/orders", json=basket | {"products": [product]})
    assert answer.status_code == 201


@pytest.mark.parametrize("plan", [{}, {"subscription_plan": 20}, {"subscription_plan": 999}])
async def test_subscription_needs_a_plan_of_its_own(
    api: httpx.AsyncClient, basket: dict[str, Any], plan: dict[str, int]
) -> None:
    """No plan, another product's plan and an unknown one are refused by the field's path."""
    basket["products"] = [line("game-key"), line("pro-plan", **plan)]
    answer = await api.post("/orders", json=basket)
    assert answer.status_code == 422
    assert answer.json()["errors"] == {
        "products.1.subscription_plan": ["The selected products.1.subscription plan is invalid."]
    }


async def test_subscription_costs_what_its_plan_costs(
    api: httpx.AsyncClient, basket: dict[str, Any]
) -> None:
    """The plan's price counts, not the product's."""
    basket["products"] = [line("business", subscription_plan=21)]
    answer = await api.post("/orders", json=basket)
    assert '"amount":129.00,' in answer.text


@pytest.mark.parametrize(("days", "amount"), [(0, "59.99"), (7, "80")])
async def test_discount_counts_until_it_expires(
    api: httpx.AsyncClient, clock: ManualClock, basket: dict[str, Any], days: int, amount: str
) -> None:
    """The price is the one at the moment of the call."""
    clock.advance(days=days)
    basket["products"] = [line("font-family")]
    answer = await api.post("/orders", json=basket)
    assert f'"amount":{amount},' in answer.text


@pytest.mark.parametrize("slug", ["game-key", "free-ebook"])
async def test_unknown_customer_is_refused(
    api: httpx.AsyncClient, basket: dict[str, Any], slug: str
) -> None:
    """An unknown id is a 400, whether there is something to pay or not."""
    basket |= {"customer": {"id": 999}, "products": [line(slug)]}
    answer = await api.post("/orders", json=basket)
    assert (answer.status_code, answer.json()["message"]) == (
        400,
        "Failed to create or find customer",
    )


async def test_free_order_needs_a_customer(api: httpx.AsyncClient, basket: dict[str, Any]) -> None:
    """There is no page that could ask for one."""
    del basket["customer"]
    basket["products"] = [line("free-ebook")]
    answer = await api.post("/orders", json=basket)
    assert answer.json()["message"] == "Failed to create or find customer"


async def test_new_customer_is_made_once(
    api: httpx.AsyncClient, sandbox: Sandbox, basket: dict[str, Any], order: dict[str, Any]
) -> None:
    """Details make a customer, and the next order with that phone finds them."""
    basket["customer"] = order["customer"]
    for shop in ("one.example", "two.example"):
        assert (await api.post("/orders", json=basket | {"created_from": shop})).status_code == 201
    customers = [checkout.customer_id for checkout in sandbox.state.order_checkouts.values()]
    assert customers == [4504, 4504]
    assert sandbox.state.customers[4504].name == "Sara Omar"


async def test_customer_id_makes_other_fields_idle(
    api: httpx.AsyncClient, sandbox: Sandbox, basket: dict[str, Any]
) -> None:
    """Beside an id nothing else of the customer is even looked at."""
    basket["customer"] |= {"phone": "x", "country_code": "1"}
    assert (await api.post("/orders", json=basket)).status_code == 201
    (checkout,) = sandbox.state.order_checkouts.values()
    assert checkout.customer_id == 4501
