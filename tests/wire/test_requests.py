"""Each call sends the documented request and reads the documented answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import respx

from rmz_async import (
    Client,
    InvalidRequestError,
    NewCustomer,
    PhoneNumber,
    Subscription,
    SubscriptionStatus,
)
from rmz_async.operations import OPERATIONS

pytestmark = pytest.mark.anyio

AHMED = NewCustomer(
    country_code="+966",
    phone="512345678",
    first_name="Ahmed",
    last_name="Ali",
    email="ahmed@example.com",
)
SUBSCRIPTION = {"id": 501, "status": "active", "current_period_end": "2027-03-23T12:00:00+00:00"}


def answer(data: object, status: int = 200) -> httpx.Response:
    """What RMZ wraps every success in."""
    envelope = {"message": None, "data": data, "api": "rmz.shawarma", "timestamp": 1780000000}
    return httpx.Response(status, json=envelope)


def sent(route: respx.Route) -> httpx.Request:
    """The one request that a route got."""
    (call,) = route.calls
    request: httpx.Request = call.request
    return request


async def test_headers(rmz_api: respx.MockRouter, make_client: Any) -> None:
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


async def test_create_checkout_session(rmz_api: respx.MockRouter, make_client: Any) -> None:
    """A checkout session is asked for with RMZ's own field names, and what is unset is left out."""
    data = {
        "session_id": "cs_1",
        "checkout_url": "https://billing.rmz.gg/checkout/01K",
        "expires_at": "2026-06-01T01:00:00.000000Z",
    }
    route = rmz_api.post("/subscriptions/checkout-sessions").mock(return_value=answer(data))
    async with make_client() as rmz:
        session = await rmz.checkout_sessions.create(
            product_id=102,
            variant_id=15,
            customer=AHMED,
            success_url="https://app.example/ok?x=1",
            cancel_url="https://app.example/no",
            metadata={"plan": "pro", "seats": "3"},
        )
    assert json.loads(sent(route).content) == {
        "product_id": 102,
        "variant_id": 15,
        "customer": {
            "country_code": "966",
            "phone": "512345678",
            "firstName": "Ahmed",
            "lastName": "Ali",
            "email": "ahmed@example.com",
        },
        "success_url": "https://app.example/ok?x=1",
        "cancel_url": "https://app.example/no",
        "metadata": {"plan": "pro", "seats": "3"},
    }
    assert sent(route).headers["content-type"] == "application/json"
    assert session.session_id == "cs_1"
    assert session.checkout_url == "https://billing.rmz.gg/checkout/01K"
    assert session.expires_at == datetime(2026, 6, 1, 1, tzinfo=UTC)


async def test_create_checkout_session_for_a_known_customer(
    rmz_api: respx.MockRouter, make_client: Any
) -> None:
    """A customer who is known is named by their id alone."""
    data = {"session_id": "cs_1", "checkout_url": "https://billing.rmz.gg/c", "expires_at": None}
    route = rmz_api.post("/subscriptions/checkout-sessions").mock(return_value=answer(data))
    async with make_client() as rmz:
        await rmz.checkout_sessions.create(
            product_id=102,
            variant_id=15,
            customer=4501,
            success_url="https://app.example/ok",
            cancel_url="https://app.example/no",
            external_customer_id="usr_abc123",
        )
    body = json.loads(sent(route).content)
    assert body["customer"] == {"id": 4501}
    assert body["external_customer_id"] == "usr_abc123"
    assert "metadata" not in body


async def test_create_portal_session(rmz_api: respx.MockRouter, make_client: Any) -> None:
    """A portal session is asked for by phone number."""
    data = {"url": "https://billing.rmz.gg/s/abc", "expires_at": "2026-06-01T01:00:00.000000Z"}
    route = rmz_api.post("/portal-sessions").mock(return_value=answer(data))
    async with make_client() as rmz:
        portal = await rmz.portal_sessions.create(
            customer=PhoneNumber(country_code="966", phone="512345678"),
            return_url="https://app.example/account",
            expires_in=300,
        )
    assert json.loads(sent(route).content) == {
        "customer": {"country_code": "966", "phone": "512345678"},
        "return_url": "https://app.example/account",
        "expires_in": 300,
    }
    assert portal.url == "https://billing.rmz.gg/s/abc"
    assert "billing.rmz.gg/s/abc" not in repr(portal)


async def test_get_subscription(rmz_api: respx.MockRouter, make_client: Any) -> None:
    """A subscription is read by its id."""
    rmz_api.get("/subscriptions/501").mock(return_value=answer(SUBSCRIPTION))
    async with make_client() as rmz:
        subscription = await rmz.subscriptions.get(501)
    assert subscription == Subscription(
        id=501,
        status=SubscriptionStatus.ACTIVE,
        current_period_end=datetime(2027, 3, 23, 12, tzinfo=UTC),
    )


async def test_lookup(rmz_api: respx.MockRouter, make_client: Any) -> None:
    """A lookup sends who is looked for, splits the phone number, and writes true as 1."""
    data = {"count": 1, "has_active": False, "subscriptions": [SUBSCRIPTION]}
    route = rmz_api.get("/subscriptions/lookup").mock(return_value=answer(data))
    async with make_client() as rmz:
        found = await rmz.subscriptions.lookup(
            external_customer_id="usr/1&2",
            email="a@b.sa",
            phone=PhoneNumber(country_code="+966", phone="512345678"),
            product_id=102,
            include_inactive=True,
        )
    assert dict(sent(route).url.params) == {
        "external_customer_id": "usr/1&2",
        "email": "a@b.sa",
        "country_code": "966",
        "phone": "512345678",
        "product_id": "102",
        "include_inactive": "1",
    }
    assert (found.count, found.has_active, found.subscriptions[0].id) == (1, False, 501)


async def test_lookup_leaves_out_what_is_not_asked(
    rmz_api: respx.MockRouter, make_client: Any
) -> None:
    """A lookup by one name sends that name alone."""
    data: dict[str, object] = {"count": 0, "has_active": False, "subscriptions": []}
    route = rmz_api.get("/subscriptions/lookup").mock(return_value=answer(data))
    async with make_client() as rmz:
        found = await rmz.subscriptions.lookup(email="a@b.sa")
    assert dict(sent(route).url.params) == {"email": "a@b.sa"}
    assert found.subscriptions == ()


async def test_list(rmz_api: respx.MockRouter, make_client: Any) -> None:
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


@pytest.mark.parametrize(
    ("call", "path", "body"),
    [
        (lambda r: r.cancel(501), "cancel", {"effective": "end_of_period"}),
        (lambda r: r.cancel(501, effective="immediate"), "cancel", {"effective": "immediate"}),
        (lambda r: r.pause(501), "pause", None),
        (lambda r: r.unpause(501), "unpause", None),
        (lambda r: r.extend(501, days=7), "extend", {"days": 7}),
        (lambda r: r.extend(501, months=24), "extend", {"months": 24}),
        (
            lambda r: r.extend(Subscription(id=501, status="active"), days=365),
            "extend",
            {"days": 365},
        ),
    ],
)
async def test_changes(
    rmz_api: respx.MockRouter, make_client: Any, call: Any, path: str, body: object
) -> None:
    """A change is sent to the subscription's own address, with what it needs and nothing else."""
    route = rmz_api.post(f"/subscriptions/501/{path}").mock(return_value=answer(SUBSCRIPTION))
    async with make_client() as rmz:
        changed = await call(rmz.subscriptions)
    content = sent(route).content
    assert (json.loads(content) if content else None) == body
    assert changed.id == 501


async def test_every_operation_has_a_test_here(rmz_api: respx.MockRouter) -> None:
    """The table has the nine calls of this module, and nine of the two beside it."""
    assert {operation.name for operation in OPERATIONS} == {
        "checkout_sessions.create",
        "portal_sessions.create",
        *(
            f"subscriptions.{name}"
            for name in ("get", "list", "lookup", "cancel", "pause", "unpause", "extend")
        ),
        *(f"orders.{name}" for name in ("create", "get", "list", "update")),
        "products.get",
        "products.list",
        "categories.list",
        "store.get",
        "store.statistics",
    }


async def test_environment(
    rmz_api: respx.MockRouter, http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Token and address come from the environment where they are not given."""
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
