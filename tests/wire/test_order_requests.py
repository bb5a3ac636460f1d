"""Each call about orders sends the documented request and reads the documented answer."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx

from rmz_async import (
    BadRequestError,
    CompletedOrder,
    DuplicateOrder,
    InvalidRequestError,
    NewCustomer,
    NotFoundError,
    OrderLine,
    OrderStatus,
    OutcomeUnknownError,
    PendingOrder,
    UnprocessableEntityError,
)

pytestmark = pytest.mark.anyio

AHMED = NewCustomer(
    country_code="+966",
    phone="512345678",
    first_name="أحمد",
    last_name="Ali",
    email="ahmed@example.com",
)
URL = "https://app.rmz.gg/checkout/abc123"
PAID = {
    "checkout_id": 123456,
    "checkout_url": URL,
    "amount": 299.99,
    "status": "pending_payment",
}
ORDER = {
    "id": 78901,
    "total": 299.99,
    "current_status": 4,
    "created_at": "2024-01-15T14:30:00.000000Z",
    "items": [{"id": 1001, "quantity": 2, "price": 149.99, "fields": [], "subscription": None}],
    "customer": {"id": 123, "firstName": "Ahmed", "country_code": "966"},
}
LINES = [OrderLine(product=101)]


def answer(data: object, status: int = 200) -> httpx.Response:
    """Return a body as RMZ wraps every success."""
    envelope = {"message": None, "data": data, "api": "rmz.shawarma", "timestamp": 1780000000}
    return httpx.Response(status, json=envelope)


def sent(route: respx.Route) -> httpx.Request:
    """The one request that a route got."""
    (call,) = route.calls
    request: httpx.Request = call.request
    return request


async def test_unset_fields_of_an_order_are_left_out(
    rmz_api: respx.MockRouter, make_client: Any
) -> None:
    """The body is right to the last byte: RMZ recognises an order by its content."""
    route = rmz_api.post("/orders").mock(return_value=answer(PAID, 201))
    async with make_client() as rmz:
        created = await rmz.orders.create(created_from="app.example", products=LINES)
    assert sent(route).content == (
        b'{"created_from":"app.example",'
        b'"products":[{"identifier_type":"id","identifier":101,"quantity":1}]}'
    )
    assert sent(route).headers["content-type"] == "application/json"
    assert sent(route).headers["accept"] == "application/json"
    assert str(sent(route).url) == "https://merchant-api.rmz.gg/shawarma/orders"
    assert created == PendingOrder(
        checkout_id=123456,
        checkout_url=URL,
        amount=Decimal("299.99"),
        status="pending_payment",
    )


async def test_an_order_is_sent_by_rmzs_names(rmz_api: respx.MockRouter, make_client: Any) -> None:
    """Everything goes under RMZ's names, Arabic as UTF-8, and the kind of name by its type."""
    route = rmz_api.post("/orders").mock(return_value=answer(PAID, 201))
    async with make_client() as rmz:
        await rmz.orders.create(
            created_from="app.example",
            customer=AHMED,
            products=[
                OrderLine(
                    product="101",
                    quantity=2,
                    options={"size": "كبير", "length": 1.5, "gift": True, "engraving": None},
                    notice="لف هدية",
                ),
                OrderLine(product=102, plan=15),
            ],
            coupon_code="SAVE10",
        )
    assert sent(route).content.decode() == (
        '{"customer":{"country_code":"966","phone":"512345678",'
        '"firstName":"أحمد","lastName":"Ali","email":"ahmed@example.com"},'
        '"created_from":"app.example","products":['
        '{"identifier_type":"slug","identifier":"101","quantity":2,'
        '"options":{"size":"كبير","length":1.5,"gift":true,"engraving":null},'
        '"notice":"لف هدية"},'
        '{"identifier_type":"id","identifier":102,"quantity":1,"subscription_plan":15}],'
        '"coupon_code":"SAVE10"}'
    )


async def test_a_known_customer_is_sent_by_id_alone(
    rmz_api: respx.MockRouter, make_client: Any
) -> None:
    """A customer who is known is named only by the id."""
    route = rmz_api.post("/orders").mock(return_value=answer(PAID, 201))
    async with make_client() as rmz:
        await rmz.orders.create(created_from="app.example", products=LINES, customer=12345)
    assert sent(route).content.startswith(b'{"customer":{"id":12345},')


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (
            {
                "message": "Order created successfully",
                "data": {"order_id": 789012, "status": "completed", "amount": 0},
                "api": "rmz.shawarma",
                "timestamp": 1699999999,
            },
            201,
            CompletedOrder(order_id=789012, status="completed", amount=Decimal(0)),
        ),
        (
            {
                "success": True,
                "message": "Checkout already exists",
                "data": {"checkout_id": 123456, "duplicate": True},
            },
            200,
            DuplicateOrder(checkout_id=123456, duplicate=True),
        ),
        (
            {
                "success": True,
                "message": "Order already exists",
                "data": {"order_id": 789012, "duplicate": 1},
            },
            201,
            DuplicateOrder(order_id=789012, duplicate=True),
        ),
    ],
    ids=["free", "duplicate checkout", "duplicate order"],
)
async def test_free_and_duplicate_orders_are_results_of_their_own(
    rmz_api: respx.MockRouter, make_client: Any, body: Any, status: int, expected: object
) -> None:
    """A free order and a duplicate are results of their own; a duplicate's envelope differs."""
    route = rmz_api.post("/orders").mock(return_value=httpx.Response(status, json=body))
    async with make_client() as rmz:
        created = await rmz.orders.create(created_from="app.example", products=LINES)
    assert len(route.calls) == 1
    assert type(created) is type(expected)
    assert created == expected


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        "x",
        {"checkout_id": 123456},
        {"checkout_url": URL},
        {**PAID, "checkout_id": "x"},
        {"order_id": True},
        {"checkout_id": "x", "duplicate": True},
    ],
    ids=repr,
)
async def test_an_unreadable_result_leaves_the_order_unknown(
    rmz_api: respx.MockRouter, make_client: Any, data: object
) -> None:
    """The order may have been made: what came back of it is no reason to say that it was not."""
    rmz_api.post("/orders").mock(return_value=answer(data, 201))
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError, match=r"^orders\.create was sent") as caught:
            await rmz.orders.create(created_from="app.example", products=LINES)
    assert "RMZ answers with the first one" in str(caught.value)
    assert caught.value.sent_at is not None


async def test_an_amount_that_cannot_be_read_hides_no_order(
    rmz_api: respx.MockRouter, make_client: Any
) -> None:
    """The customer can pay, because only the identifiers and the address decide anything."""
    rmz_api.post("/orders").mock(return_value=answer({**PAID, "amount": "much"}, 201))
    async with make_client() as rmz:
        created = await rmz.orders.create(created_from="app.example", products=LINES)
    assert isinstance(created, PendingOrder)
    assert (created.checkout_url, created.amount) == (URL, None)
    assert created.unreadable == {"amount": "much"}


REFUSALS = [
    "Product not found: 101",
    "Product unavailable: Premium",
    "Requested quantity not available for product: Premium",
    "Minimum quantity is 3 for product: Premium",
    "Maximum quantity allowed for subscriptions is 1",
    "Invalid coupon code",
    "Coupon is no longer valid",
    "Failed to create or find customer",
    "المنتج غير متوفر",
]


@pytest.mark.parametrize("message", REFUSALS)
async def test_a_rule_of_the_shop_is_raised_in_rmzs_words(
    rmz_api: respx.MockRouter, make_client: Any, message: str
) -> None:
    """A refusal by the shop is one request and one error, with RMZ's words intact."""
    body = {"message": message, "data": None, "error": True, "api": "rmz.shawarma"}
    route = rmz_api.post("/orders").mock(return_value=httpx.Response(400, json=body))
    async with make_client() as rmz:
        with pytest.raises(BadRequestError) as caught:
            await rmz.orders.create(created_from="app.example", products=LINES)
    assert caught.value.message == message
    assert message in str(caught.value)
    assert caught.value.errors == {}
    assert caught.value.operation == "orders.create"
    assert len(route.calls) == 1


@pytest.mark.parametrize("status", [400, 422])
async def test_a_refused_field_has_the_clients_path(
    rmz_api: respx.MockRouter, make_client: Any, status: int
) -> None:
    """A field that RMZ refuses has the path that a refusal from here would have."""
    errors = {"products.0.identifier": ["The selected identifier is invalid."]}
    body = {"message": "The given data was invalid.", "errors": errors}
    rmz_api.post("/orders").mock(return_value=httpx.Response(status, json=body))
    wanted = {400: BadRequestError, 422: UnprocessableEntityError}[status]
    async with make_client() as rmz:
        with pytest.raises(wanted) as caught:
            await rmz.orders.create(created_from="app.example", products=LINES)
        with pytest.raises(InvalidRequestError) as refused:
            await rmz.orders.create(created_from="x", products=[OrderLine(product=0)])
    assert caught.value.errors == {
        "products.0.identifier": ("The selected identifier is invalid.",)
    }
    assert caught.value.errors.keys() == refused.value.errors.keys()


async def test_nothing_is_sent_where_an_order_breaks_a_rule(
    rmz_api: respx.MockRouter, make_client: Any
) -> None:
    """All faults come in one error, before anything is sent."""
    bad = OrderLine(product="", quantity=True, options={"n": float("nan")}, notice="x" * 801)
    async with make_client() as rmz:
        with pytest.raises(InvalidRequestError, match="was not sent") as caught:
            await rmz.orders.create(created_from="", products=[bad])
    assert list(caught.value.errors) == [
        "created_from",
        "products.0.identifier",
        "products.0.quantity",
        "products.0.notice",
        "products.0.options",
    ]
    assert not rmz_api.calls


async def test_get_order_reads_exact_amounts(rmz_api: respx.MockRouter, make_client: Any) -> None:
    """An order is read, its amounts exact and its times in UTC."""
    route = rmz_api.get("/orders/78901").mock(return_value=answer(ORDER))
    async with make_client() as rmz:
        order = await rmz.orders.get(78901)
    assert sent(route).content == b""
    assert str(sent(route).url).endswith("/shawarma/orders/78901")
    assert order.current_status is OrderStatus.COMPLETED
    assert str(order.total) == "299.99"
    assert order.created_at == datetime(2024, 1, 15, 14, 30, tzinfo=UTC)
    assert [str(item.price) for item in order.items] == ["149.99"]
    assert order.customer.first_name == "Ahmed"


async def test_an_order_of_another_store_is_not_found(
    rmz_api: respx.MockRouter, make_client: Any
) -> None:
    """An order of another store is none of this one's."""
    rmz_api.get("/orders/1").mock(
        return_value=httpx.Response(404, json={"message": "no", "error": True})
    )
    async with make_client() as rmz:
        with pytest.raises(NotFoundError, match=r"^orders\.get"):
            await rmz.orders.get(1)


def page_of(number: int, last: int = 3) -> httpx.Response:
    """Two orders a page."""
    more = f"https://elsewhere.example/?page={number + 1}" if number < last else None
    orders = [{**ORDER, "id": number * 10 + place} for place in (0, 1)]
    return answer({"current_page": number, "data": orders, "next_page_url": more, "per_page": 15})


async def test_list_orders_asks_for_each_page_once(
    rmz_api: respx.MockRouter, make_client: Any
) -> None:
    """A list asks for each page once, with all its filters, and days are written as such."""
    route = rmz_api.get("/orders").mock(side_effect=[page_of(1), page_of(2), page_of(3)])
    async with make_client() as rmz:
        pager = rmz.orders.list(
            created_from=date(2024, 1, 2),
            created_to=date(2024, 1, 31),
            order_by="created_at",
            order_direction="asc",
        )
        assert not route.calls
        assert [order.id async for order in pager] == [10, 11, 20, 21, 30, 31]
    assert [call.request.url.query.decode() for call in route.calls] == [
        f"page={number}&created_from=2024-01-02&created_to=2024-01-31"
        "&orderBy=created_at&orderDirection=asc"
        for number in (1, 2, 3)
    ]


async def test_list_orders_always_names_the_sorting(
    rmz_api: respx.MockRouter, make_client: Any
) -> None:
    """A filter that is not given is not asked for; the order of the list is always said."""
    route = rmz_api.get("/orders").mock(return_value=page_of(2))
    async with make_client() as rmz:
        page = await rmz.orders.list(page=2).first()
    assert sent(route).url.query == b"page=2&orderBy=id&orderDirection=desc"
    assert (page.number, page.has_next, page.per_page) == (2, True, 15)


@pytest.mark.parametrize(("status", "number"), [(OrderStatus.IN_PROGRESS, 3), (6, 6)])
async def test_update_order_puts_the_number(
    rmz_api: respx.MockRouter, make_client: Any, status: int, number: int
) -> None:
    """A move is a PUT of the number, and what RMZ says to it is nothing."""
    body = {"message": "Order Has Been Updates", "data": None, "api": "rmz.shawarma"}
    route = rmz_api.put("/orders/78901").mock(return_value=httpx.Response(200, json=body))
    async with make_client() as rmz:
        assert await rmz.orders.update(78901, status=status) is None
    assert sent(route).content == f'{{"status":{number}}}'.encode()
    assert sent(route).headers["content-type"] == "application/json"


@pytest.mark.parametrize("data", [None, {}, [], {"id": 78901}, "done"], ids=repr)
async def test_whatever_a_move_answers(
    rmz_api: respx.MockRouter, make_client: Any, data: object
) -> None:
    """Nothing of the answer is used, so nothing of it can be wrong."""
    rmz_api.put("/orders/78901").mock(return_value=answer(data))
    async with make_client() as rmz:
        assert await rmz.orders.update(78901, status=4) is None


async def test_a_forbidden_move_is_raised_in_rmzs_words(
    rmz_api: respx.MockRouter, make_client: Any
) -> None:
    """RMZ's own words say why."""
    body = {"message": "Invalid status transition", "data": None, "error": True}
    rmz_api.put("/orders/78901").mock(return_value=httpx.Response(400, json=body))
    rmz_api.get("/orders/78901").mock(return_value=answer({**ORDER, "current_status": 6}))
    async with make_client() as rmz:
        with pytest.raises(BadRequestError) as caught:
            await rmz.orders.update(78901, status=1)
    assert caught.value.message == "Invalid status transition"
