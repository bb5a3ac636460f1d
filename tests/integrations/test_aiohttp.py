"""RMZ in an aiohttp server."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
from aiohttp import StreamReader, web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from aiohttp.typedefs import Handler

import rmz_async
from rmz_async import webhooks
from rmz_async.integrations.aiohttp import CLIENT, setup, webhook
from tests.integrations.conftest import SECRET, Effects, check_deliveries

MakeClient = Callable[[], rmz_async.Client]


@pytest.mark.asyncio
async def test_a_delivery_is_stored_and_its_handler_runs(
    receiver: webhooks.Receiver, made_client: MakeClient, effects: Effects
) -> None:
    """Forged and endless bodies are refused."""
    app = web.Application(client_max_size=10)
    setup(app, client=made_client, receiver=receiver)
    async with TestServer(app) as server:
        url = str(server.make_url("/")).rstrip("/")
        await asyncio.to_thread(check_deliveries, url, effects)


@pytest.mark.asyncio
@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_body_that_cannot_be_unpacked_is_the_senders_fault(
    receiver: webhooks.Receiver, coding: str
) -> None:
    """Anybody can send one, and a 500 would look like an error of the application."""
    app = web.Application()
    app.router.add_post("/", webhook(receiver))
    headers = {"Content-Encoding": coding}
    async with TestClient(TestServer(app), auto_decompress=False) as client:
        answer = await client.post("/", data=io.BytesIO(b"not packed at all"), headers=headers)

        assert (answer.status, await answer.text()) == (400, "the body is not complete")


@pytest.mark.asyncio
async def test_a_body_that_a_middleware_has_read_is_verified(receiver: webhooks.Receiver) -> None:
    """A log of all requests, for instance: each delivery would be refused as forged."""

    @web.middleware
    async def look(request: web.Request, handler: Handler) -> web.StreamResponse:
        await request.text()
        return await handler(request)

    app = web.Application(middlewares=[look])
    app.router.add_post("/", webhook(receiver))
    body = webhooks.sample(webhooks.EventType.ORDER_CREATED)
    headers = {"Signature": webhooks.sign(body, SECRET)}
    async with TestClient(TestServer(app)) as client:
        assert (await client.post("/", data=body, headers=headers)).status == 200


@pytest.mark.asyncio
async def test_a_sender_that_hangs_up_leaves_no_traceback(receiver: webhooks.Receiver) -> None:
    """The body is not complete, and was not looked at."""
    request = make_mocked_request("POST", "/", payload=StreamReader(Mock(), 1024))
    request.content.set_exception(ConnectionResetError())

    assert (await webhook(receiver)(request)).status == 400


@pytest.mark.asyncio
async def test_the_application_has_a_client_that_ends_with_it(made_client: MakeClient) -> None:
    """The application may be started in one task and ended in another."""
    app = web.Application()
    setup(app, client=made_client)
    runner = web.AppRunner(app)
    await asyncio.create_task(runner.setup())
    rmz = app[CLIENT]
    await asyncio.create_task(runner.cleanup())

    with pytest.raises(rmz_async.ConfigurationError, match="closed"):
        await rmz.store.get()


@pytest.mark.asyncio
async def test_a_worker_that_cannot_start_stops_the_application(
    receiver: webhooks.Receiver, made_client: MakeClient
) -> None:
    """An application that stores deliveries and never handles them would look healthy."""
    app = web.Application()
    setup(app, client=made_client, receiver=receiver, concurrency=0)
    runner = web.AppRunner(app)

    with pytest.raises(rmz_async.ConfigurationError, match="concurrency: must be"):
        await runner.setup()
    await runner.cleanup()


@pytest.mark.asyncio
async def test_the_paywall_works_for_the_life_of_the_application(
    made_client: MakeClient, tmp_path: Path
) -> None:
    """The application may be started in one task and ended in another."""
    known = tmp_path / "known"
    app = web.Application()
    setup(app, client=made_client, paywall=rmz_async.Paywall(made_client(), snapshot=known))
    runner = web.AppRunner(app)
    await asyncio.create_task(runner.setup())
    assert not known.exists()
    await asyncio.create_task(runner.cleanup())

    assert known.exists()
