"""The clients of "Connections" and of "Proxies and certificates"."""

from __future__ import annotations

from typing import Literal

import httpx
import pytest

import rmz_async
from tests.docs.pages import Page

PAGE = "docs/connections.md"
NOBODY = "http://127.0.0.1:9"


def test_a_client_over_aiohttp_makes_the_same_calls(page: Page) -> None:
    page.run("Over aiohttp")

    async def read() -> object:
        async with page["rmz"] as rmz:
            return (await rmz.subscriptions.get(501)).id

    assert page.wait(read()) == 501


@pytest.mark.parametrize("http", [None, "aiohttp"])
def test_the_proxies_of_the_environment_are_not_used(
    page: Page, monkeypatch: pytest.MonkeyPatch, http: Literal["aiohttp"] | None
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, NOBODY)

    async def read() -> None:
        async with rmz_async.Client(http=http) as rmz:
            assert (await rmz.subscriptions.get(501)).id == 501
        async with httpx.AsyncClient() as bare:
            with pytest.raises(httpx.ConnectError):
                await bare.get(page.sandbox.base_url)

    page.wait(read())


@pytest.mark.parametrize(
    ("page", "function"),
    [
        ("docs/connections.md", "through_a_proxy"),
        ("docs/proxies.md", "status_through"),
    ],
    indirect=["page"],
)
def test_a_proxy_that_you_name_is_used(page: Page, function: str) -> None:
    page.run()

    with pytest.raises(rmz_async.ConnectionFailedError):
        page.wait(page[function](NOBODY))
