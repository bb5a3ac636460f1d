"""The sandbox's pages, as somebody meets them who wants to break them or to use them as a tool."""

from __future__ import annotations

import re

import httpx
import pytest
from starlette.routing import BaseRoute, Mount, Route

from rmz_async.sandbox import Sandbox
from tests.seams import routes_of

pytestmark = pytest.mark.anyio

MANY_DIGITS = "9" * 5_000
LARGE = str(10**10)


def paths(routes: list[BaseRoute], prefix: str = "") -> list[tuple[str, str]]:
    """Return each method and path that there is, with something in place of each parameter."""
    found: list[tuple[str, str]] = []
    for one in routes:
        if isinstance(one, Mount):
            found += paths(one.routes, prefix + one.path)
        elif isinstance(one, Route):
            path = re.sub(r"{\w+:number}", "501", prefix + one.path)
            path = re.sub(r"{[^}]+}", "extend", path)
            found += [(method, path) for method in sorted(one.methods or ())]
    return found


def pages(sandbox: Sandbox) -> list[tuple[str, str]]:
    """Return those outside the API, whose forms need no token."""
    found = [one for one in paths(routes_of(sandbox)) if not one[1].startswith("/shawarma")]
    assert len(found) > 50
    return found


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://127.0.0.1:3000"}, 403),
        ({"Origin": "null"}, 400),
        ({"Origin": "https://evil.example"}, 400),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
async def test_no_form_of_any_page_can_be_sent_from_another_page(
    browser: httpx.AsyncClient, sandbox: Sandbox, headers: dict[str, str], status: int
) -> None:
    """Each path that takes a POST is asked, so that a new form is asked too."""
    before = sandbox.clock.now()
    forms = [path for method, path in pages(sandbox) if method == "POST"]
    assert len(forms) > 20
    for path in forms:
        answer = await browser.post(path, data={"days": "1"}, headers=headers)
        assert answer.status_code == status, path
    assert sandbox.ledger == ()
    assert sandbox.clock.now() == before
    assert sandbox.faults.rules == []


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "127.0.0.1@evil", ""],
)
async def test_a_name_that_was_led_here_sees_no_page(
    browser: httpx.AsyncClient, sandbox: Sandbox, host: str
) -> None:
    """Neither to read nor to write: the page of a stranger would see what it has asked."""
    for method, path in pages(sandbox):
        if path != "/live":
            answer = await browser.request(method, path, headers={"Host": host})
            assert answer.status_code == 400, path
            assert sandbox.token not in answer.text


async def test_no_page_reads_a_body_that_is_too_large(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """The announced length is enough to refuse it."""
    for method, path in pages(sandbox):
        if method == "POST":
            headers = {"Content-Length": LARGE}
            answer = await browser.post(path, content=b"x", headers=headers)
            assert answer.status_code in (413, 401), path


@pytest.mark.parametrize("number", ["1e308", "-1e308", "inf", "nan", "1e400", "x", "-5"])
async def test_a_number_that_nobody_means_is_nothing(
    browser: httpx.AsyncClient, sandbox: Sandbox, number: str
) -> None:
    """The clock stays, and there is no such plan."""
    before = sandbox.clock.now()
    answer = await browser.post("/clock", data={"days": number, "hours": number})
    assert answer.status_code == 303
    assert sandbox.clock.now() == before
    answer = await browser.post("/customers/4501/checkout", data={"variant": number})
    assert answer.status_code == 404


async def test_a_path_with_thousands_of_digits_is_not_there(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Python refuses to read so many."""
    for method, path in pages(sandbox):
        if "501" in path:
            answer = await browser.request(method, path.replace("501", MANY_DIGITS))
            assert answer.status_code == 404, path


@pytest.mark.parametrize("path", ["/sandbox/clock", "/sandbox/emit", "/sandbox/resend"])
@pytest.mark.parametrize("body", [b"[" * 100_000, b"", b"\xff", b"[1]", b'"x"', b'{"id":1e400}'])
async def test_a_senseless_body_of_a_control_call_is_refused(
    api: httpx.AsyncClient, sandbox: Sandbox, path: str, body: bytes
) -> None:
    """With words, and without a trace of it in the log."""
    answer = await api.post(f"http://127.0.0.1{path}", content=body)
    assert answer.status_code == 422
    assert answer.json()["message"]
