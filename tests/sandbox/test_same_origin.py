from __future__ import annotations

import httpx
import pytest

from rmz_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

FORM = "/checkout/made-up/pay"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_form_of_another_local_page_is_refused(
    browser: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    """A page on another port of this machine is another origin."""
    assert (await browser.post(FORM, headers=headers)).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_the_pages_own_forms_and_programs_are_let_through(
    browser: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    """The page is not there, and its absence is the answer."""
    assert (await browser.post(FORM, headers=headers)).status_code == 404


async def test_a_link_from_another_local_page_opens(browser: httpx.AsyncClient) -> None:
    """Reading changes nothing, and the shop's own page leads to the checkout."""
    answer = await browser.get("/checkout/made-up", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 404


async def test_the_api_asks_for_its_token_alone(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """A browser adds no bearer token by itself."""
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:3000"}
    answer = await api.post("/subscriptions/501/pause", headers=headers)
    assert answer.status_code == 200
    assert sandbox.state.subscriptions[501].status == "paused"
