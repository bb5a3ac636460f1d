"""The service of "Decide who gets in", and the lines of "When RMZ is down"."""

from __future__ import annotations

import httpx

from rmz_async.paywall import PaywallDouble
from tests.docs.networks import pay
from tests.docs.pages import Page

PAGE = "docs/paywall.md"


def browser(app: object) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type] # an application of the page
    return httpx.AsyncClient(transport=transport, base_url="https://app.example")


def test_the_page_prints_what_it_says(page: Page) -> None:
    page.run()

    assert page.printed == [
        "True active api",
        "True",
        "period_ended",
        "102 15 199.99",
        "plans: the store has no plan pro-plan, yearly; "
        "the nearest are: pro-plan, biennial; pro-plan, annually; pro-plan, monthly",
        "True",
        "True",
        "False",
    ]


def test_a_customer_buys_comes_back_and_is_let_in(page: Page) -> None:
    page.run("Read the answer")
    app = page["app"]

    async def visit() -> None:
        async with app.router.lifespan_context(app), browser(app) as visitor:
            assert (await visitor.get("/report")).status_code == 402
            assert (await visitor.get("/figures")).status_code == 402
            checkout = (await visitor.post("/subscribe")).headers["location"]
            back = pay(checkout)
            app.dependency_overrides[page["signed_in_user"]] = lambda: "usr_other"
            assert (await visitor.get(back)).status_code == 403
            app.dependency_overrides.clear()
            welcome = await visitor.get(back)
            assert (welcome.status_code, welcome.headers["location"]) == (303, "/report")
            assert (await visitor.get("/report")).json() == {"text": "…"}
            assert (await visitor.get("/figures")).json() == {"text": "…"}
            assert (await visitor.get("/welcome?rmz-subscription-id=501")).status_code == 404

    page.wait(visit())


def test_a_visitor_is_not_told_to_pay_while_rmz_is_down(page: Page) -> None:
    page.run("The whole service")
    double = PaywallDouble()
    double.outage()
    page.names["paywall"] = double

    async def visit() -> None:
        async with browser(page["app"]) as visitor:
            refused = await visitor.get("/report")
            assert refused.status_code == 503
            assert int(refused.headers["retry-after"]) > 0
        await page["rmz"].aclose()

    page.wait(visit())
