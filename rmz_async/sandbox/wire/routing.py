"""Paths with several methods, and paths with a number in them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

__all__ = ("route",)

Endpoint = Callable[[Request], Awaitable[Response]]


class _Number(IntegerConvertor):
    """``{name:number}``: a number that can be an id.

    Starlette's own takes any number of digits, and Python refuses to read thousands of them.
    """

    regex = "[0-9]{1,18}"


register_url_convertor("number", _Number())


def route(path: str, **endpoints: Endpoint) -> Route:
    """Return one route for all methods of a path: with several, a 405 would name only the first."""

    async def endpoint(request: Request) -> Response:
        return await endpoints.get(request.method, endpoints["GET"])(request)

    return Route(path, endpoint, methods=list(endpoints))
