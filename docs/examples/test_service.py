"""Tests of the service: without a port, without a network, and without waiting."""

import os
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from service import create_app

from rmz_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def app(rmz_sandbox: Sandbox) -> AsyncIterator[FastAPI]:
    app = create_app(rmz_sandbox.client())
    secret = os.environ["RMZ_WEBHOOK_SECRET"]
    rmz_sandbox.add_webhook("http://127.0.0.1/webhooks/rmz", secret=secret, app=app)
    yield app
    await app.state.receiver.aclose()


@pytest.fixture
async def reader(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app.example") as browser:
        yield browser


async def test_a_reader_subscribes(
    rmz_sandbox: Sandbox, app: FastAPI, reader: httpx.AsyncClient
) -> None:
    assert (await reader.get("/premium")).status_code == 402
    checkout = (await reader.post("/subscribe")).headers["location"]
    await rmz_sandbox.pay(checkout)
    await rmz_sandbox.delivered()
    await app.state.receiver.drain()  # what the lifespan does in the service
    assert "coffee" in (await reader.get("/premium")).text


async def test_a_reader_whose_card_fails_reads_until_the_grace_is_over(
    rmz_sandbox: Sandbox, app: FastAPI, reader: httpx.AsyncClient
) -> None:
    checkout = (await reader.post("/subscribe")).headers["location"]
    await rmz_sandbox.pay(checkout, card="4000000000000341")  # pays now, and fails later
    for days, expected in ((28, 200), (7, 402)):
        await rmz_sandbox.advance(days=days)
        await app.state.receiver.drain()
        assert (await reader.get("/premium")).status_code == expected
