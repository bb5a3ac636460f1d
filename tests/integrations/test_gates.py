"""A gate lets subscribers in, and tells all others why and what to do."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path
from fastapi import Depends, FastAPI, Header
from fastapi.responses import PlainTextResponse
from flask import Flask, g, request
from litestar import Litestar, Request, get
from litestar.datastructures import CacheControlHeader
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response
from starlette.routing import Route

import rmz_sync.paywall
from rmz_async import ConfigurationError
from rmz_async.integrations import aiohttp as for_aiohttp
from rmz_async.integrations import fastapi as for_fastapi
from rmz_async.integrations import flask as for_flask
from rmz_async.integrations import litestar as for_litestar
from rmz_async.integrations import starlette as for_starlette
from rmz_async.integrations._gate import Gate
from rmz_async.integrations.django.gate import requires
from rmz_async.paywall import Access, PaywallDouble, Reason
from tests.integrations.blocking import serving_wsgi
from tests.integrations.conftest import serving
from tests.integrations.gates import OFFER, USER, check_gate, prepare
from tests.integrations.test_django import urlpatterns
from tests.paywall.scripted import START


@pytest.fixture
def double() -> PaywallDouble:
    """A paywall that awaits."""
    double = PaywallDouble()
    prepare(double)
    return double


@pytest.fixture
def blocking_double() -> Iterator[rmz_sync.paywall.PaywallDouble]:
    """A paywall that blocks."""
    with rmz_sync.paywall.PaywallDouble() as double:
        prepare(double)
        yield double


async def signed_in(x_user: Annotated[str, Header()]) -> str:
    """The dependency of an application."""
    return x_user


def test_fastapi_lets_subscribers_in(double: PaywallDouble) -> None:
    """As a dependency, whose value is the access."""
    app = FastAPI()
    pro = for_fastapi.requires("pro-plan", paywall=double, user=signed_in, offer=lambda _: OFFER)

    async def premium(access: Access) -> str:
        return access.reason

    # The names of local variables cannot be read from annotations that are strings.
    premium.__annotations__["access"] = Annotated[Access, Depends(pro)]
    app.get("/premium", response_class=PlainTextResponse)(premium)
    with serving(app) as url:
        check_gate(url, double)


def test_starlette_lets_subscribers_in(double: PaywallDouble) -> None:
    """As a decorator; the access is in the request's state."""

    async def signed_in(request: StarletteRequest) -> str:
        return request.headers[USER]

    @for_starlette.requires("pro-plan", paywall=double, user=signed_in, offer=lambda _: OFFER)
    async def premium(request: StarletteRequest) -> Response:
        return PlainTextResponse(request.state.access.reason)

    with serving(Starlette(routes=[Route("/premium", premium)])) as url:
        check_gate(url, double)


def test_litestar_lets_subscribers_in(double: PaywallDouble) -> None:
    """As a guard; the access is in the request's state."""

    async def signed_in(connection: for_litestar.Connection) -> str:
        return str(connection.headers[USER])

    pro = for_litestar.requires("pro-plan", paywall=double, user=signed_in, offer=lambda _: OFFER)

    # A guard has no answer whose headers it could set.
    @get("/premium", guards=[pro], cache_control=CacheControlHeader(private=True))
    async def premium(request: Request[Any, Any, Any]) -> str:
        return str(request.state.access.reason)

    # Without this, Litestar sets up the log of the whole process.
    with serving(Litestar([premium], logging_config=None)) as url:
        check_gate(url, double)


@pytest.mark.asyncio
async def test_aiohttp_lets_subscribers_in(double: PaywallDouble) -> None:
    """As a decorator; the access is in the request."""

    async def signed_in(request: web.Request) -> str:
        return request.headers[USER]

    @for_aiohttp.requires("pro-plan", paywall=double, user=signed_in, offer=lambda _: OFFER)
    async def premium(request: web.Request) -> web.StreamResponse:
        return web.Response(text=request[for_aiohttp.ACCESS].reason)

    app = web.Application()
    app.router.add_get("/premium", premium)
    async with TestServer(app) as server:
        await asyncio.to_thread(check_gate, str(server.make_url("/")).rstrip("/"), double)


def test_flask_lets_subscribers_in(blocking_double: rmz_sync.paywall.PaywallDouble) -> None:
    """As a decorator; the access is in ``g``."""
    app = Flask("shop")

    @app.get("/premium")
    @for_flask.requires(
        "pro-plan",
        paywall=blocking_double,
        user=lambda: request.headers[USER],
        offer=lambda: OFFER,
    )
    def premium() -> str:
        return str(g.access.reason)

    with serving_wsgi(app) as url:
        check_gate(url, blocking_double)


def user_of(request: HttpRequest) -> str:
    """The signed-in user."""
    return request.headers[USER]


@pytest.fixture
def project() -> Iterator[None]:
    """A project whose addresses the test sets."""
    urlpatterns.clear()
    yield
    urlpatterns.clear()


@pytest.mark.usefixtures("project")
def test_an_async_view_of_django_lets_subscribers_in(double: PaywallDouble) -> None:
    """Under ASGI."""

    @requires("pro-plan", paywall=double, user=user_of, offer=lambda _: OFFER)
    async def premium(request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(getattr(request, "access").reason))  # noqa: B009 - Django's type has none

    urlpatterns.append(path("premium", premium))
    with serving(get_asgi_application()) as url:
        check_gate(url, double)


@pytest.mark.usefixtures("project")
def test_a_plain_view_of_django_lets_subscribers_in(
    blocking_double: rmz_sync.paywall.PaywallDouble,
) -> None:
    """Under WSGI."""

    @requires("pro-plan", paywall=blocking_double, user=user_of, offer=lambda _: OFFER)
    def premium(request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(getattr(request, "access").reason))  # noqa: B009 - Django's type has none

    urlpatterns.append(path("premium", premium))
    with serving_wsgi(get_wsgi_application()) as url:
        check_gate(url, blocking_double)


def access(*, granted: bool, reason: Reason) -> Access:
    """Make an answer."""
    return Access(granted=granted, reason=reason, checked_at=START)


def test_a_gate_needs_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the reason is there, and there need not be an offer."""
    monkeypatch.setitem(sys.modules, "babel", None)
    monkeypatch.delitem(sys.modules, "rmz_async.paywall.wording", raising=False)
    monkeypatch.delattr("rmz_async.paywall.wording", raising=False)
    refused = access(granted=False, reason=Reason.EXPIRED)

    refusal = Gate([]).refusal(refused, {"accept": "text/html"}, None)

    assert (refusal.status, refusal.body) == (402, {"reason": "expired"})


@pytest.mark.parametrize("slugs", [[""], [102]])
def test_a_gate_names_products_by_slugs(slugs: Any) -> None:
    """An id is refused where the gate is made, not at the first request."""
    with pytest.raises(ConfigurationError, match="requires"):
        Gate(slugs)
