"""Tests of the paywall: without a port, without a network, and without waiting."""

from collections.abc import AsyncIterator

import httpx
import paywall
import pytest

from rmz_async import Client
from rmz_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def reader(
    rmz_sandbox: Sandbox, rmz_client: Client, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr(paywall, "rmz", rmz_client)
    monkeypatch.setattr(paywall, "members", {})
    rmz_sandbox.add_webhook(
        "http://127.0.0.1/webhooks/rmz", secret=paywall.SECRETS[0], app=paywall.app
    )
    transport = httpx.ASGITransport(paywall.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app.example") as browser:
        yield browser
    await paywall.receiver.aclose()


async def test_a_subscriber_reads(rmz_sandbox: Sandbox, reader: httpx.AsyncClient) -> None:
    assert "Subscribe" in (await reader.get("/")).text
    checkout = (await reader.post("/subscribe")).headers["location"]
    await rmz_sandbox.pay(checkout)
    assert "coffee" in (await reader.get("/")).text


async def test_a_reader_whose_card_fails_reads_until_the_grace_is_over(
    rmz_sandbox: Sandbox, reader: httpx.AsyncClient
) -> None:
    checkout = (await reader.post("/subscribe")).headers["location"]
    await rmz_sandbox.pay(checkout, card="4000000000000341")  # pays now, and fails later
    for days, expected in ((28, "coffee"), (7, "Subscribe")):
        await rmz_sandbox.advance(days=days)
        await paywall.receiver.drain()  # what `working` does in the service
        assert expected in (await reader.get("/")).text
