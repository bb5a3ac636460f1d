from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from rmz_async.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock

pytestmark = pytest.mark.anyio


async def test_portal_session_by_id(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
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


async def test_portal_session_by_phone(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """Dial code and phone find the customer; the lifetime is taken as asked."""
    customer = {"country_code": "+973", "phone": "33123456"}
    answer = await api.post("/portal-sessions", json={"customer": customer, "expires_in": 300})
    assert answer.json()["data"]["expires_at"] == "2025-06-01T12:05:00.000000Z"
    (session,) = sandbox.state.portal_sessions.values()
    assert session.customer_id == 4503


@pytest.mark.parametrize("customer", [{"id": 99}, {"country_code": "966", "phone": "33123456"}])
async def test_unknown_customer_is_404(api: httpx.AsyncClient, customer: dict[str, Any]) -> None:
    """Nobody is made for a portal session."""
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


async def new_link(api: httpx.AsyncClient, **more: Any) -> str:
    """Make a portal session, and return its link."""
    answer = await api.post("/portal-sessions", json={"customer": {"id": 4501}, **more})
    return str(answer.json()["data"]["url"])


async def test_link_opens_once(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock
) -> None:
    """The first visit opens the portal, with the way back; the second is told that it is late."""
    link = await new_link(api, return_url="https://app.example/account?a=1&b=2")
    first = await browser.get(link)
    assert first.status_code == 200
    assert "Billing portal" in first.text
    assert 'href="https://app.example/account?a=1&amp;b=2"' in first.text
    (session,) = sandbox.state.portal_sessions.values()
    assert session.used_at == clock.now
    second = await browser.get(link)
    assert second.status_code == 410
    assert "This link was used already" in second.text


async def test_link_expires(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, clock: ManualClock
) -> None:
    """A link that was not opened in time says so, and has no button without a way back."""
    link = await new_link(api)
    clock.advance(hours=1)
    answer = await browser.get(link)
    assert answer.status_code == 410
    assert "This page has expired" in answer.text
    assert "<a class" not in answer.text


async def test_link_works_to_its_last_second(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, clock: ManualClock
) -> None:
    """The end itself is the first moment at which it is too late."""
    link = await new_link(api)
    clock.advance(seconds=3599)
    assert (await browser.get(link)).status_code == 200


async def test_made_up_link_is_404(browser: httpx.AsyncClient) -> None:
    """A token that was never dealt out leads nowhere."""
    answer = await browser.get("/s/made-up")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
