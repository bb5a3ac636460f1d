"""The services of "In your framework"."""

from __future__ import annotations

import httpx
from aiohttp.test_utils import TestClient, TestServer

import rmz_async
from rmz_async.sandbox import Status
from tests.docs.pages import Page

PAGE = "docs/frameworks.md"


def browser(app: object) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type] # an application of the page
    return httpx.AsyncClient(transport=transport, base_url="http://app.example")


def test_the_gate_of_fastapi_lets_a_subscriber_in(page: Page) -> None:
    page.run("Subscribers only")

    async def visit() -> None:
        async with browser(page["shop"]) as visitor:
            assert (await visitor.get("/premium")).json() == "active"

    page.wait(visit())


def test_fastapi_shows_the_report_to_those_who_paid(page: Page) -> None:
    page.run("FastAPI")
    app = page["app"]

    async def visit() -> None:
        async with app.router.lifespan_context(app), browser(app) as visitor:
            assert (await visitor.get("/report")).json() == {"text": "…"}
            page.sandbox.state.subscriptions[501].status = Status.EXPIRED
            assert (await visitor.get("/report")).status_code == 402

    page.wait(visit())


def test_fastapi_shows_a_model_as_a_dictionary(page: Page) -> None:
    page.run("FastAPI")
    app = page["app"]

    async def visit() -> None:
        async with app.router.lifespan_context(app), browser(app) as visitor:
            shown = (await visitor.get("/admin/subscriptions/501")).json()
            assert (shown["id"], shown["status"]) == (501, "active")

    page.wait(visit())


def test_fastapi_answers_503_if_a_call_fails(page: Page) -> None:
    page.run("FastAPI")
    app = page["app"]

    async def visit() -> None:
        async with rmz_async.Client("1|wrong") as refused, browser(app) as visitor:
            app.state.rmz = refused
            assert (await visitor.get("/report")).status_code == 503

    page.wait(visit())


def test_starlette_has_the_client_in_its_state(page: Page) -> None:
    page.run("Starlette")
    app = page["app"]

    async def visit() -> None:
        async with app.router.lifespan_context(app), browser(app) as visitor:
            assert (await visitor.get("/access")).json() == {"access": True}

    page.wait(visit())


def test_aiohttp_shows_the_report_to_those_who_paid(page: Page) -> None:
    page.run("aiohttp")

    async def visit() -> None:
        async with TestClient(TestServer(page["app"])) as visitor:
            assert await (await visitor.get("/report")).json() == {"report": "…"}
            page.sandbox.state.subscriptions[501].status = Status.EXPIRED
            assert (await visitor.get("/report")).status == 402

    page.wait(visit())


def test_trio_and_jupyter_print_the_subscription(page: Page) -> None:
    page.run()

    assert page.printed == ["active", "True"]
