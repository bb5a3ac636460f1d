"""Visits of the billing portal, as customer 4501 makes them."""

from __future__ import annotations

from typing import Any

import httpx


async def new_link(api: httpx.AsyncClient, **more: Any) -> str:
    """Make a portal session, and return its link."""
    answer = await api.post("/portal-sessions", json={"customer": {"id": 4501}, **more})
    return str(answer.json()["data"]["url"])


async def code_of(browser: httpx.AsyncClient, phone: str = "966512345678") -> str:
    """Read the code from the message log."""
    rows = (await browser.get("/messages.json", params={"to": phone})).json()
    return str(rows[0]["text"].split()[1])


async def enter(api: httpx.AsyncClient, browser: httpx.AsyncClient, **more: Any) -> None:
    """Open the portal as customer 4501 does."""
    await browser.post(await new_link(api, **more))
    answer = await browser.post("/portal/code", data={"code": await code_of(browser)})
    assert answer.headers["location"] == "/portal"
