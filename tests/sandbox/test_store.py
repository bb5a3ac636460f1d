from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from rmz_async.sandbox import Sandbox, StoreProfile
from rmz_async.sandbox.store.state import Store

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock

pytestmark = pytest.mark.anyio


async def test_store_sends_the_documented_row(api: httpx.AsyncClient) -> None:
    """Balance and ratio are strings, and an empty object is PHP's list."""
    answer = await api.get("/store")
    assert answer.json() == {
        "message": None,
        "data": {
            "id": 1,
            "subdomain": "my-store",
            "slug": "my-store",
            "name": "متجري",
            "balance": "0.00",
            "description": "متجر تجريبي للمنتجات الرقمية",
            "logo": "stores/logo.png",
            "favicon": None,
            "theme": 1,
            "color": "#5400db",
            "activities": [],
            "social": [],
            "settings": [],
            "is_maintenance": False,
            "maintenance_message": None,
            "plan_id": 2,
            "plan_expires_at": "2025-11-28T12:00:00.000000Z",
            "is_kyc_verified": True,
            "is_beta_tester": False,
            "customization": [],
            "ratio": "4.500",
            "ratio_synced_at": None,
            "ratio_based_on": 50,
            "user_id": 1,
            "deleted_at": None,
            "created_at": "2024-01-01T00:00:00.000000Z",
            "updated_at": "2024-01-01T00:00:00.000000Z",
            "human_format": {"expiry_date_human": "بعد 6 أشهر"},
        },
        "api": "rmz.shawarma",
        "timestamp": 1748779200,
    }


async def test_store_may_be_set_up(clock: ManualClock) -> None:
    """A store of one's own says what it is; one without a plan's end has no label for it."""
    profile = StoreProfile(id=7, balance=Decimal("12.5"), social={"x": "@shop"})
    async with Sandbox(clock=clock, state=Store(profile=profile)) as sandbox:
        data = await fetched(sandbox, "/store")
    assert (data["id"], data["balance"], data["social"]) == (7, "12.5", {"x": "@shop"})
    assert data["plan_expires_at"] is None
    assert data["human_format"] == {"expiry_date_human": None}


async def test_statistics_are_counted(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """Revenue leaves out what is unpaid, cancelled or refunded; sales are completed orders."""
    orders = sandbox.state.orders.values()
    earned = [order.total for order in orders if order.status in (2, 3, 4)]
    answer = await api.get("/store/statics")
    assert f'"sales_total":{sum(earned)},' in answer.text
    assert answer.json()["data"] == {
        "sales_total": float(sum(earned)),
        "sales_count": len([order for order in orders if order.status == 4]),
        "customers_count": 3,
        "products_count": 16,
        "categories_count": 16,
        "subscribers_count": 28,
        "pages_count": 3,
        "coupons_count": 7,
        "duration": "lifetime",
    }
    assert answer.json()["data"]["sales_count"] == 38


async def test_empty_store_has_no_statistics(clock: ManualClock) -> None:
    """If nothing was sold the sum is a zero."""
    async with Sandbox(clock=clock, state=Store()) as sandbox:
        data = await fetched(sandbox, "/store/statics")
    assert (data["sales_total"], data["sales_count"], data["products_count"]) == (0, 0, 0)


async def test_statistics_are_kept_for_three_minutes(
    api: httpx.AsyncClient, clock: ManualClock
) -> None:
    """A refund shows when they are counted again."""
    before = (await api.get("/store/statics")).json()["data"]
    await api.put("/orders/78943", json={"status": 6})
    clock.advance(minutes=2, seconds=59)
    assert (await api.get("/store/statics")).json()["data"] == before
    clock.advance(seconds=1)
    after = (await api.get("/store/statics")).json()["data"]
    assert after["sales_count"] == before["sales_count"] - 1
    assert after["sales_total"] == round(before["sales_total"] - 49.99, 2)


async def fetched(sandbox: Sandbox, path: str) -> Any:
    """Return what a call answers in ``data``."""
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as api:
        return (await api.get(f"{sandbox.base_url}{path}", headers=headers)).json()["data"]
