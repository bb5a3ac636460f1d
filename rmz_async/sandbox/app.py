"""The ASGI application: its paths and their endpoints."""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.dashboard.routes import dashboard_routes
from rmz_async.sandbox.endpoints import lookup, products
from rmz_async.sandbox.endpoints.checkout_sessions import CheckoutSessions
from rmz_async.sandbox.endpoints.control import control_routes
from rmz_async.sandbox.endpoints.front_door import FrontDoor
from rmz_async.sandbox.endpoints.orders import Orders
from rmz_async.sandbox.endpoints.portal_sessions import PortalSessions
from rmz_async.sandbox.endpoints.store import StoreCalls
from rmz_async.sandbox.endpoints.subscriptions import Subscriptions
from rmz_async.sandbox.faults.requests import FaultyRequests
from rmz_async.sandbox.hosted.routes import hosted_routes, route
from rmz_async.sandbox.loopback import LoopbackOnly
from rmz_async.sandbox.rules import uploads
from rmz_async.sandbox.same_origin import SameOriginForms
from rmz_async.sandbox.serving.bodies import LimitedBodies
from rmz_async.sandbox.serving.catching_up import CatchingUp
from rmz_async.sandbox.serving.reference import reference_routes
from rmz_async.sandbox.serving.request_log import RequestLog

__all__ = ("BASE_PATH", "build_app")

BASE_PATH = "/shawarma"


def build_app(
    backend: Backend, token: str, *, throttle: bool, catch_up: Callable[[], None]
) -> Starlette:
    """Return the whole of RMZ: the API below `BASE_PATH`, the hosted pages beside it."""
    door = FrontDoor(token, backend, throttle=throttle)
    return Starlette(
        routes=[
            Mount(
                BASE_PATH,
                routes=[
                    # First, or the route with an id would be named for it in ``Allow``.
                    *_sessions(backend, door),
                    *_subscription_calls(backend, door),
                    *_order_calls(backend, door),
                    *_store_calls(backend, door),
                ],
            ),
            *hosted_routes(backend),
            *dashboard_routes(backend, token, BASE_PATH),
            *reference_routes(BASE_PATH),
            *control_routes(backend, door),
        ],
        middleware=[
            Middleware(LoopbackOnly),
            Middleware(SameOriginForms, api=BASE_PATH),
            Middleware(
                LimitedBodies, exceptions={f"{BASE_PATH}/products/upload": uploads.MOST_BYTES}
            ),
            Middleware(CatchingUp, catch_up=catch_up),
            Middleware(RequestLog, path=BASE_PATH, now=backend.now, note=backend.requests.note),
            Middleware(FaultyRequests, faults=backend.faults, api=BASE_PATH),
        ],
        exception_handlers={404: _no_route, 405: _wrong_method},
    )


def _subscription_calls(backend: Backend, door: FrontDoor) -> list[Route]:
    subscriptions = Subscriptions(backend)
    one = "/subscriptions/{id}"
    return [
        Route("/subscriptions", door.lets_in(subscriptions.list), methods=["GET"]),
        # Before the route with an id, which would match it too.
        Route("/subscriptions/lookup", door.lets_in(lookup.find, 120), methods=["GET"]),
        Route(one, door.lets_in(subscriptions.get), methods=["GET"]),
        Route(f"{one}/cancel", door.lets_in(subscriptions.cancel), methods=["POST"]),
        Route(f"{one}/pause", door.lets_in(subscriptions.pause), methods=["POST"]),
        Route(f"{one}/unpause", door.lets_in(subscriptions.unpause), methods=["POST"]),
        Route(f"{one}/extend", door.lets_in(subscriptions.extend), methods=["POST"]),
    ]


def _sessions(backend: Backend, door: FrontDoor) -> list[Route]:
    checkout = door.lets_in(CheckoutSessions(backend).create)
    portal = door.lets_in(PortalSessions(backend).create)
    return [
        Route("/subscriptions/checkout-sessions", checkout, methods=["POST"]),
        Route("/portal-sessions", portal, methods=["POST"]),
    ]


def _order_calls(backend: Backend, door: FrontDoor) -> list[Route]:
    orders = Orders(backend)
    return [
        route("/orders", GET=door.lets_in(orders.list), POST=door.lets_in(orders.create)),
        route("/orders/{id}", GET=door.lets_in(orders.get), PUT=door.lets_in(orders.update)),
    ]


def _store_calls(backend: Backend, door: FrontDoor) -> list[Route]:
    store = StoreCalls()
    writes = products.ProductWrites(backend)
    return [
        route(
            "/products",
            GET=door.lets_in(products.list_products),
            POST=door.lets_in(writes.create),
        ),
        # Before the route with an id, which would match it too.
        Route("/products/upload", door.lets_in(writes.upload), methods=["POST"]),
        route("/products/{id}", GET=door.lets_in(products.get), PUT=door.lets_in(writes.update)),
        Route("/categories", door.lets_in(products.categories), methods=["GET"]),
        Route("/store", door.lets_in(store.get), methods=["GET"]),
        Route("/store/statics", door.lets_in(store.statistics), methods=["GET"]),
    ]


async def _no_route(request: Request, _: Exception) -> Response:
    path = request.url.path.lstrip("/")
    return JSONResponse({"message": f"The route {path} could not be found."}, 404)


async def _wrong_method(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"The {request.method} method is not supported for this route."
    # The allowed methods, in ``Allow``.
    return JSONResponse({"message": message}, 405, error.headers)
