"""Calls that RMZ does not have: they move the sandbox's time, send its events and list its rows."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.endpoints.front_door import FrontDoor
from rmz_async.sandbox.shapes.control_rows import LISTS, attempt_row, rows_of
from rmz_async.sandbox.shapes.events import Event

__all__ = ("control_routes",)

_UNITS = ("days", "hours", "minutes", "seconds")
_ROWS = 100


def control_routes(backend: Backend, door: FrontDoor) -> list[Route]:
    """Return the routes below ``/sandbox``, which take the API's token."""
    control = _Control(backend)
    return [
        Route("/sandbox/clock", door.guards(control.clock), methods=["GET", "POST"]),
        Route("/sandbox/emit", door.guards(control.emit), methods=["POST"]),
        Route("/sandbox/resend", door.guards(control.resend), methods=["POST"]),
        Route("/sandbox/list/{kind}", door.guards(control.rows)),
    ]


class _Control:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def clock(self, request: Request) -> Response:
        """Answer ``/sandbox/clock``: the time, after it was moved by a POST."""
        log = self._backend.courier.log
        before = len(log)
        if request.method == "POST":
            await self._backend.clock.advance(_distance(await _object(request)))
        made = log[before:]
        return JSONResponse(
            {
                "now": self._backend.clock.now().isoformat(),
                "attempts": len(made),
                "failed": sum(not attempt.succeeded for attempt in made),
            }
        )

    async def emit(self, request: Request) -> Response:
        """Answer ``POST /sandbox/emit``."""
        sent = await _object(request)
        event = Event(sent.get("event", ""))
        self._backend.emit(event, _number(sent, "id"))
        enabled = sum(webhook.enabled for webhook in self._backend.webhooks.values())
        return JSONResponse({"event": event, "webhooks": enabled})

    async def resend(self, request: Request) -> Response:
        """Answer ``POST /sandbox/resend``: one more attempt at a delivery, and its outcome."""
        courier = self._backend.courier
        number = _number(await _object(request), "number")
        if not 1 <= number <= len(courier.log):
            raise ValueError(f"there is no delivery {number}")
        parcel = courier.log[number - 1].parcel
        before = len(courier.log)
        courier.send_again(parcel)
        await courier.delivered()
        for place, attempt in enumerate(courier.log[before:], before + 1):
            if attempt.request_id == parcel.request_id:
                return JSONResponse({"attempt": attempt_row(place, attempt)})
        raise ValueError(f"webhook {parcel.webhook_id} is switched off, or was removed")

    async def rows(self, request: Request) -> Response:
        """Answer ``GET /sandbox/list/{kind}``: the newest rows, and how many there are."""
        kind: str = request.path_params["kind"]
        if kind not in LISTS:
            raise ValueError(f"there is no list {kind}; use {', '.join(LISTS)}")
        rows = rows_of(kind, self._backend)
        limit = int(request.query_params.get("limit", _ROWS))
        if limit < 1:
            raise ValueError("limit must be at least 1")
        return JSONResponse({"rows": rows[:limit], "total": len(rows)})


async def _object(request: Request) -> dict[str, Any]:
    """Return the body.

    Raises:
        ValueError: The body is no JSON object.
    """
    sent: object = None
    with suppress(ValueError):
        sent = await request.json()
    if not isinstance(sent, dict):
        raise ValueError("the body must be a JSON object")
    return cast("dict[str, Any]", sent)


def _number(sent: Mapping[str, Any], name: str) -> int:
    """Return a field of the body.

    Raises:
        ValueError: The value is no integer.
    """
    number = sent.get(name)
    if not isinstance(number, int) or isinstance(number, bool):
        raise ValueError(f"{name} must be an integer")
    return number


def _distance(sent: Mapping[str, Any]) -> timedelta:
    """Return how far to go.

    Raises:
        ValueError: A key is unknown.
    """
    unknown = sorted(sent.keys() - set(_UNITS))
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; use {', '.join(_UNITS)}")
    wrong = sorted(name for name, value in sent.items() if type(value) not in (int, float))
    if wrong:
        raise ValueError(f"{', '.join(wrong)} must be a number")
    return timedelta(**sent)
