"""The sandbox's routes and answers, held against the document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import pytest
from starlette.routing import Mount, Route

from rmz_async.sandbox import Sandbox
from rmz_async.sandbox.serving.reference import contract
from rmz_async.sandbox.wire.below import BASE_PATH
from tests.contract.conftest import Faults
from tests.seams import routes_of

COMPONENTS = contract()["components"]
CALLS: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    call["operationId"]: (method.upper(), path, call)
    for path, item in contract()["paths"].items()
    for method, call in item.items()
}
READS = [name for name, (method, _, _) in CALLS.items() if method == "GET"]

NOURA = {
    "country_code": "965",
    "phone": "55010203",
    "firstName": "نورة",
    "lastName": "القحطاني",
    "email": "noura@majlis.example",
}
SESSION = {
    "product_id": 102,
    "variant_id": 15,
    "customer": NOURA,
    "success_url": "https://majlis.example/ok",
    "cancel_url": "https://majlis.example/no",
}
ORDER = {
    "customer": NOURA,
    "created_from": "majlis.example",
    "products": [{"identifier_type": "slug", "identifier": "font-family", "quantity": 1}],
}
FREE = ORDER | {
    "products": [{"identifier_type": "slug", "identifier": "free-ebook", "quantity": 1}]
}
NOWHERE = ORDER | {"products": [{"identifier_type": "id", "identifier": 999, "quantity": 1}]}

# The calls, one after the other, and the status of the last answer.
STORIES: Sequence[tuple[str, int, Sequence[tuple[str, object]]]] = [
    ("checkout_sessions.create", 200, [("", SESSION)]),
    ("checkout_sessions.create", 404, [("", SESSION | {"product_id": 999})]),
    ("checkout_sessions.create", 422, [("", {})]),
    ("portal_sessions.create", 200, [("", {"customer": {"id": 4501}})]),
    ("portal_sessions.create", 404, [("", {"customer": {"id": 1}})]),
    ("portal_sessions.create", 422, [("", {"customer": {}})]),
    ("subscriptions.get", 404, [("/1", None)]),
    ("subscriptions.lookup", 422, [("", None)]),
    ("subscriptions.lookup", 422, [("?email=nobody", None)]),
    ("subscriptions.cancel", 200, [("/501", None)]),
    ("subscriptions.cancel", 200, [("/501", {"effective": "immediate"})]),
    ("subscriptions.cancel", 404, [("/1", None)]),
    ("subscriptions.cancel", 409, [("/505", {})]),
    ("subscriptions.cancel", 422, [("/501", {"effective": "later"})]),
    ("subscriptions.pause", 200, [("/501", None)]),
    ("subscriptions.pause", 404, [("/1", None)]),
    ("subscriptions.pause", 422, [("/504", None)]),
    ("subscriptions.unpause", 200, [("/504", None)]),
    ("subscriptions.unpause", 404, [("/1", None)]),
    ("subscriptions.unpause", 422, [("/501", None)]),
    ("subscriptions.extend", 200, [("/501", {"days": 7})]),
    ("subscriptions.extend", 404, [("/1", {"days": 7})]),
    ("subscriptions.extend", 409, [("/505", {"days": 7})]),
    ("subscriptions.extend", 422, [("/501", {"days": 7, "months": 1})]),
    ("subscriptions.extend", 429, [("/501", {"days": 7}), ("/501", {"days": 7})]),
    ("orders.create", 200, [("", ORDER), ("", ORDER)]),
    ("orders.create", 200, [("", FREE), ("", FREE)]),
    ("orders.create", 201, [("", ORDER)]),
    ("orders.create", 201, [("", FREE)]),
    ("orders.create", 400, [("", NOWHERE)]),
    ("orders.create", 422, [("", {})]),
    ("orders.get", 404, [("/1", None)]),
    ("orders.list", 422, [("?created_from=yesterday", None)]),
    ("orders.update", 200, [("/ORDER", {"status": 5})]),
    ("orders.update", 400, [("/ORDER", {"status": 5}), ("/ORDER", {"status": 4})]),
    ("orders.update", 404, [("/1", {"status": 5})]),
    ("orders.update", 422, [("/ORDER", {"status": 7})]),
    ("products.get", 404, [("/1", None)]),
]


@pytest.fixture
async def sandbox(anyio_backend: str) -> AsyncIterator[Sandbox]:
    """A seeded sandbox whose time stands still."""
    async with Sandbox(clock=lambda: datetime(2026, 5, 4, 9, 30, tzinfo=UTC)) as opened:
        yield opened


@pytest.fixture
async def unlimited(anyio_backend: str) -> AsyncIterator[Sandbox]:
    """The same, and as many calls as one likes."""
    async with Sandbox(
        clock=lambda: datetime(2026, 5, 4, 9, 30, tzinfo=UTC), throttle=False
    ) as opened:
        yield opened


def api(sandbox: Sandbox, token: str | None = None) -> httpx.AsyncClient:
    """Open what calls a sandbox; nothing of this project's client is in it."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(sandbox.app),
        base_url=sandbox.base_url,
        headers={"Authorization": f"Bearer {token or sandbox.token}"},
    )


def answer_of(name: str, status: int) -> Mapping[str, Any]:
    """Return what the document says of an answer."""
    answer = CALLS[name][2]["responses"][str(status)]
    return cast(
        "Mapping[str, Any]",
        COMPONENTS["responses"].get(answer.get("$ref", "").rpartition("/")[2], answer),
    )


def schema_of(name: str, status: int) -> Mapping[str, Any]:
    """Return the schema of an answer's body."""
    content = answer_of(name, status)["content"]["application/json"]
    return cast("Mapping[str, Any]", content["schema"])


def test_the_sandbox_has_the_paths_of_the_document_and_no_other() -> None:
    """With the same methods; what is beside the API is its own."""
    found = routes_of(Sandbox())
    (mount,) = (route for route in found if isinstance(route, Mount) and route.path == BASE_PATH)
    served = {
        (method, route.path)
        for route in mount.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert served == {(method, path) for method, path, _ in CALLS.values()}


@pytest.mark.anyio
@pytest.mark.parametrize("name", READS)
async def test_every_answer_of_the_seed_is_of_its_schema(
    unlimited: Sandbox, faults: Faults, name: str
) -> None:
    """Each object is read, and each page is turned."""
    schema = schema_of(name, 200)
    async with api(unlimited) as http:
        for target in targets(unlimited, name):
            while target is not None:
                answer = await http.get(target)
                assert answer.status_code == 200
                body = answer.json()
                assert (target, faults(body, schema)) == (target, [])
                target = body["data"].get("next_page_url")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "status", "steps"),
    STORIES,
    ids=[f"{i}-{name}-{status}" for i, (name, status, _) in enumerate(STORIES)],
)
async def test_every_kind_of_answer_is_of_its_schema(
    sandbox: Sandbox,
    faults: Faults,
    name: str,
    status: int,
    steps: Sequence[tuple[str, object]],
) -> None:
    """Successes and refusals, with the headers that have the limits."""
    method, path, call = CALLS[name]
    order = str(completed_order(sandbox))
    addresses = [
        path.replace("/{id}", rest.replace("ORDER", order)) if "{id}" in path else f"{path}{rest}"
        for rest, _ in steps
    ]
    async with api(sandbox) as http:
        answers = [
            await http.request(method, address.removeprefix("/"), json=body)
            for address, (_, body) in zip(addresses, steps, strict=True)
        ]
    answer = answers[-1]
    assert answer.status_code == status
    assert faults(answer.json(), schema_of(name, status)) == []
    assert answer.headers["X-RateLimit-Limit"] == str(call["x-rmz-per-minute"])


@pytest.mark.anyio
@pytest.mark.parametrize("name", CALLS)
async def test_a_wrong_token_is_answered_as_documented(
    sandbox: Sandbox, faults: Faults, name: str
) -> None:
    """Without an envelope, and without limits."""
    method, path, _ = CALLS[name]
    async with api(sandbox, "1|wrong") as http:
        answer = await http.request(method, path.replace("{id}", "1").removeprefix("/"))
    assert answer.status_code == 401
    assert faults(answer.json(), schema_of(name, 401)) == []
    assert not any(header.startswith("x-ratelimit") for header in answer.headers)


@pytest.mark.anyio
@pytest.mark.parametrize(("used", "limit"), [("store.get", 60), ("subscriptions.lookup", 120)])
async def test_too_many_calls_are_answered_as_documented(
    sandbox: Sandbox, faults: Faults, used: str, limit: int
) -> None:
    """All calls of one window are refused once it is used up, with the documented headers."""
    assert CALLS[used][2]["x-rmz-per-minute"] == limit
    async with api(sandbox) as http:
        for _ in range(limit):
            assert (await http.get(CALLS[used][1].removeprefix("/"))).status_code != 429
        for name, (method, path, call) in CALLS.items():
            answer = await http.request(method, path.replace("{id}", "1").removeprefix("/"))
            assert (answer.status_code == 429) == (call["x-rmz-per-minute"] == limit)
            if answer.status_code == 429:
                assert faults(answer.json(), schema_of(name, 429)) == []
                for header, described in answer_of(name, 429)["headers"].items():
                    shape = COMPONENTS["headers"][described["$ref"].rpartition("/")[2]]["schema"]
                    assert faults(int(answer.headers[header]), shape) == []


def targets(sandbox: Sandbox, name: str) -> Iterator[str]:
    """Yield the addresses that a call can read in a seeded store."""
    resource, path = name.partition(".")[0], CALLS[name][1].removeprefix("/")
    if "{id}" in path:
        ids = getattr(sandbox.state, resource)
        assert ids
        yield from (path.replace("{id}", str(number)) for number in ids)
    elif name == "subscriptions.lookup":
        for customer in sandbox.state.customers.values():
            yield f"{path}?email={customer.email}&include_inactive=1"
            yield f"{path}?phone={customer.phone}&country_code={customer.country_code}"
        yield f"{path}?external_customer_id=nobody"
    else:
        yield path


def completed_order(sandbox: Sandbox) -> int:
    """Return the id of an order that may still be cancelled."""
    return next(order.id for order in sandbox.state.orders.values() if order.status == 4)
