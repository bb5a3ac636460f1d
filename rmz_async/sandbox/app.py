"""The ASGI application: which path leads where."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.endpoints.checkout_sessions import CheckoutSessions
from rmz_async.sandbox.endpoints.lookup import Lookup
from rmz_async.sandbox.endpoints.portal_sessions import PortalSessions
from rmz_async.sandbox.endpoints.subscriptions import Subscriptions
from rmz_async.sandbox.front_door import FrontDoor
from rmz_async.sandbox.hosted.checkout import CheckoutPages
from rmz_async.sandbox.hosted.portal import PortalPages
from rmz_async.sandbox.loopback import LoopbackOnly

__all__ = ("BASE_PATH", "build_app")

BASE_PATH = "/shawarma"


def build_app(backend: Backend, token: str, *, throttle: bool) -> Starlette:
    """Return the whole of RMZ: the API below `BASE_PATH`, the hosted pages beside it."""
    door = FrontDoor(token, backend.now, throttle=throttle)
    return Starlette(
        routes=[
            Mount(
                BASE_PATH, routes=[*_subscription_calls(backend, door), *_sessions(backend, door)]
            ),
            *_hosted_pages(backend),
        ],
        middleware=[Middleware(LoopbackOnly)],
        exception_handlers={404: _no_route, 405: _wrong_method},
    )


def _subscription_calls(backend: Backend, door: FrontDoor) -> list[Route]:
    subscriptions = Subscriptions(backend)
    lookup = Lookup(backend)
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


def _hosted_pages(backend: Backend) -> list[Route]:
    checkout = CheckoutPages(backend)
    return [
        Route("/checkout/{key}", checkout.show, methods=["GET"]),
        Route("/checkout/{key}/pay", checkout.pay, methods=["POST"]),
        Route("/checkout/{key}/cancel", checkout.cancel, methods=["POST"]),
        Route("/s/{token}", PortalPages(backend).enter, methods=["GET"]),
    ]


async def _no_route(request: Request, _: Exception) -> Response:
    path = request.url.path.lstrip("/")
    return JSONResponse({"message": f"The route {path} could not be found."}, 404)


async def _wrong_method(request: Request, _: Exception) -> Response:
    message = f"The {request.method} method is not supported for this route."
    return JSONResponse({"message": message}, 405)
