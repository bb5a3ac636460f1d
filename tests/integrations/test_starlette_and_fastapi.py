"""RMZ in Starlette and FastAPI, under uvicorn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Message

import rmz_async
from rmz_async import ConfigurationError, webhooks
from rmz_async.integrations import fastapi, starlette
from tests.integrations.conftest import PATH, Effects, check_deliveries, serving

MakeClient = Callable[[], rmz_async.Client]


async def address(request: Request) -> JSONResponse:
    """Say which client the application has."""
    return JSONResponse(repr(starlette.client(request)))


def starlette_app(receiver: webhooks.Receiver, client: MakeClient) -> Starlette:
    """An application in Starlette."""
    return Starlette(
        routes=[starlette.route(receiver), Route("/client", address)],
        lifespan=starlette.lifespan(client=client, receiver=receiver),
    )


def fastapi_app(receiver: webhooks.Receiver, client: MakeClient) -> FastAPI:
    """An application in FastAPI."""
    app = FastAPI(lifespan=fastapi.lifespan(client=client, receiver=receiver))
    app.include_router(fastapi.webhook_router(receiver))

    @app.get("/client")
    async def address(rmz: fastapi.RMZ) -> str:
        return repr(rmz)

    return app


Apps = pytest.mark.parametrize("make", [starlette_app, fastapi_app])


@Apps
def test_a_delivery_is_stored_and_its_handler_runs(
    make: Callable[..., Any],
    receiver: webhooks.Receiver,
    made_client: MakeClient,
    effects: Effects,
) -> None:
    """Forged and endless bodies are refused."""
    with serving(make(receiver, made_client)) as url:
        check_deliveries(url, effects)


@Apps
def test_a_request_gets_the_client_of_the_application(
    make: Callable[..., Any], receiver: webhooks.Receiver, made_client: MakeClient
) -> None:
    with serving(make(receiver, made_client)) as url:
        assert httpx.get(f"{url}/client").json() == "<Client of http://127.0.0.1:9>"


@pytest.mark.parametrize("make", [starlette.lifespan, fastapi.lifespan])
def test_the_paywall_works_for_the_life_of_the_application(
    make: Callable[..., Any], made_client: MakeClient, tmp_path: Path
) -> None:
    """A paywall that was open has written its snapshot."""
    known = tmp_path / "known"
    paywall = rmz_async.Paywall(made_client(), snapshot=known)

    with serving(Starlette(lifespan=make(client=made_client, paywall=paywall))):
        assert not known.exists()
    assert known.exists()


def test_the_api_s_own_document_does_not_mention_the_deliveries(
    receiver: webhooks.Receiver, made_client: MakeClient
) -> None:
    assert PATH not in fastapi_app(receiver, made_client).openapi()["paths"]


def test_an_application_may_leave_the_handlers_to_another_process(
    made_client: MakeClient,
) -> None:
    app = Starlette(
        routes=[Route("/client", address)], lifespan=starlette.lifespan(client=made_client)
    )

    with serving(app) as url:
        assert httpx.get(f"{url}/client").status_code == 200


def test_an_application_without_the_lifespan_says_what_is_missing() -> None:
    with pytest.raises(ConfigurationError, match="pass lifespan"):
        starlette.client(Request({"type": "http", "state": {}}))


def test_a_sender_that_hangs_up_leaves_no_traceback(receiver: webhooks.Receiver) -> None:
    """The body is not complete, and was not looked at."""

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def call() -> int:
        request = Request({"type": "http", "method": "POST", "headers": []}, receive)
        return (await starlette.webhook(receiver)(request)).status_code

    assert anyio.run(call) == 400
