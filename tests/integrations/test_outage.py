"""Applications in Starlette and FastAPI, whose endpoints fail because RMZ cannot be asked."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rmz_async.errors import (
    ConnectionFailedError,
    NotFoundError,
    OutcomeUnknownError,
    PacingError,
    RateLimitError,
    RMZError,
    ServerError,
    UnexpectedAnswerError,
)
from rmz_async.integrations import fastapi, starlette

pytestmark = pytest.mark.anyio

UNCLEAR_SESSION = OutcomeUnknownError("lost", operation="portal_sessions.create")


def starlette_app(error: RMZError) -> Starlette:
    """An application in Starlette whose only page fails."""

    async def page(_: Request) -> Response:
        raise error

    return Starlette(routes=[Route("/", page)], exception_handlers=starlette.exception_handlers())


def fastapi_app(error: RMZError) -> FastAPI:
    """An application in FastAPI whose only page fails."""
    app = FastAPI(exception_handlers=fastapi.exception_handlers())

    @app.get("/")
    async def page() -> None:
        raise error

    return app


def browser(app: Any) -> httpx.AsyncClient:
    """A client of the application."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app.example")


Apps = pytest.mark.parametrize("make", [starlette_app, fastapi_app])


@Apps
@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (ConnectionFailedError("refused"), 2),
        (PacingError("no slot", retry_after=3.2), 4),
        (ServerError("down", status=500), 2),
        (RateLimitError("too many", status=429, retry_after=17), 17),
        (UnexpectedAnswerError("a page of HTML", status=502), 2),
        (UNCLEAR_SESSION, 2),
    ],
)
async def test_an_outage_is_503_and_says_when_to_come_back(
    make: Callable[[RMZError], Any],
    error: RMZError,
    seconds: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "rmz_async.integrations")
    async with browser(make(error)) as http:
        answer = await http.get("/", headers={"Accept-Language": "ar"})

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == str(seconds)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["reason"] == "unavailable"
    assert "اشتراك" in answer.json()["text"]
    assert type(error).__name__ in caplog.text


@Apps
@pytest.mark.parametrize(
    "error",
    [
        NotFoundError("no such subscription", status=404),
        OutcomeUnknownError("lost", operation="subscriptions.extend"),
    ],
)
async def test_an_error_that_a_second_request_does_not_mend_is_no_outage(
    make: Callable[[RMZError], Any], error: RMZError
) -> None:
    async with browser(make(error)) as http:
        with pytest.raises(type(error), match=str(error)):
            await http.get("/")
