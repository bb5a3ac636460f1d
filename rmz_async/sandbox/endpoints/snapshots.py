"""Calls that RMZ does not have: the sandbox at other moments."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rmz_async.sandbox.endpoints.front_door import FrontDoor
from rmz_async.sandbox.snapshots.changes import Change
from rmz_async.sandbox.snapshots.snapshot import Snapshot
from rmz_async.sandbox.snapshots.snapshots import Snapshots
from rmz_async.sandbox.wire.routing import route

__all__ = ("snapshot_routes",)

_PATH = "/sandbox/snapshots"


def snapshot_routes(snapshots: Snapshots, door: FrontDoor) -> list[Route]:
    """Return the routes below ``/sandbox/snapshots``, which take the API's token."""
    calls, path = _Calls(snapshots), f"{_PATH}/{{name}}"
    return [
        Route(_PATH, door.guards(calls.rows)),
        route(
            path,
            GET=door.guards(calls.content),
            PUT=door.guards(calls.save),
            DELETE=door.guards(calls.delete),
        ),
        Route(f"{path}/restore", door.guards(calls.restore), methods=["POST"]),
        Route(f"{path}/diff", door.guards(calls.diff)),
    ]


class _Calls:
    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots

    async def rows(self, _: Request) -> Response:
        """Answer ``GET``: all snapshots."""
        return JSONResponse([_shown(snapshot) for snapshot in self._snapshots.list()])

    async def save(self, request: Request) -> Response:
        """Answer ``PUT`` of a name: keep the present, or the file that is sent."""
        name, body = _name(request), await request.body()
        kept = self._snapshots.load(body, name) if body else self._snapshots.save(name)
        return JSONResponse(_shown(kept))

    async def delete(self, request: Request) -> Response:
        """Answer ``DELETE`` of a name."""
        self._snapshots.delete(_name(request))
        return Response(status_code=204)

    async def content(self, request: Request) -> Response:
        """Answer ``GET`` of a name: the file."""
        return Response(self._snapshots.content(_name(request)), media_type="application/json")

    async def restore(self, request: Request) -> Response:
        """Answer ``POST`` of ``restore``."""
        snapshot = self._snapshots.get(_name(request))
        self._snapshots.restore(snapshot.name)
        return JSONResponse(_shown(snapshot))

    async def diff(self, request: Request) -> Response:
        """Answer ``GET`` of ``diff``; ``?with=`` names the other snapshot."""
        changes = self._snapshots.diff(_name(request), request.query_params.get("with"))
        return JSONResponse([_row(change) for change in changes])


def _shown(snapshot: Snapshot) -> dict[str, str]:
    return {"name": snapshot.name, "now": snapshot.moment.isoformat()}


def _name(request: Request) -> str:
    name: str = request.path_params["name"]
    return name


def _row(change: Change) -> dict[str, Any]:
    # Imported when it is asked for: cattrs takes longer than the start of a sandbox.
    from rmz_async.sandbox.snapshots.conversion import as_json

    return {
        "object": change.object,
        "id": change.id,
        "field": change.field,
        "before": as_json(change.before),
        "after": as_json(change.after),
    }
