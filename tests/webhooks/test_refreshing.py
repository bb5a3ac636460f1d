"""An event is a hint: the present state comes from the API."""

from __future__ import annotations

import httpx
import pytest

import rmz_async
import rmz_sync
from rmz_async.webhooks import EventType, OrderEvent, SubscriptionEvent, sample, verify

pytestmark = pytest.mark.anyio


def event_of(kind: EventType) -> rmz_async.Event:
    """An event of one kind."""
    return verify(sample(kind), {}, secrets=["a secret of 28 characters ..."], allow_unsigned=True)


def answer(request: httpx.Request) -> httpx.Response:
    """An RMZ in which the subscription has expired and the order was refunded."""
    now = {"subscriptions": {"id": 501, "status": "expired"}}
    now["orders"] = {"id": 78901, "current_status": 6}
    kind = request.url.path.split("/")[-2]
    return httpx.Response(
        200, json={"message": None, "data": now[kind], "api": "rmz.shawarma", "timestamp": 1}
    )


def http() -> httpx.AsyncClient:
    """Connections to it."""
    return httpx.AsyncClient(transport=httpx.MockTransport(answer))


async def test_an_event_reads_its_object_as_it_is_now() -> None:
    renewed, created = event_of(EventType.SUBSCRIPTION_RENEWED), event_of(EventType.ORDER_CREATED)
    assert isinstance(renewed, SubscriptionEvent)
    assert isinstance(created, OrderEvent)
    async with (
        http() as connections,
        rmz_async.Client("1|token-of-a-shop", http=connections) as rmz,
    ):
        subscription = await renewed.refresh(rmz)
        order = await created.refresh(rmz)

    assert (renewed.subscription.status, subscription.status) == ("active", "expired")
    assert (created.order.current_status, order.current_status) == (4, 6)


def test_a_blocking_client_reads_it_too() -> None:
    event = event_of(EventType.SUBSCRIPTION_RENEWED)
    assert isinstance(event, SubscriptionEvent)
    with rmz_sync.Client("1|token-of-a-shop", http=http()) as rmz:
        assert event.refresh(rmz).status == "expired"
