"""The pages' decisions, if somebody between the reader and RMZ answers in RMZ's place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

import rmz_async
import rmz_sync
from tests.docs.pages import Page

QUICK = rmz_async.RetryPolicy(backoff=0.001)

JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html"}

FOREIGN = {
    "nginx-404": (404, HTML, b"<html><h1>404 Not Found</h1><hr>nginx/1.27.2</html>"),
    "cloudflare-403": (
        403,
        {**HTML, "Server": "cloudflare", "CF-RAY": "8c1f-RUH"},
        b"<!DOCTYPE html><title>Attention Required! | Cloudflare</title>",
    ),
    "cloudflare-json-403": (
        403,
        {**JSON, "Server": "cloudflare"},
        b'{"success": false, "errors": [{"code": 1020, "message": "Access denied"}]}',
    ),
    "kong-404": (404, JSON, b'{"message": "no Route matched with those values"}'),
    "aws-403": (403, JSON, b'{"message": "Forbidden"}'),
    "validating-gateway-422": (
        422,
        JSON,
        b'{"message": "Unknown tenant", "errors": {"X-Tenant": ["required"]}}',
    ),
    "problem-404": (
        404,
        {"Content-Type": "application/problem+json"},
        b'{"title": "Not Found", "status": 404}',
    ),
    "plain-404": (404, {"Content-Type": "text/plain"}, b"404 page not found"),
    "empty-404": (404, {}, b""),
    "login-200": (200, HTML, b"<html><form action=/login></form></html>"),
    "empty-list-200": (200, JSON, b"[]"),
}


class Intermediary(httpx.AsyncHTTPTransport):
    """Answers in RMZ's place, from a page of lists on."""

    def __init__(self, foreign: str, *, from_page: int = 1) -> None:
        super().__init__(trust_env=False)
        self._status, self._headers, self._content = FOREIGN[foreign]
        self._from_page = from_page

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if int(request.url.params.get("page", 1)) < self._from_page:
            return await super().handle_async_request(request)
        return httpx.Response(self._status, headers=self._headers, content=self._content)


@pytest.fixture(params=FOREIGN)
def foreign(request: pytest.FixtureRequest) -> str:
    """Name an answer."""
    name: str = request.param
    return name


def asked(
    page: Page, network: Intermediary, ask: Callable[[rmz_async.Client], Awaitable[object]]
) -> rmz_async.APIError:
    """Return the error that reaches the caller of *ask*."""

    async def call() -> rmz_async.APIError:
        async with (
            httpx.AsyncClient(transport=network) as http,
            rmz_async.Client(http=http, retry=QUICK) as rmz,
        ):
            with pytest.raises(rmz_async.APIError) as caught:
                await ask(rmz)
            return caught.value

    error: rmz_async.APIError = page.wait(call())
    assert not isinstance(error, rmz_async.NotFoundError | rmz_async.PermissionDeniedError)
    return error


@pytest.mark.parametrize("page", ["docs/subscriptions.md"], indirect=True)
def test_a_payer_is_never_told_not_yours_by_a_foreign_answer(page: Page, foreign: str) -> None:
    page.run()

    asked(page, Intermediary(foreign), lambda rmz: page["is_theirs"](rmz, "usr_abc123", "501"))


@pytest.mark.parametrize("page", ["docs/subscriptions.md"], indirect=True)
def test_rmzs_own_404_says_not_yours(page: Page) -> None:
    page.run()

    async def ask() -> object:
        async with rmz_async.Client() as rmz:
            return await page["is_theirs"](rmz, "usr_abc123", "999")

    assert page.wait(ask()) is False


@pytest.mark.parametrize("page", ["docs/subscriptions.md"], indirect=True)
def test_no_foreign_answer_decides_on_access(page: Page, foreign: str) -> None:
    page.run()

    asked(page, Intermediary(foreign), lambda rmz: page["has_access"](rmz, "usr_abc123"))


@pytest.mark.parametrize("page", ["docs/sync.md"], indirect=True)
def test_no_foreign_answer_decides_on_access_without_await(page: Page, foreign: str) -> None:
    page.run()
    network = httpx.AsyncClient(transport=Intermediary(foreign))

    with rmz_sync.Client(http=network, retry=QUICK) as rmz:
        page.names["rmz"] = rmz
        with pytest.raises(rmz_sync.APIError):
            page["may_download"]("usr_abc123")


@pytest.mark.parametrize("page", ["docs/frameworks/fastapi.md"], indirect=True)
def test_a_service_asks_nobody_to_pay_after_a_foreign_answer(page: Page, foreign: str) -> None:
    page.run("Call RMZ in a path operation")
    app: Any = page["app"]

    async def visit() -> int:
        async with (
            httpx.AsyncClient(transport=Intermediary(foreign)) as http,
            rmz_async.Client(http=http, retry=QUICK) as rmz,
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://app.example"
            ) as visitor,
        ):
            app.state.rmz = rmz
            return (await visitor.get("/report")).status_code

    assert page.wait(visit()) == 503


@pytest.mark.parametrize("from_page", [1, 2])
@pytest.mark.parametrize("page", ["docs/orders.md"], indirect=True)
def test_a_report_that_a_foreign_answer_cuts_gives_no_sum(
    page: Page, foreign: str, from_page: int
) -> None:
    page.run("Read orders")
    today = datetime.now(UTC).date()
    network = Intermediary(foreign, from_page=from_page)

    error = asked(page, network, lambda rmz: page["report"](rmz, date(2020, 1, 1), today))

    assert error.page == from_page
