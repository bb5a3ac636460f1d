"""The events of the document, of the client and of the sandbox, held against each other."""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import attrs
import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rmz_async.models import Model
from rmz_async.models._model import OWN_FIELDS
from rmz_async.sandbox import Sandbox
from rmz_async.sandbox.serving.reference import contract
from rmz_async.webhooks import Event, EventType, verify

if TYPE_CHECKING:
    from tests.contract.conftest import Faults

WEBHOOKS: Mapping[str, Mapping[str, Any]] = {
    event: item["post"] for event, item in contract()["webhooks"].items()
}
COMPONENTS = contract()["components"]
EXAMPLES = [
    (event, example["value"])
    for event, webhook in WEBHOOKS.items()
    for example in webhook["requestBody"]["content"]["application/json"]["examples"].values()
]
SECRET = "a-secret-of-the-contracts-own"

ORDER = {
    "customer": {"id": 4501},
    "created_from": "majlis.example",
    "products": [{"identifier_type": "slug", "identifier": "free-ebook", "quantity": 1}],
}
# The actions that make the sandbox send an event.
CAUSES: Sequence[tuple[EventType, str, str, object]] = [
    (EventType.SUBSCRIPTION_CANCELED, "POST", "subscriptions/501/cancel", None),
    (EventType.SUBSCRIPTION_PAUSED, "POST", "subscriptions/501/pause", None),
    (EventType.SUBSCRIPTION_UNPAUSED, "POST", "subscriptions/504/unpause", None),
    (EventType.SUBSCRIPTION_UPDATED, "POST", "subscriptions/501/extend", {"days": 7}),
    (EventType.ORDER_CREATED, "POST", "orders", ORDER),
    (EventType.ORDER_STATUS_CHANGED, "PUT", "orders/ORDER", {"status": 5}),
]


class Receiver:
    """An ASGI application that keeps the deliveries it gets."""

    def __init__(self) -> None:
        self.taken: list[tuple[Mapping[str, str], Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one delivery."""
        request = Request(scope, receive)
        self.taken.append((dict(request.headers), json.loads(await request.body())))
        await Response(status_code=204)(scope, receive, send)


@pytest.fixture
async def sandbox(anyio_backend: str) -> AsyncIterator[Sandbox]:
    """A seeded sandbox whose time stands still."""
    async with Sandbox(clock=lambda: datetime(2026, 5, 4, 9, 30, tzinfo=UTC)) as opened:
        yield opened


def body_of(event: str) -> Mapping[str, Any]:
    """Return the schema of an event's body."""
    content = WEBHOOKS[event]["requestBody"]["content"]["application/json"]
    return cast("Mapping[str, Any]", content["schema"])


def headers_of(event: str) -> Iterator[Mapping[str, Any]]:
    """Yield the headers that an event's deliveries are documented to have."""
    for parameter in WEBHOOKS[event]["parameters"]:
        yield COMPONENTS["parameters"][parameter["$ref"].rpartition("/")[2]]


def test_the_document_has_every_event_and_no_other() -> None:
    """Thirteen, as the client has them, in their order."""
    assert list(WEBHOOKS) == [event.value for event in EventType]
    assert len(WEBHOOKS) == 13


@pytest.mark.parametrize("event", WEBHOOKS)
def test_a_body_is_of_its_own_event_alone(faults: Faults, event: str) -> None:
    """Another event's name in it is a fault; and any 2xx answer will do."""
    for other, example in EXAMPLES:
        assert (faults(example, body_of(event)) == []) == (other == event)
    assert set(WEBHOOKS[event]["responses"]) == {"2XX"}
    assert WEBHOOKS[event]["security"] == []


@pytest.mark.parametrize(
    ("event", "example"), EXAMPLES, ids=[f"{i}-{event}" for i, (event, _) in enumerate(EXAMPLES)]
)
def test_the_client_reads_what_the_document_shows(event: str, example: Any) -> None:
    """Signed as documented, it becomes an event with nothing left over."""
    body = json.dumps(example, ensure_ascii=False).encode()
    headers = {
        "Signature": hmac.digest(SECRET.encode(), body, "sha256").hex(),
        "X-RMZ-WEBHOOKS": "1.2",
        "X-RMZ-REQUEST-ID": "90001",
    }
    read = verify(body, headers, secrets=[SECRET])
    assert read.event is EventType(event)
    assert read.event_id == example.get("event_id")
    assert list(left_over(read)) == []
    assert (read.subscription is None) == event.startswith("order.")
    assert (read.order is None) == event.startswith("subscription.")


def test_an_event_has_what_bodies_have() -> None:
    """And the request's number, and what the data was read as."""
    fields = {field.name for field in attrs.fields(Event)}
    schemas = COMPONENTS["schemas"]
    bodies = {*schemas["SubscriptionEvent"]["properties"], *schemas["OrderEvent"]["properties"]}
    derived = {"subscription", "order", "dedupe_key", "secret_index", "is_reconciled"}
    ours = {*OWN_FIELDS, "request_id", *derived}
    assert fields - ours == bodies


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("event", "method", "path", "body"), CAUSES, ids=[event.value for event, *_ in CAUSES]
)
async def test_a_delivery_of_the_sandbox_is_of_its_schema(
    sandbox: Sandbox, faults: Faults, event: EventType, method: str, path: str, body: object
) -> None:
    """Body and headers, signed."""
    receiver = Receiver()
    sandbox.add_webhook("http://127.0.0.1/hooks", app=receiver)
    order = next(order.id for order in sandbox.state.orders.values() if order.status == 4)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(sandbox.app),
        base_url=sandbox.base_url,
        headers={"Authorization": f"Bearer {sandbox.token}"},
    ) as api:
        answer = await api.request(method, path.replace("ORDER", str(order)), json=body)
    assert answer.is_success
    await sandbox.delivered()
    headers, sent = next(taken for taken in receiver.taken if taken[1]["event"] == event)
    assert faults(sent, body_of(event)) == []
    for header in headers_of(event):
        value = headers[header["name"].lower()]
        is_number = header["schema"]["type"] == "integer"
        assert faults(int(value) if is_number else value, header["schema"]) == []


@pytest.mark.anyio
async def test_a_delivery_of_a_paid_checkout_is_of_its_schema(
    sandbox: Sandbox, faults: Faults
) -> None:
    """A new subscription, whose customer paid on the hosted page."""
    receiver = Receiver()
    sandbox.add_webhook("http://127.0.0.1/hooks", app=receiver)
    session = {
        "product_id": 102,
        "variant_id": 15,
        "customer": {"id": 4501},
        "success_url": "https://majlis.example/ok",
        "cancel_url": "https://majlis.example/no",
    }
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as http:
        answer = await http.post(
            f"{sandbox.base_url}/subscriptions/checkout-sessions",
            json=session,
            headers={"Authorization": f"Bearer {sandbox.token}"},
        )
        await http.post(f"{answer.json()['data']['checkout_url']}/pay")
    await sandbox.delivered()
    for event in {sent["event"] for _, sent in receiver.taken} | {"subscription.created"}:
        sent = next(sent for _, sent in receiver.taken if sent["event"] == event)
        assert faults(sent, body_of(event)) == []


def left_over(value: object) -> Iterator[str]:
    """Yield the keys that no model knew, wherever they are."""
    if isinstance(value, Model):
        yield from value.extra
        for field in attrs.fields(type(value)):
            yield from left_over(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from left_over(item)
