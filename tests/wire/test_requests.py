"""Every request has the same head, and nothing is sent that breaks a rule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import respx

from rmz_async import (
    Client,
    InvalidRequestError,
    Subscription,
    SubscriptionStatus,
)

pytestmark = pytest.mark.anyio

SUBSCRIPTION = {"id": 501, "status": "active", "current_period_end": "2027-03-23T12:00:00+00:00"}


def answer(data: object, status: int = 200) -> httpx.Response:
    """Return a body as RMZ wraps every success."""
    envelope = {"message": None, "data": data, "api": "rmz.shawarma", "timestamp": 1780000000}
    return httpx.Response(status, json=envelope)


def sent(route: respx.Route) -> httpx.Request:
    """The one request that a route got."""
    (call,) = route.calls
    request: httpx.Request = call.request
    return request


async def test_each_request_carries_the_headers(
    rmz_api: respx.MockRouter, make_client: Any
) -> None:
    """Every request carries the token, asks for JSON, and allows one layer of gzip."""
    route = rmz_api.get("/subscriptions/501").mock(return_value=answer(SUBSCRIPTION))
    async with make_client() as rmz:
        await rmz.subscriptions.get(501)
    headers = sent(route).headers
    assert headers["authorization"] == "Bearer 1|wire-test-token"
    assert headers["accept"] == "application/json"
    assert headers["accept-encoding"] == "gzip"
    assert headers["host"] == "merchant-api.rmz.gg"
    assert headers["user-agent"].startswith("rmz-python/")
    assert "content-type" not in headers


async def test_get_subscription_reads_by_id(rmz_api: respx.MockRouter, make_client: Any) -> None:
    """A subscription is read by its id."""
    rmz_api.get("/subscriptions/501").mock(return_value=answer(SUBSCRIPTION))
    async with make_client() as rmz:
        subscription = await rmz.subscriptions.get(501)
    assert subscription == Subscription(
        id=501,
        status=SubscriptionStatus.ACTIVE,
        current_period_end=datetime(2027, 3, 23, 12, tzinfo=UTC),
    )


async def test_list_asks_for_each_page_by_number(
    rmz_api: respx.MockRouter, make_client: Any
) -> None:
    """A list asks for one page after the other by number, with its own filters each time."""

    def page(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["page"])
        return answer(
            {
                "current_page": number,
                "data": [{"id": number, "status": "active"}],
                # Never followed: it leads elsewhere and has lost the filters.
                "next_page_url": "https://evil.example/?page=9" if number < 3 else None,
                "per_page": 15,
            }
        )

    route = rmz_api.get("/subscriptions").mock(side_effect=page)
    async with make_client() as rmz:
        pager = rmz.subscriptions.list(
            customer_email="a@b.sa", customer_phone="512345678", customer_country_code="+966"
        )
        assert [item.id async for item in pager] == [1, 2, 3]
        first = await rmz.subscriptions.list(page=2).first()
    assert [dict(call.request.url.params) for call in route.calls][:3] == [
        {
            "page": str(number),
            "customerEmail": "a@b.sa",
            "customerPhone": "512345678",
            "customerCountryCode": "966",
        }
        for number in (1, 2, 3)
    ]
    assert dict(route.calls[3].request.url.params) == {"page": "2"}
    assert (first.number, first.has_next, first.per_page) == (2, True, 15)


async def test_the_environments_settings_are_used(
    rmz_api: respx.MockRouter, http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Token and address come from the environment if they are not given."""
    monkeypatch.setenv("RMZ_API_TOKEN", "1|from-the-environment")
    monkeypatch.setenv("RMZ_BASE_URL", "https://proxy.example/rmz/")
    route = rmz_api.get("https://proxy.example/rmz/subscriptions/501").mock(
        return_value=answer(SUBSCRIPTION)
    )
    async with Client(http=http) as rmz:
        await rmz.subscriptions.get(501)
    assert sent(route).headers["authorization"] == "Bearer 1|from-the-environment"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"product_id": 0}, "product_id"),
        ({"variant_id": True}, "variant_id"),
        ({"customer": -1}, "customer"),
        ({"success_url": "/ok"}, "success_url"),
        ({"cancel_url": "javascript:alert(1)"}, "cancel_url"),
        ({"metadata": {str(number): "x" for number in range(21)}}, "metadata"),
        ({"metadata": {"note": "x" * 501}}, "metadata.note"),
        ({"external_customer_id": "x" * 192}, "external_customer_id"),
    ],
)
async def test_nothing_is_sent_where_a_field_breaks_a_rule(
    rmz_api: respx.MockRouter, make_client: Any, arguments: dict[str, Any], field: str
) -> None:
    """A bad field is refused by its name before anything is sent."""
    good: dict[str, Any] = {
        "product_id": 102,
        "variant_id": 15,
        "customer": 4501,
        "success_url": "https://app.example/ok",
        "cancel_url": "https://app.example/no",
    }
    async with make_client() as rmz:
        with pytest.raises(InvalidRequestError, match="was not sent") as caught:
            await rmz.checkout_sessions.create(**{**good, **arguments})
    assert list(caught.value.errors) == [field]
    assert not rmz_api.calls
