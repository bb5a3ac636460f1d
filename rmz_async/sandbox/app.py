"""The ASGI application: its paths and their endpoints."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from rmz_async.sandbox import endpoints
from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.dashboard.routes import dashboard_routes
from rmz_async.sandbox.endpoints.control import control_routes
from rmz_async.sandbox.endpoints.front_door import FrontDoor
from rmz_async.sandbox.endpoints.snapshots import snapshot_routes
from rmz_async.sandbox.endpoints.worlds import world_routes
from rmz_async.sandbox.faults.requests import FaultyRequests
from rmz_async.sandbox.hosted.notices import InsteadError, answer_instead
from rmz_async.sandbox.hosted.routes import hosted_routes
from rmz_async.sandbox.loopback import Callers, LoopbackOnly, SameOriginForms
from rmz_async.sandbox.rules import uploads
from rmz_async.sandbox.serving.bodies import LimitedBodies
from rmz_async.sandbox.serving.reference import reference_routes
from rmz_async.sandbox.serving.request_log import RequestLog
from rmz_async.sandbox.snapshots.snapshots import Snapshots
from rmz_async.sandbox.tokens import NoLiveTokens
from rmz_async.sandbox.wire.below import BASE_PATH
from rmz_async.sandbox.worlds import Worlds

__all__ = ("BASE_PATH", "build_app")

# In bytes.
_MOST_OF_SNAPSHOT = 256 * 1024 * 1024


def build_app(
    backend: Backend,
    token: str,
    *,
    throttle: bool,
    catch_up: Callable[[], None],
    callers: Callers,
    snapshots: Snapshots,
    worlds: Worlds | None,
) -> Starlette:
    """Return the whole of RMZ: the API below `BASE_PATH`, the hosted pages beside it."""
    door = FrontDoor(token, backend, throttle=throttle)
    return Starlette(
        routes=[
            Mount(BASE_PATH, routes=_calls(backend, door)),
            *hosted_routes(backend),
            *dashboard_routes(backend, token, snapshots, worlds),
            *reference_routes(),
            *control_routes(backend, door),
            *snapshot_routes(snapshots, door),
            *([] if worlds is None else world_routes(worlds, door)),
        ],
        middleware=[
            Middleware(LoopbackOnly, callers=callers),
            Middleware(SameOriginForms),
            Middleware(
                LimitedBodies,
                exceptions={
                    f"{BASE_PATH}/products/upload": uploads.MOST_BYTES,
                    "/calls/upload/": uploads.MOST_BYTES,
                    # A file of 10,000 subscriptions has 4.7 MB, and their history comes to that.
                    "/sandbox/snapshots/": _MOST_OF_SNAPSHOT,
                    "/snapshots/file": _MOST_OF_SNAPSHOT,
                },
            ),
            Middleware(NoLiveTokens),
            Middleware(_CatchingUp, catch_up=catch_up),
            Middleware(RequestLog, now=backend.now, note=backend.requests.note),
            Middleware(FaultyRequests, faults=backend.faults),
        ],
        exception_handlers={
            404: _no_route,
            405: _wrong_method,
            InsteadError: answer_instead,
        },
    )


def _calls(backend: Backend, door: FrontDoor) -> list[Route]:
    """Return the routes of every module of `endpoints` that has some."""
    names = [found.name for found in iter_modules(endpoints.__path__, f"{endpoints.__name__}.")]
    modules = [module for name in names if hasattr(module := import_module(name), "routes")]
    routes: list[Route] = [route for module in modules for route in module.routes(backend, door)]
    # Paths with an id last: they would match, and be named in ``Allow``, for those without.
    return sorted(routes, key=lambda route: "{" in route.path)


async def _no_route(request: Request, _: Exception) -> Response:
    path = request.url.path.lstrip("/")
    return JSONResponse({"message": f"The route {path} could not be found."}, 404)


async def _wrong_method(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"The {request.method} method is not supported for this route."
    # The allowed methods, in ``Allow``.
    return JSONResponse({"message": message}, 405, error.headers)


class _CatchingUp:
    """Bring about what time has brought, and pass the request on."""

    def __init__(self, app: ASGIApp, catch_up: Callable[[], None]) -> None:
        self._app = app
        self._catch_up = catch_up

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._catch_up()
        await self._app(scope, receive, send)
