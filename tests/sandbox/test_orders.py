from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from rmz_async.sandbox import OrderStatus, Sandbox

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock, Receiver

pytestmark = pytest.mark.anyio


async def ids(api: httpx.AsyncClient, query: str = "") -> list[int]:
    """The ids of every page of the list."""
    found: list[int] = []
    url: str | None = f"/orders{query}"
    while url is not None:
        page = (await api.get(url)).json()["data"]
        found += [row["id"] for row in page["data"]]
        url = page["next_page_url"]
    return found


async def test_get_sends_the_documented_order(api: httpx.AsyncClient) -> None:
    """An order has every documented key, in the documented order and forms."""
    answer = await api.get("/orders/78939")
    assert answer.status_code == 200
    assert list(answer.json()["data"].items()) == list(
        {
            "id": 78939,
            "store_id": 1,
            "customer_id": 4501,
            "coupon_id": None,
            "total": 350,
            "checkout_id": 55038,
            "current_status": 5,
            "seen_at": None,
            "order_review_notification_sent_at": None,
            "tax_rate": None,
            "tax_amount": None,
            "prices_include_tax": False,
            "tax_country_code": None,
            "tax_registration_number": None,
            "created_at": "2025-05-27T03:00:00.000000Z",
            "updated_at": "2025-05-27T04:00:00.000000Z",
            "human_format": {
                "date_human": "منذ 5 أيام",
                "date_normal": "Tue, May 27, 2025 3:00 AM",
            },
            "transaction": {
                "payment_method": "bank",
                "deserved": 350,
                "id": 5039,
                "store_balance_credited_at": None,
                "platform_fees": 0,
                "payment_data": {"bank_name": "Alinma", "account_name": "Ahmed Ali"},
                "payment_id": "ch_78939",
                "total": 350,
                "is_refunded": False,
                "is_hold": False,
                "is_by_platform": False,
                "order_id": 78939,
                "human_format": {
                    "payment.method": "تحويل بنكي",
                    "created_at": "27 مايو 2025، 3:00 ص",
                    "created_at_text": "منذ 5 أيام",
                    "store_balance_scheduled_at_text": "بعد يوم واحد",
                    "store_balance_scheduled_at": "3 يونيو 2025، 3:00 ص",
                },
            },
            "items": [
                {
                    "id": 1039,
                    "order_id": 78939,
                    "item_type": "App\\Models\\StoreProduct",
                    "item_id": 106,
                    "quantity": 1,
                    "price": 350,
                    "fields": [],
                    "notice": None,
                    "created_at": "2025-05-27T03:00:00.000000Z",
                    "updated_at": "2025-05-27T03:00:00.000000Z",
                    "item": {"id": 106, "name": "تصميم شعار", "price": 350, "type": "service"},
                    "subscription": None,
                }
            ],
            "customer": {
                "id": 4501,
                "firstName": "Ahmed",
                "lastName": "Ali",
                "country_code": "966",
                "phone": "512345678",
                "email": "ahmed@example.com",
            },
        }.items()
    )


async def test_money_is_a_number_with_its_digits(api: httpx.AsyncClient) -> None:
    """The store's part and the platform's share add up, and neither is a float."""
    answer = await api.get("/orders/78901")
    assert '"total":199.99,' in answer.text
    assert '"deserved":179.99,' in answer.text
    assert '"platform_fees":20.00,' in answer.text


async def test_subscription_and_order_name_each_other(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Every subscription's order can be read, and has it as its item's."""
    for subscription_id, subscription in sandbox.state.subscriptions.items():
        order = sandbox.state.orders[subscription.order_id]
        assert order.items[0].subscription_id == subscription_id
        assert order.customer_id == subscription.customer_id
    whole = (await api.get("/subscriptions/504")).json()["data"]
    order_id = whole["order_id"]
    assert (await api.get(f"/orders/{order_id}")).json()["data"]["items"][0][
        "subscription"
    ] == whole


@pytest.mark.parametrize("target", ["999", "0", "abc", "１", "9" * 5000])
@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_unknown_order_is_404(api: httpx.AsyncClient, method: str, target: str) -> None:
    """A path that is no id of an order is not found."""
    answer = await api.request(method, f"/orders/{target}")
    assert (answer.status_code, answer.json()["message"]) == (404, "Order not found")


async def test_list_sends_short_rows(api: httpx.AsyncClient) -> None:
    """The list has no items, a part of the transaction, and labels without dates."""
    answer = await api.get("/orders")
    page = answer.json()["data"]
    whole = (await api.get("/orders/78944")).json()["data"]
    row = page["data"][0]
    assert row.pop("transaction") == {
        "id": 5044,
        "total": 299.5,
        "deserved": 299.5,
        "payment_method": "bank",
        "is_refunded": False,
        "order_id": 78944,
        "human_format": {
            "payment.method": "تحويل بنكي",
            "created_at": None,
            "created_at_text": None,
            "store_balance_scheduled_at_text": None,
            "store_balance_scheduled_at": None,
        },
    }
    assert row == {key: whole[key] for key in whole if key not in ("items", "transaction")}
    assert page["next_page_url"] == "http://127.0.0.1/shawarma/orders?page=2"
    assert (page["per_page"], page["from"], page["to"]) == (15, 1, 15)


async def test_pages_hold_every_order_newest_first(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Three pages, no order twice, none left out."""
    assert len((await api.get("/orders?page=3")).json()["data"]["data"]) == 14
    assert await ids(api) == sorted(sandbox.state.orders, reverse=True)


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("orderBy=id", "id"),
        ("orderBy=created_at", "created_at"),
        ("orderBy=updated_at", "updated_at"),
        ("orderBy=total", "total"),
    ],
)
@pytest.mark.parametrize("direction", ["", "asc", "desc"])
async def test_list_is_sorted(
    api: httpx.AsyncClient, sandbox: Sandbox, query: str, key: str, direction: str
) -> None:
    """By each documented column, down by default; equals by their ids."""
    found = await ids(api, f"?{query}&orderDirection={direction}")
    orders = sorted(
        sandbox.state.orders.values(), key=lambda order: (getattr(order, key), order.id)
    )
    expected = [order.id for order in orders]
    assert found == (expected if direction == "asc" else expected[::-1])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?created_from=2025-06-01", [78944]),
        ("?created_from=2025-05-31", [78944, 78943]),
        ("?created_from=2025-05-30&created_to=2025-05-31", [78943, 78942]),
        ("?created_to=2025-05-01", [78906]),
        ("?created_from=2025-05-31&created_to=2025-05-30", []),
    ],
)
async def test_list_is_cut_by_days(api: httpx.AsyncClient, query: str, expected: list[int]) -> None:
    """The first and the last day are both a part of it."""
    assert await ids(api, query) == expected


async def test_page_addresses_repeat_the_filters(api: httpx.AsyncClient) -> None:
    """The next page is one of the same list."""
    answer = await api.get("/orders?created_from=2025-01-01&orderBy=total&orderDirection=asc&x=1")
    assert answer.json()["data"]["next_page_url"] == (
        "http://127.0.0.1/shawarma/orders"
        "?created_from=2025-01-01&orderBy=total&orderDirection=asc&page=2"
    )


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("created_from=yesterday", "created_from"),
        ("created_to=2025-02-30", "created_to"),
        ("orderBy=customer", "orderBy"),
        ("orderDirection=down", "orderDirection"),
    ],
)
async def test_malformed_filter_is_422(api: httpx.AsyncClient, query: str, path: str) -> None:
    """The filter is named."""
    answer = await api.get(f"/orders?{query}")
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [path]


async def test_seed_has_every_status(sandbox: Sandbox) -> None:
    """Each of the six can be read without being made first."""
    assert {order.status for order in sandbox.state.orders.values()} == set(OrderStatus)


async def test_update_changes_the_status(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock
) -> None:
    """The answer is the documented one; the history grows, and the order is touched."""
    clock.advance(hours=1)
    answer = await api.put("/orders/78940", json={"status": 4})
    assert answer.status_code == 200
    assert answer.json() == {
        "message": "Order Has Been Updates",
        "data": None,
        "api": "rmz.shawarma",
        "timestamp": 1748782800,
    }
    order = sandbox.state.orders[78940]
    assert [change.status for change in order.statuses] == [3, 4]
    assert order.statuses[-1].at == order.updated_at == clock.now
    assert (await api.get("/orders/78940")).json()["data"]["current_status"] == 4


@pytest.mark.parametrize("body", [None, {}, {"status": None}, {"status": ""}, {"state": 4}])
async def test_update_without_a_status_changes_nothing(
    api: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver, body: object
) -> None:
    """The request is well received all the same."""
    sandbox.add_webhook("http://127.0.0.1/hooks", app=receiver)
    before = (await api.get("/orders/78940")).json()["data"]
    answer = await api.put("/orders/78940", json=body)
    assert (answer.status_code, answer.json()["message"]) == (200, "Order Has Been Updates")
    assert (await api.get("/orders/78940")).json()["data"] == before
    assert sandbox.ledger == ()
    assert sandbox.deliveries == ()


@pytest.mark.parametrize("status", [0, 7, -1, "done", 4.5, True, [4]])
async def test_update_knows_six_statuses(
    api: httpx.AsyncClient, sandbox: Sandbox, status: object
) -> None:
    """Anything else is a 422 at the field."""
    answer = await api.put("/orders/78940", json={"status": status})
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["status"]
    assert sandbox.state.orders[78940].status is OrderStatus.IN_PROGRESS


@pytest.mark.parametrize(
    ("order_id", "allowed"),
    [
        (78944, {2, 3, 4, 5}),
        (78942, {3, 4, 5, 6}),
        (78940, {4, 5, 6}),
        (78943, {5, 6}),
        (78939, set[int]()),
        (78938, set[int]()),
    ],
    ids=["awaiting", "review", "progress", "completed", "cancelled", "refunded"],
)
@pytest.mark.parametrize("status", list(OrderStatus))
async def test_an_order_only_goes_forward(
    api: httpx.AsyncClient, sandbox: Sandbox, order_id: int, allowed: set[int], status: OrderStatus
) -> None:
    """An order goes forward only; what it is already is refused too, and changes nothing."""
    before = sandbox.state.orders[order_id].status
    answer = await api.put(f"/orders/{order_id}", json={"status": status})
    if status in allowed:
        assert answer.status_code == 200
        assert sandbox.state.orders[order_id].status is status
    else:
        assert (answer.status_code, answer.json()["message"]) == (400, "Invalid status transition")
        assert sandbox.state.orders[order_id].status is before
        assert sandbox.ledger == ()


async def test_refund_marks_the_transaction(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """The money went back, and the goods do not."""
    stock = sandbox.state.products[111].stock
    await api.put("/orders/78942", json={"status": 6})
    data = (await api.get("/orders/78942")).json()["data"]
    assert data["transaction"]["is_refunded"] is True
    assert sandbox.state.products[111].stock == stock


async def test_cancelling_returns_the_stock(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """The counted pieces are there again, and no money went back."""
    await api.put("/orders/78942", json={"status": 5})
    product = sandbox.state.products[111]
    assert (product.stock, product.purchase_count) == (100, 0)
    assert sandbox.state.orders[78942].transaction.is_refunded is False


@pytest.mark.parametrize(("order_id", "product_id"), [(78943, 101), (78940, 112)])
async def test_cancelling_returns_nothing_that_is_not_counted(
    api: httpx.AsyncClient, sandbox: Sandbox, order_id: int, product_id: int
) -> None:
    """Codes were seen and stay sold, and what never runs out needs no return."""
    before = (await api.get(f"/products/{product_id}")).json()["data"]["current_stock"]
    await api.put(f"/orders/{order_id}", json={"status": 5})
    after: Any = (await api.get(f"/products/{product_id}")).json()["data"]["current_stock"]
    assert after == before
