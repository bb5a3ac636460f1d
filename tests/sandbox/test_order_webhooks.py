from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import rmz_async
from rmz_async.sandbox import Sandbox
from tests.sandbox.conftest import Receiver

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock

pytestmark = pytest.mark.anyio

URL = "http://127.0.0.1:9000/hooks"
DATES = {"date_human": "منذ ثانية واحدة", "date_normal": "الأحد، يونيو 1، 2025 12:00 م"}


async def pay(api: httpx.AsyncClient, browser: httpx.AsyncClient, basket: object) -> None:
    """Order *basket* and pay for it."""
    answer = await api.post("/orders", json=basket)
    await browser.post(answer.json()["data"]["checkout_url"] + "/pay")


async def test_created_sends_the_documented_order(
    api: httpx.AsyncClient,
    browser: httpx.AsyncClient,
    sandbox: Sandbox,
    receiver: Receiver,
    basket: dict[str, Any],
) -> None:
    """The event has no id; its order has money as strings, codes, and the long customer."""
    sandbox.add_webhook(URL, app=receiver)
    basket["products"][0] |= {"quantity": 1, "notice": "for Sara", "options": {"color": "red"}}
    await pay(api, browser, basket | {"coupon_code": "SAVE10"})
    await sandbox.delivered()
    (payload,) = receiver.payloads
    status = {
        "id": 451,
        "reason": None,
        "status": 4,
        "model_id": 79001,
        "model_type": "App\\Models\\Order",
        "created_at": "2025-06-01T12:00:00.000000Z",
        "updated_at": "2025-06-01T12:00:00.000000Z",
        "human_format": {
            "text": "مكتمل",
            "dashboard_color": "success",
            "color": "success",
            **DATES,
        },
    }
    item = payload["data"]["items"][0].pop("item")
    assert payload == {
        "event": "order.created",
        "data": {
            "id": 79001,
            "store_id": 1,
            "customer_id": 4501,
            "coupon_id": 1,
            "total": "44.99",
            "discount_amount": "5.00",
            "customer_note": None,
            "meta": None,
            "cost": "0.00",
            "current_status": 4,
            "tax_rate": None,
            "tax_amount": None,
            "prices_include_tax": False,
            "tax_country_code": None,
            "tax_registration_number": None,
            "order_review_notification_sent_at": None,
            "seen_at": None,
            "created_at": "2025-06-01T12:00:00.000000Z",
            "updated_at": "2025-06-01T12:00:00.000000Z",
            "human_format": DATES,
            "transaction": {
                "id": 5045,
                "deserved": "40.49",
                "platform_fees": "4.50",
                "total": "44.99",
                "order_id": 79001,
                "created_at": "2025-06-01T12:00:00.000000Z",
                "payment_method": "dokanpay",
                "is_by_platform": False,
                "human_format": {
                    "payment.method": "البطائق الإئتمانية",
                    "created_at": "1 يونيو 2025 12:00 م",
                    "created_at_text": "منذ ثانية واحدة",
                    "store_balance_scheduled_at_text": None,
                    "store_balance_scheduled_at": None,
                },
            },
            "items": [
                {
                    "id": 1045,
                    "quantity": 1,
                    "item_id": 101,
                    "item_type": "App\\Models\\StoreProduct",
                    "price": "49.99",
                    "fields": {"color": "red"},
                    "notes": "for Sara",
                    "order_id": 79001,
                    "created_at": "2025-06-01T12:00:00.000000Z",
                    "updated_at": "2025-06-01T12:00:00.000000Z",
                    "codes": [
                        {
                            "id": 302,
                            "code": "GAME-0302-KEY",
                            "order_product_id": 1045,
                            "product_id": 101,
                            "store_id": 1,
                            "deleted_at": None,
                            "created_at": "2024-01-01T00:00:00.000000Z",
                            "updated_at": "2025-06-01T12:00:00.000000Z",
                            "is_used": False,
                        }
                    ],
                }
            ],
            "customer": {
                "id": 4501,
                "firstName": "Ahmed",
                "lastName": "Ali",
                "email": "ahmed@example.com",
                "country_code": 966,
                "phone": "512345678",
                "is_banned": False,
                "ban_reason": None,
                "store_id": 1,
                "created_at": "2024-01-01T00:00:00.000000Z",
                "updated_at": "2024-01-01T00:00:00.000000Z",
                "deleted_at": None,
            },
            "status": status,
            "statuses": [status],
        },
    }
    assert (item["id"], item["name"], item["type"]) == (101, "Game Key", "code")
    assert (item["price"], item["actual_price"], item["discount_price"]) == ("49.99", "49.99", None)
    # The whole model but its relations; what is left in stock is no secret, the codes are.
    assert "codes" not in item
    assert item["current_stock"] == 24


async def test_order_without_extras_has_nulls(
    api: httpx.AsyncClient,
    browser: httpx.AsyncClient,
    sandbox: Sandbox,
    receiver: Receiver,
    basket: dict[str, Any],
) -> None:
    """Fields, notes and discount are null if nothing was sent."""
    sandbox.add_webhook(URL, app=receiver)
    await pay(api, browser, basket)
    await sandbox.delivered()
    reported = receiver.payloads[0]["data"]
    assert (reported["coupon_id"], reported["discount_amount"]) == (None, None)
    assert (reported["items"][0]["fields"], reported["items"][0]["notes"]) == (None, None)


async def test_a_webhook_has_the_price_of_the_whole_line(
    api: httpx.AsyncClient,
    browser: httpx.AsyncClient,
    sandbox: Sandbox,
    receiver: Receiver,
    basket: dict[str, Any],
) -> None:
    """A webhook has the whole line's price, and the API one piece's, under the same name."""
    sandbox.add_webhook(URL, app=receiver)
    basket["products"][0] |= {"quantity": 3}
    await pay(api, browser, basket)
    await sandbox.delivered()
    reported = receiver.payloads[0]["data"]
    assert (reported["items"][0]["price"], reported["total"]) == ("149.97", "149.97")
    read = (await api.get(f"/orders/{reported['id']}")).json()["data"]
    assert str(read["items"][0]["price"]) == "49.99"


async def test_money_of_the_product_is_text(
    api: httpx.AsyncClient,
    browser: httpx.AsyncClient,
    sandbox: Sandbox,
    receiver: Receiver,
    basket: dict[str, Any],
) -> None:
    """Every price has two digits, also the discounted one."""
    sandbox.add_webhook(URL, app=receiver)
    basket["products"][0] |= {"identifier": 112, "quantity": 1}
    await pay(api, browser, basket)
    await sandbox.delivered()
    item = receiver.payloads[0]["data"]["items"][0]["item"]
    assert (item["price"], item["actual_price"]) == ("80.00", "59.99")
    assert item["discount_savings_amount"] == "20.01"


async def test_order_events_have_no_id(
    api: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    """Neither in the body nor in the log; the request ids distinguish the deliveries."""
    sandbox.add_webhook(URL, app=receiver)
    sandbox.add_webhook(URL, app=receiver)
    await api.put("/orders/78940", json={"status": 4})
    await sandbox.delivered()
    assert [sorted(payload) for payload in receiver.payloads] == [["data", "event"]] * 2
    assert {delivery.event_id for delivery in sandbox.deliveries} == {None}
    assert len({delivery.request_id for delivery in sandbox.deliveries}) == 2


async def test_status_changed_has_the_history(
    api: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver, clock: ManualClock
) -> None:
    """The oldest status is first, and ``status`` is the new one."""
    sandbox.add_webhook(URL, app=receiver)
    clock.advance(days=1)
    await api.put("/orders/78942", json={"status": 5})
    await sandbox.delivered()
    (payload,) = receiver.payloads
    reported = payload["data"]
    assert payload["event"] == "order.status.changed"
    assert reported["current_status"] == 5
    assert [status["status"] for status in reported["statuses"]] == [1, 2, 5]
    assert reported["status"] == reported["statuses"][-1]
    assert [status["human_format"]["text"] for status in reported["statuses"]] == [
        "بإنتظار الدفع",
        "قيد المراجعة",
        "ملغي",
    ]
    assert (
        reported["status"]["human_format"]["dashboard_color"],
        reported["status"]["human_format"]["color"],
    ) == ("error", "danger")
    assert reported["human_format"]["date_human"] == "منذ 3 أيام"
    assert reported["status"]["human_format"]["date_human"] == "منذ ثانية واحدة"


@pytest.mark.parametrize("status", [3, 4, 6])
async def test_every_status_has_its_label(
    api: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver, status: int
) -> None:
    """Those that the tests beside this one do not meet."""
    sandbox.add_webhook(URL, app=receiver)
    await api.put("/orders/78942", json={"status": status})
    await sandbox.delivered()
    label = receiver.payloads[0]["data"]["status"]["human_format"]["text"]
    assert label == {3: "قيد التنفيذ", 4: "مكتمل", 6: "مسترجع"}[status]


async def test_refused_change_has_no_event(
    api: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    """A change that did not happen is not reported."""
    sandbox.add_webhook(URL, app=receiver)
    await api.put("/orders/78940", json={"status": 1})
    await api.put("/orders/78940", json={"status": 9})
    await sandbox.delivered()
    assert sandbox.deliveries == ()


async def test_subscription_is_sent_before_its_order(
    api: httpx.AsyncClient,
    sandbox: Sandbox,
    receiver: Receiver,
    basket: dict[str, Any],
) -> None:
    """A free order sends both, and the price of a subscription stays a number."""
    sandbox.add_webhook(URL, app=receiver)
    basket["products"][0] |= {"identifier": 102, "quantity": 1, "subscription_plan": 14}
    await api.post("/orders", json=basket | {"coupon_code": "FREE100"})
    await sandbox.delivered()
    of_the_subscription, of_the_order = receiver.reported
    assert of_the_subscription["event"] == "subscription.created"
    assert of_the_subscription["data"]["subscription"]["variant"]["price"] == Decimal("19.99")
    assert of_the_order["event"] == "order.created"
    assert (of_the_order["data"]["total"], of_the_order["data"]["cost"]) == ("0.00", "0.00")
    assert of_the_order["data"]["transaction"]["payment_method"] == "free"


async def test_session_makes_an_order_too(
    api: httpx.AsyncClient,
    browser: httpx.AsyncClient,
    sandbox: Sandbox,
    receiver: Receiver,
    order: dict[str, Any],
) -> None:
    """A paid checkout session leads to a subscription whose order can be read."""
    sandbox.add_webhook(URL, app=receiver)
    answer = await api.post("/subscriptions/checkout-sessions", json=order)
    await browser.post(answer.json()["data"]["checkout_url"] + "/pay")
    await sandbox.delivered()
    assert [payload["event"] for payload in receiver.reported] == [
        "subscription.created",
        "order.created",
    ]
    subscription = (await api.get("/subscriptions/534")).json()["data"]
    made = (await api.get(f"/orders/{subscription['order_id']}")).json()["data"]
    assert (made["id"], made["total"], made["checkout_id"]) == (79001, 199.99, 55044)
    assert made["items"][0]["subscription"] == subscription
    assert receiver.reported[1]["data"]["id"] == 79001


@pytest.mark.parametrize("seed", [None, 7])
async def test_a_sandbox_that_starts_again_repeats_no_order_unless_it_has_a_seed(
    seed: int | None,
) -> None:
    """An inbox that drops duplicates knows the events of orders by these ids."""
    reported: list[tuple[int, int]] = []
    for _ in range(2):
        async with Sandbox(seed=seed) as sandbox, sandbox.client() as rmz:
            sandbox.add_webhook(URL, app=(receiver := Receiver()))
            await rmz.orders.create(
                created_from="myapp.com",
                products=[rmz_async.OrderLine(product=101, quantity=1)],
                customer=4501,
                coupon_code="FREE100",
            )
            await sandbox.delivered()
        made = receiver.payloads[0]["data"]
        reported.append((made["id"], made["status"]["id"]))
    first, second = reported
    assert (first[0] == second[0]) is (seed is not None)
    assert (first[1] == second[1]) is (seed is not None)
