"""A path with several methods."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

__all__ = ("route",)

Endpoint = Callable[[Request], Awaitable[Response]]


def route(path: str, **endpoints: Endpoint) -> Route:
    """Return one route for all methods of a path: with several, a 405 would name only the first."""

    async def endpoint(request: Request) -> Response:
        return await endpoints.get(request.method, endpoints["GET"])(request)

    return Route(path, endpoint, methods=list(endpoints))
