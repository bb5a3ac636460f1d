"""A gate stays shut for all kinds of views, and for a paywall of the wrong package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from django.http import HttpRequest, HttpResponse
from django.test import AsyncRequestFactory, RequestFactory
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import cache_page
from fastapi import Depends, FastAPI, WebSocket
from flask import Flask
from litestar import Litestar
from litestar.testing import RequestFactory as RequestFactoryOfLitestar
from starlette.applications import Starlette
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message

import rmz_sync.paywall
from rmz_async import ConfigurationError
from rmz_async.integrations import aiohttp as for_aiohttp
from rmz_async.integrations import fastapi as for_fastapi
from rmz_async.integrations import flask as for_flask
from rmz_async.integrations import litestar as for_litestar
from rmz_async.integrations import starlette as for_starlette
from rmz_async.integrations._gate import Gate, keep_private
from rmz_async.integrations.django import gate as for_django
from rmz_async.paywall import Access, PaywallDouble, Reason
from tests.integrations.test_django import urlpatterns
from tests.paywall.scripted import START

# The same settings of Django as in all other tests of this process.
assert urlpatterns == []


@pytest.fixture
def double() -> PaywallDouble:
    """A paywall that awaits, and lets Noura in."""
    double = PaywallDouble()
    double.grant("noura")
    return double


@pytest.fixture
def blocking_double() -> Iterator[rmz_sync.paywall.PaywallDouble]:
    """A paywall that blocks, and lets Noura in."""
    with rmz_sync.paywall.PaywallDouble() as double:
        double.grant("noura")
        yield double


@pytest.mark.parametrize("framework", [for_aiohttp, for_fastapi, for_litestar, for_starlette])
def test_a_framework_that_awaits_refuses_a_paywall_that_blocks(
    framework: Any, blocking_double: rmz_sync.paywall.PaywallDouble
) -> None:
    """The program does not start, in place of a 500 to each customer."""
    with pytest.raises(ConfigurationError, match="must be a Paywall of rmz_async"):
        framework.requires("pro-plan", paywall=blocking_double, user=lambda _: "noura")


@pytest.mark.parametrize(
    ("argument", "value", "kind"),
    [("user", "noura", "str"), ("user", None, "NoneType"), ("offer", "/plans", "str")],
)
@pytest.mark.parametrize(
    "framework",
    [for_aiohttp, for_django, for_fastapi, for_flask, for_litestar, for_starlette],
)
def test_a_gate_refuses_a_user_or_an_offer_that_is_no_function(
    framework: Any,
    argument: str,
    value: str | None,
    kind: str,
    blocking_double: rmz_sync.paywall.PaywallDouble,
) -> None:
    """The error comes where the gate is made, in place of a 500 to each customer."""
    paywall = blocking_double if framework is for_flask else PaywallDouble()
    arguments = {"user": lambda _: "noura", argument: value}

    with pytest.raises(ConfigurationError, match=f"^{argument}: .* function, .* {kind}$"):
        framework.requires("pro-plan", paywall=paywall, **arguments)


class Undecided:
    """A paywall of one's own, whose answer is not an answer yet."""

    def check(self, user: str, *products: object) -> Any:
        """Return something that is true, as a coroutine is."""
        return object()


def test_flask_refuses_a_paywall_that_awaits(double: PaywallDouble) -> None:
    """Its answer would be a coroutine, which is true, and everybody would come in."""
    paywall: Any = double

    with pytest.raises(ConfigurationError, match="rmz_sync"):
        for_flask.requires(paywall=paywall, user=lambda: "sami")


def test_flask_lets_nobody_in_by_something_else_than_an_answer() -> None:
    """Only an answer that is granted opens the gate."""
    app = Flask("shop")
    app.get("/")(for_flask.requires(paywall=Undecided(), user=lambda: "sami")(lambda: "premium"))

    assert app.test_client().get("/").status_code == 500


@pytest.mark.parametrize(("user", "status"), [("noura", 200), ("sami", 402)])
def test_flask_guards_an_async_view(
    blocking_double: rmz_sync.paywall.PaywallDouble, user: str, status: int
) -> None:
    """As Flask itself, which runs the view in a loop of its own."""
    app = Flask("shop")

    @app.get("/")
    @for_flask.requires(paywall=blocking_double, user=lambda: user)
    async def premium() -> str:
        return "premium"

    assert app.test_client().get("/").status_code == status


def plain(request: HttpRequest) -> HttpResponse:
    """A plain view."""
    return HttpResponse("premium")


class Premium(View):
    """A class of Django's whose handler is async."""

    async def get(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        return HttpResponse("premium")


@pytest.mark.asyncio
@pytest.mark.parametrize(("user", "status"), [("noura", 200), ("sami", 402)])
@pytest.mark.parametrize("kind", ["plain", "class", "dispatch"])
async def test_django_guards_all_views_by_a_paywall_that_awaits(
    double: PaywallDouble, kind: str, user: str, status: int
) -> None:
    """The coroutine of an answer is true, and must not let everybody in."""
    decorate = for_django.requires(paywall=double, user=lambda _: user)
    # Django's own decorator has no types.
    of_method: Any = method_decorator
    premium: Any = Premium
    if kind == "plain":
        view = decorate(plain)
    elif kind == "class":
        view = decorate(premium.as_view())
    else:
        view = of_method(decorate, name="dispatch")(type("Guarded", (premium,), {})).as_view()

    assert (await view(AsyncRequestFactory().get("/"))).status_code == status


def test_a_cache_of_pages_keeps_none_of_them_for_the_next_visitor(
    blocking_double: rmz_sync.paywall.PaywallDouble,
) -> None:
    """Django's own stands before the gate, and a proxy does."""
    decorate = for_django.requires(
        paywall=blocking_double, user=lambda request: request.headers["X-User"]
    )
    view = cache_page(60)(decorate(plain))
    statuses = [
        view(RequestFactory().get("/cached", headers={"X-User": user})).status_code
        for user in ("noura", "sami")
    ]

    assert statuses == [200, 402]


def test_a_page_may_say_how_long_it_may_be_kept() -> None:
    """An answer without headers, such as an ASGI application, is left alone."""
    page = PlainTextResponse("premium", headers={"Cache-Control": "max-age=60"})

    assert keep_private(page).headers["Cache-Control"] == "max-age=60"
    assert keep_private(plain) is plain


def test_django_lets_nobody_in_by_something_else_than_an_answer() -> None:
    """Only an answer that is granted opens the gate."""
    view = for_django.requires(paywall=Undecided(), user=lambda _: "sami")(plain)

    with pytest.raises(AttributeError, match="granted"):
        view(RequestFactory().get("/"))


@pytest.mark.asyncio
@pytest.mark.parametrize(("user", "status"), [("noura", 200), ("sami", 402)])
async def test_starlette_guards_an_endpoint_that_does_not_await(
    double: PaywallDouble, user: str, status: int
) -> None:
    """As Starlette itself, which runs the endpoint in a thread."""

    async def signed_in(_: Request) -> str:
        return user

    @for_starlette.requires(paywall=double, user=signed_in)
    def premium(_: Request) -> Response:
        return PlainTextResponse("premium")

    transport = httpx.ASGITransport(Starlette(routes=[Route("/", premium)]))

    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
        assert (await http.get("/")).status_code == status


async def noura(_: object) -> str:
    """The signed-in user, as a session's database says that does not block."""
    return "noura"


@pytest.mark.asyncio
@pytest.mark.parametrize("user", [noura, lambda _: "noura"])
async def test_a_gate_that_awaits_takes_users_in_both_forms(
    double: PaywallDouble, user: Any
) -> None:
    """The function that returns the user may be async, and need not."""

    @for_starlette.requires(paywall=double, user=user)
    async def for_starlette_view(request: Request) -> Response:
        return PlainTextResponse(request.state.access.reason)

    @for_aiohttp.requires(paywall=double, user=user)
    async def for_aiohttp_view(request: web.Request) -> web.StreamResponse:
        return web.Response(text=request[for_aiohttp.ACCESS].reason)

    @for_django.requires(paywall=double, user=user)
    async def for_django_view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(getattr(request, "access").reason)  # noqa: B009 - Django's type has none

    guard = for_litestar.requires(paywall=double, user=user)
    # Without this, Litestar sets up the log of the whole process.
    application = Litestar([], logging_config=None)
    connection = RequestFactoryOfLitestar(application).get("/")
    handler: Any = None

    await guard(connection, handler)
    passed = [
        (await for_starlette_view(Request({"type": "http", "headers": []}))).status_code,
        (await for_aiohttp_view(make_mocked_request("GET", "/"))).status,
        (await for_django_view(AsyncRequestFactory().get("/"))).status_code,
    ]

    assert connection.state.access.granted
    assert passed == [200, 200, 200]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("user", "answer"),
    [
        ("noura", {"type": "websocket.accept"}),
        ("sami", {"type": "websocket.http.response.start", "status": 402}),
    ],
)
async def test_fastapi_guards_a_websocket(
    double: PaywallDouble, user: str, answer: Message
) -> None:
    """The same dependency; a refusal is the answer to the handshake."""
    app = FastAPI()
    subscriber = for_fastapi.requires(
        paywall=double, user=lambda: user, offer=lambda connection: str(connection.url)
    )

    @app.websocket("/", dependencies=[Depends(subscriber)])
    async def premium(socket: WebSocket) -> None:
        await socket.accept()

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "websocket",
        "path": "/",
        "query_string": b"",
        "subprotocols": [],
        "headers": [(b"host", b"shop")],
        # The server can answer a handshake like a request.
        "extensions": {"websocket.http.response": {}},
    }

    await app(scope, receive, send)

    assert sent[0].items() >= answer.items()


@pytest.mark.parametrize(
    ("offer", "location"),
    [
        ("/اشترك?من=ب#أ", "/%D8%A7%D8%B4%D8%AA%D8%B1%D9%83?%D9%85%D9%86=%D8%A8#%D8%A3"),
        ("/a%20b?x=1&y=[2]", "/a%20b?x=1&y=[2]"),
        ("/plans\r\nSet-Cookie: a=b", "/plans%0D%0ASet-Cookie:%20a=b"),
        (URL("https://shop.example/plans"), "https://shop.example/plans"),
    ],
)
def test_a_browser_is_sent_to_any_offer(offer: Any, location: str) -> None:
    """A header takes ASCII only; an address may also be a framework's own object."""
    refused = Access(granted=False, reason=Reason.EXPIRED, checked_at=START)

    refusal = Gate([]).refusal(refused, {"accept": "text/html"}, offer)

    assert refusal.headers["Location"] == location
    assert refusal.body["offer"] == str(offer)
