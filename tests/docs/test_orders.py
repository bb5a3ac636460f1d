"""The functions of "Orders"."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import rmz_async
from tests.docs.networks import LosesAnswers, pay
from tests.docs.pages import Page

PAGE = "docs/orders.md"
SECRET = "a-secret-of-28-characters-at"


def test_the_order_of_three_things_waits_for_its_payment(page: Page) -> None:
    page.run("Order something")

    async def order() -> object:
        async with rmz_async.Client() as rmz:
            return await page["order_three"](rmz)

    made = page.wait(order())
    assert isinstance(made, rmz_async.PendingOrder)
    assert str(made.amount) == "422.97"


def test_a_second_click_leads_to_the_first_checkout(page: Page) -> None:
    page.run("Three results are possible")

    async def click_twice() -> None:
        async with rmz_async.Client() as rmz:
            first = await page["buy"](rmz, 4501, "game-key")
            assert "/order-checkout/" in first
            assert await page["buy"](rmz, 4501, "game-key") == first
            page["checkouts"].clear()
            assert (await page["buy"](rmz, 4501, "game-key")).endswith("/try-again-in-5-minutes")

    page.wait(click_twice())


def test_a_free_order_is_complete_and_a_second_click_leads_to_it(page: Page) -> None:
    page.run("Three results are possible")

    async def click_twice() -> None:
        async with rmz_async.Client() as rmz:
            first = await page["buy"](rmz, 4502, "free-ebook")
            assert first.startswith("https://app.example/orders/")
            assert await page["buy"](rmz, 4502, "free-ebook") == first

    page.wait(click_twice())


def test_an_order_whose_answer_was_lost_has_no_address(page: Page) -> None:
    page.run("Three results are possible")

    async def lose() -> None:
        async with LosesAnswers().client() as network:
            policy = rmz_async.RetryPolicy(backoff=0.001)
            async with rmz_async.Client(http=network, retry=policy) as rmz:
                with pytest.raises(rmz_async.OutcomeUnknownError):
                    await page["buy"](rmz, 4503, "game-key")
        async with rmz_async.Client() as rmz:
            assert (await page["buy"](rmz, 4503, "game-key")).endswith("/try-again-in-5-minutes")

    page.wait(lose())


@pytest.mark.parametrize(
    ("quantity", "coupon", "answer"),
    [
        (0, "SAVE10", "Please correct: products.0.quantity"),
        (1, "NOPE", "The shop says: Invalid coupon code"),
        (9999, "SAVE10", "The shop says: Requested quantity not available for product: Game Key"),
        (1, "SAVE10", "Ordered."),
    ],
)
def test_a_refusal_is_explained(page: Page, quantity: int, coupon: str, answer: str) -> None:
    page.run("When RMZ refuses")

    async def order() -> object:
        async with rmz_async.Client() as rmz:
            return await page["try_to_order"](rmz, quantity, coupon)

    assert page.wait(order()) == answer


def test_an_event_leads_to_the_order_as_it_is_now(page: Page) -> None:
    page.run("Learn that it was paid")
    events: list[rmz_async.Event] = []

    async def receive(request: Request) -> Response:
        body = await request.body()
        events.append(rmz_async.webhooks.verify(body, request.headers, secrets=[SECRET]))
        return Response(status_code=204)

    app = Starlette(routes=[Route("/", receive, methods=["POST"])])
    page.sandbox.add_webhook("http://127.0.0.1/", secret=SECRET, app=app)

    async def sell() -> rmz_async.PendingOrder:
        async with rmz_async.Client() as rmz:
            made = await rmz.orders.create(
                created_from="app.example",
                customer=4502,
                products=[rmz_async.OrderLine(product="game-key")],
            )
            assert isinstance(made, rmz_async.PendingOrder)
            pay(made.checkout_url)
            await page.sandbox.delivered()
            await page["on_event"](rmz, events[0])
            return made

    made = page.wait(sell())
    (event,) = events
    assert event.order is not None
    assert event.order.items is not None
    assert page.printed == [f"order {event.order.id} of checkout {made.checkout_id} is complete"]
    assert event.order.items[0].codes
    secret = event.order.items[0].codes[0].code
    assert secret
    assert secret not in repr(event)


def test_the_report_adds_up_complete_orders_of_the_days(page: Page) -> None:
    page.run("Read orders")

    async def add_up() -> None:
        async with rmz_async.Client() as rmz:
            complete = [one async for one in rmz.orders.list() if one.current_status == 4]
            today = datetime.now(UTC).date()
            total = sum(one.total or 0 for one in complete)
            assert await page["report"](rmz, date(2020, 1, 1), today) == total
            assert await page["report"](rmz, date(2020, 1, 1), date(2020, 1, 2)) == 0

    page.wait(add_up())


class BreaksOnPage2(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.params["page"] == "2":
            raise httpx.ConnectError("the connection broke")
        return await super().handle_async_request(request)


def test_a_broken_export_continues_from_its_page(page: Page) -> None:
    page.run("Read orders")
    rows: list[Any] = []

    async def export() -> None:
        async with httpx.AsyncClient(transport=BreaksOnPage2()) as network:
            once = rmz_async.RetryPolicy(max_attempts=1)
            async with rmz_async.Client(http=network, retry=once) as rmz:
                assert await page["export"](rmz, rows) == 2
        async with rmz_async.Client() as rmz:
            assert await page["export"](rmz, rows, page=2) is None

    page.wait(export())
    assert [row.id for row in rows] == sorted(page.sandbox.state.orders)


def test_a_step_whose_answer_was_lost_is_found_in_the_order(page: Page) -> None:
    page.run("Change the status")
    (waiting, *_) = [
        number
        for number, order in page.sandbox.state.orders.items()
        if order.status.name == "IN_PROGRESS"
    ]

    async def complete() -> None:
        async with LosesAnswers().client() as network, rmz_async.Client(http=network) as rmz:
            assert await page["complete"](rmz, waiting) == "Completed."
        async with rmz_async.Client() as rmz:
            refused = await page["complete"](rmz, waiting)
            assert refused == "RMZ does not allow it: Invalid status transition"

    page.wait(complete())


def test_without_await_an_order_is_made_and_all_are_read(page: Page) -> None:
    page.run()

    assert "/order-checkout/" in page.printed[0]
    assert len(page.printed) == 1 + len(page.sandbox.state.orders)
