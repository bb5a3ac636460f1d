"""Calls that RMZ does not have: other languages move the sandbox's time and send its events."""

from __future__ import annotations

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.endpoints.front_door import FrontDoor
from rmz_async.sandbox.shapes.subscription_events import Event

__all__ = ("control_routes",)

_UNITS = ("days", "hours", "minutes", "seconds")


def control_routes(backend: Backend, door: FrontDoor) -> list[Route]:
    """Return ``/sandbox/clock`` and ``/sandbox/emit``, which take the API's token."""

    async def clock(request: Request) -> Response:
        if not door.knows(request):
            return JSONResponse({"message": "Unauthenticated."}, 401)
        if request.method == "POST":
            try:
                await backend.clock.advance(_distance(await request.json()))
            except (ValueError, TypeError, AttributeError, OverflowError) as problem:
                return JSONResponse({"message": str(problem)}, 422)
        return JSONResponse({"now": backend.clock.now().isoformat()})

    async def emit(request: Request) -> Response:
        if not door.knows(request):
            return JSONResponse({"message": "Unauthenticated."}, 401)
        try:
            sent = await request.json()
            backend.emit(Event(sent["event"]), int(sent["id"]))
        except (ValueError, TypeError, KeyError) as problem:
            return JSONResponse({"message": str(problem)}, 422)
        return JSONResponse({"event": sent["event"]})

    return [
        Route("/sandbox/clock", clock, methods=["GET", "POST"]),
        Route("/sandbox/emit", emit, methods=["POST"]),
    ]


def _distance(sent: dict[str, float]) -> timedelta:
    """Return how far to go.

    Raises:
        ValueError: A key is unknown.
    """
    unknown = sorted(sent.keys() - set(_UNITS))
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; use {', '.join(_UNITS)}")
    return timedelta(**sent)
