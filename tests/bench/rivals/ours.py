"""This project's paywall, over a transport that answers in place of RMZ."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx

import rmz_async
import rmz_sync
from rmz_async.paywall import Access, Lifetimes
from tests.bench.rivals.contender import PAYER, STRANGER, Contender

NAME = f"RMZ {rmz_async.__version__}"
TOKEN = "1|a-token-of-nobody"
# No answer shall be renewed while it is measured.
LONG = Lifetimes(soft=3600, hard=3600)


def answer(request: httpx.Request) -> httpx.Response:
    """Answer a lookup as RMZ does; a payer has one active subscription."""
    user = request.url.params["external_customer_id"]
    now = datetime.now(UTC)
    subscription = {
        "id": 501,
        "status": "active",
        "external_customer_id": user,
        "current_period_start": now.isoformat(),
        "current_period_end": (now + timedelta(days=30)).isoformat(),
        "auto_renew": True,
        "product": {"id": 102, "name": "Pro", "slug": "pro-plan", "type": "subscription"},
    }
    found = [subscription] if user == PAYER else []
    data = {"count": len(found), "has_active": bool(found), "subscriptions": found}
    body = {"message": None, "data": data, "api": "rmz.shawarma", "timestamp": 1780000000}
    return httpx.Response(
        200, content=json.dumps(body), headers={"Content-Type": "application/json"}
    )


def blocking_paywall() -> tuple[rmz_sync.Client, rmz_sync.Paywall]:
    """Return a client and its paywall, for code that cannot await."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    client = rmz_sync.Client(TOKEN, http=http)
    return client, rmz_sync.Paywall(client, product_ids=[102], lifetimes=LONG)


def granted(access: Access) -> bool:
    """Read the paywall's answer."""
    return access.granted


def blocking() -> Contender:
    """Return the paywall for code that cannot await."""
    client, paywall = blocking_paywall()
    return Contender(
        name=NAME,
        call="`rmz_sync.Paywall.check`",
        payer=partial(paywall.check, PAYER),
        stranger=partial(paywall.check, STRANGER),
        granted=granted,
        close=client.close,
    )


def awaited(loop: asyncio.AbstractEventLoop) -> Contender:
    """Return the paywall for code that awaits."""

    async def opened() -> tuple[Any, ...]:
        http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        client = rmz_async.Client(TOKEN, http=http)
        return client, rmz_async.Paywall(client, product_ids=[102], lifetimes=LONG)

    client, paywall = loop.run_until_complete(opened())
    return Contender(
        name=NAME,
        call="`rmz_async.Paywall.check`, awaited",
        payer=partial(paywall.check, PAYER),
        stranger=partial(paywall.check, STRANGER),
        granted=granted,
        is_async=True,
        close=lambda: loop.run_until_complete(client.aclose()),
    )
