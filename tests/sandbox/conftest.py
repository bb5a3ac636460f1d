from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rmz_async.sandbox import Sandbox, Served


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2025, 6, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def advance(self, **duration: float) -> None:
        """Move the time on; takes what timedelta takes."""
        self.now += timedelta(**duration)


class Receiver:
    """An ASGI application that takes webhooks and keeps what it got."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200

    @property
    def payloads(self) -> list[Any]:
        """The bodies, read."""
        return [json.loads(body, parse_float=Decimal) for body in self.bodies]

    @property
    def reported(self) -> list[Any]:
        """The bodies, read, in the order of their events: deliveries may overtake each other."""
        ids = [int(headers["x-rmz-request-id"]) for headers in self.headers]
        return [
            payload
            for _, payload in sorted(zip(ids, self.payloads, strict=True), key=itemgetter(0))
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one delivery."""
        request = Request(scope, receive)
        self.headers.append(dict(request.headers))
        self.bodies.append(await request.body())
        await Response(status_code=self.status)(scope, receive, send)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Runs every async test on both."""
    return str(request.param)


@pytest.fixture
def clock() -> ManualClock:
    """Noon of the first of June 2025, until it is moved."""
    return ManualClock()


@pytest.fixture
def receiver() -> Receiver:
    """A target for webhooks, in process."""
    return Receiver()


@pytest.fixture
async def sandbox(clock: ManualClock, anyio_backend: str) -> AsyncIterator[Sandbox]:
    """A seeded sandbox at the clock's time; its ids are the same in every run."""
    async with Sandbox(clock=clock, seed="tests") as opened:
        yield opened


@pytest.fixture
async def api(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    """Calls the API with the token; what it sends is read by nothing of this project."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(sandbox.app),
        base_url=sandbox.base_url,
        headers={"Authorization": f"Bearer {sandbox.token}", "Accept": "application/json"},
    ) as opened:
        yield opened


@pytest.fixture
async def browser(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    """Opens the hosted pages in English, without a token."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(sandbox.app),
        base_url="http://127.0.0.1",
        cookies={"rmz-language": "en"},
    ) as opened:
        yield opened


@pytest.fixture
def order() -> dict[str, Any]:
    """A complete body for a checkout session, of a customer who is new."""
    return {
        "product_id": 102,
        "variant_id": 15,
        "customer": {
            "country_code": "965",
            "phone": "99887766",
            "firstName": "Sara",
            "lastName": "Omar",
            "email": "sara@example.com",
        },
        "success_url": "https://app.example/ok",
        "cancel_url": "https://app.example/no",
    }


@pytest.fixture
def basket() -> dict[str, Any]:
    """A complete body for an order: two game keys for a known customer."""
    return {
        "customer": {"id": 4501},
        "created_from": "myapp.com",
        "products": [{"identifier_type": "id", "identifier": 101, "quantity": 2}],
    }


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A sandbox in this process, which the environment names; time stands still."""
    with Sandbox(token="1|local").serve(clock_runs=False) as opened:
        monkeypatch.setenv("RMZ_BASE_URL", opened.base_url)
        monkeypatch.setenv("RMZ_API_TOKEN", "1|local")
        yield opened
