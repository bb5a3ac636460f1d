"""Links of the billing portal: each opens one visit, and a code opens the pages of the visit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from rmz_async.sandbox import Sandbox
from tests.sandbox.portal_visits import code_of, enter, new_link

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock

pytestmark = pytest.mark.anyio


async def test_a_portal_session_is_made_by_customer_id(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """A known customer gets a link on this server, good for an hour unless said otherwise."""
    answer = await api.post("/portal-sessions", json={"customer": {"id": 4501}})
    assert answer.status_code == 200
    assert answer.json()["message"] == "Portal session created successfully"
    (session,) = sandbox.state.portal_sessions.values()
    assert answer.json()["data"] == {
        "url": f"http://127.0.0.1/s/{session.token}",
        "expires_at": "2025-06-01T13:00:00.000000Z",
    }
    assert session.customer_id == 4501
    assert session.token not in repr(sandbox.state)


async def test_a_portal_session_is_made_by_phone(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """Dial code and phone find the customer; the lifetime is taken as asked."""
    customer = {"country_code": "+973", "phone": "33123456"}
    answer = await api.post("/portal-sessions", json={"customer": customer, "expires_in": 300})
    assert answer.json()["data"]["expires_at"] == "2025-06-01T12:05:00.000000Z"
    (session,) = sandbox.state.portal_sessions.values()
    assert session.customer_id == 4503


@pytest.mark.parametrize("customer", [{"id": 99}, {"country_code": "966", "phone": "33123456"}])
async def test_unknown_customer_is_404(api: httpx.AsyncClient, customer: dict[str, Any]) -> None:
    """A portal session makes no customer."""
    answer = await api.post("/portal-sessions", json={"customer": customer})
    assert answer.status_code == 404
    assert answer.json()["message"] == "Customer not found"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"customer", "customer.country_code", "customer.phone"}),
        ({"customer": {"id": "x"}}, {"customer.id"}),
        ({"customer": {"id": 4501}, "expires_in": 299}, {"expires_in"}),
        ({"customer": {"id": 4501}, "expires_in": 86401}, {"expires_in"}),
        ({"customer": {"id": 4501}, "return_url": "account"}, {"return_url"}),
    ],
)
async def test_portal_session_is_checked(
    api: httpx.AsyncClient, body: dict[str, Any], fields: set[str]
) -> None:
    """Wrong fields are named."""
    answer = await api.post("/portal-sessions", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"].keys() == fields


async def test_a_link_preview_does_not_use_the_link_up(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """HEAD and GET look at the link, and only the button opens the portal."""
    link = await new_link(api)
    assert (await browser.head(link)).status_code == 200
    for _ in range(2):
        page = await browser.get(link)
        assert page.status_code == 200
        assert "Send me the code" in page.text
    (session,) = sandbox.state.portal_sessions.values()
    assert session.used_at is None
    assert sandbox.state.messages == []


async def test_a_link_opens_one_visit(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock
) -> None:
    """After the button was pressed the link leads nowhere but back to the shop."""
    link = await new_link(api, return_url="https://app.example/account?a=1&b=2")
    answer = await browser.post(link)
    assert answer.headers["location"] == "/portal/code"
    (session,) = sandbox.state.portal_sessions.values()
    assert session.used_at == clock.now
    for again in (await browser.get(link), await browser.post(link)):
        assert again.status_code == 410
        assert "This link was used already" in again.text
        assert 'href="https://app.example/account?a=1&amp;b=2"' in again.text


async def test_a_link_expires(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, clock: ManualClock
) -> None:
    """A link that was not opened in time says so, and has no button without a way back."""
    link = await new_link(api)
    clock.advance(seconds=3599)
    assert (await browser.get(link)).status_code == 200
    clock.advance(seconds=1)
    answer = await browser.get(link)
    assert answer.status_code == 410
    assert "This page has expired" in answer.text
    assert "<a class" not in answer.text


async def test_a_made_up_link_is_404(browser: httpx.AsyncClient) -> None:
    """A token that was never dealt out leads nowhere."""
    answer = await browser.get("/s/made-up")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


PAGES = [
    ("GET", "/portal"),
    ("POST", "/portal/leave"),
    ("GET", "/portal/code"),
    ("POST", "/portal/code"),
    ("GET", "/portal/subscriptions/501"),
    ("POST", "/portal/subscriptions/501/cancel"),
    ("POST", "/portal/subscriptions/501/resume"),
    ("GET", "/portal/subscriptions/501/card"),
    ("POST", "/portal/subscriptions/501/card"),
    ("GET", "/portal/subscriptions/501/plan/14"),
    ("POST", "/portal/subscriptions/501/plan/14"),
    ("GET", "/portal/invoices/78901"),
]


@pytest.mark.parametrize(("method", "path"), PAGES)
async def test_no_page_opens_without_a_visit(
    browser: httpx.AsyncClient, sandbox: Sandbox, method: str, path: str
) -> None:
    """A made-up cookie is no visit either."""
    before = repr(sandbox.state)
    assert (await browser.request(method, path)).status_code == 404
    browser.cookies.set("rmz-portal", "made-up")
    assert (await browser.request(method, path)).status_code == 404
    assert repr(sandbox.state) == before


@pytest.mark.parametrize(("method", "path"), [row for row in PAGES if "code" not in row[1]])
async def test_no_page_but_the_form_for_the_code_opens_before_the_code(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox, method: str, path: str
) -> None:
    """A visitor who has found a link has not found a phone."""
    await browser.post(await new_link(api))
    status = sandbox.state.subscriptions[501].status
    answer = await browser.request(method, path)
    if path == "/portal/leave":
        assert answer.status_code == 200
    else:
        assert answer.headers["location"] == "/portal/code"
    assert sandbox.state.subscriptions[501].status == status


async def test_the_code_goes_to_the_customers_phone_alone(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """The log has it for people and for programs, and no repr has it."""
    await browser.post(await new_link(api))
    code = await code_of(browser)
    assert len(code) == 6
    assert code in (await browser.get("/messages")).text
    assert (await browser.get("/messages.json?to=1")).json() == []
    assert code not in repr(sandbox.state)
    page = await browser.get("/portal/code")
    assert code not in page.text
    assert "+966 ••••••678" in page.text


async def test_a_code_may_be_typed_in_arabic_digits(
    api: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    """Blanks are overlooked, too."""
    await browser.post(await new_link(api))
    code = (await code_of(browser)).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    answer = await browser.post("/portal/code", data={"code": f" {code[:3]} {code[3:]} "})
    assert answer.headers["location"] == "/portal"


async def test_five_wrong_codes_lock_the_visit(
    api: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    """After the fifth not even the right one opens it."""
    await browser.post(await new_link(api))
    right = await code_of(browser)
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(4):
        page = await browser.post("/portal/code", data={"code": wrong})
        assert page.status_code == 422
        assert "This code is wrong." in page.text
    assert (await browser.post("/portal/code", data={})).status_code == 423
    assert (await browser.post("/portal/code", data={"code": right})).status_code == 423
    assert (await browser.get("/portal")).status_code == 423


async def test_a_visit_ends_with_the_lifetime_of_its_link(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, clock: ManualClock
) -> None:
    """An hour is an hour, inside the portal too."""
    await enter(api, browser, expires_in=300)
    assert (await browser.get("/portal")).status_code == 200
    clock.advance(minutes=5)
    assert (await browser.get("/portal")).status_code == 410


async def test_leaving_leads_back_to_the_shop(
    api: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    """The visit is over, and the cookie opens nothing any more."""
    await enter(api, browser, return_url="https://app.example/account")
    answer = await browser.post("/portal/leave")
    assert answer.headers["location"] == "https://app.example/account"
    assert (await browser.get("/portal")).status_code == 404

    await enter(api, browser)
    assert "You can close this page." in (await browser.post("/portal/leave")).text
