from __future__ import annotations

import json
import re
from html import unescape

import httpx
import pytest

from rmz_async.sandbox import Sandbox
from tests.endpoints import ENDPOINTS

pytestmark = pytest.mark.anyio


async def send(browser: httpx.AsyncClient, method: str, path: str, body: object = None) -> str:
    """Make a call on the page; return the page that shows its answer."""
    form = {"method": method, "path": path, "body": "" if body is None else json.dumps(body)}
    answer = await browser.post("/calls", data=form)
    assert answer.headers["location"] == "/requests?open=newest"
    return unescape((await browser.get(answer.headers["location"])).text)


async def test_every_call_of_the_api_is_on_the_page(browser: httpx.AsyncClient) -> None:
    """The page is made of the contract, so that a new call is on it."""
    page = (await browser.get("/calls")).text
    shown = set(re.findall(r"<summary><code dir=\"ltr\">(\w+ [^<]+)</code>", page))
    assert shown >= {"POST /orders", "PUT /products/{id}", "GET /store/statics"}
    assert len(shown) == len(ENDPOINTS)


async def test_a_call_is_made_with_the_token_and_its_answer_is_opened(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """A change, a read with a query, and a product that is made and replaced."""
    page = await send(browser, "POST", "/subscriptions/501/extend", {"days": 7})
    assert len(sandbox.ledger.extensions(501)) == 1
    assert page.count('<details class="exchange" open>') == 1
    page = await send(browser, "GET", "/subscriptions/lookup?external_customer_id=usr_abc123")
    assert '"count": 1' in page
    for one in sandbox.requests:
        assert one.status == 200
    assert sandbox.token.split("|")[1] not in page


async def test_a_file_is_uploaded(browser: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """The form is passed on as the browser has sent it."""
    files = {"file": ("logo.png", b"\x89PNG", "image/png")}
    answer = await browser.post("/calls/upload/image", files=files)
    assert answer.status_code == 303
    assert sandbox.requests[-1].status == 200
    assert len(sandbox.ledger.of("products.upload")) == 1
    assert (await browser.post("/calls/upload/poem", files=files)).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/orders/78901"),
        ("GET", "orders"),
        ("GET", ""),
        ("", "/orders"),
    ],
)
async def test_only_a_call_of_the_api_can_be_made(
    browser: httpx.AsyncClient, sandbox: Sandbox, method: str, path: str
) -> None:
    """Nothing was sent."""
    answer = await browser.post("/calls", data={"method": method, "path": path})
    assert answer.status_code == 404
    assert sandbox.requests == ()


async def test_a_connection_that_a_fault_cuts_is_shown_as_that(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """A developer sees what the client would meet."""
    sandbox.faults.add("reset")
    form = {"method": "GET", "path": "/orders"}
    answer = await browser.post("/calls", data=form)
    assert "the connection was cut" in (await browser.get(answer.headers["location"])).text
    answer = await browser.post("/calls", data={**form, "path": "/\x00"})
    assert 'role="alert"' in (await browser.get(answer.headers["location"])).text


async def test_the_page_cannot_be_used_from_another_one(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """The page has the token, so that a foreign form would have it too."""
    foreign = {"Origin": "http://localhost:3000"}
    form = {"method": "POST", "path": "/subscriptions/501/pause"}
    assert (await browser.post("/calls", data=form, headers=foreign)).status_code == 403
    assert sandbox.ledger == ()
