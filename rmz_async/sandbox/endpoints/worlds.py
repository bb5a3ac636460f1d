"""Calls that RMZ does not have: the worlds of this server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rmz_async.sandbox.endpoints.front_door import FrontDoor
from rmz_async.sandbox.wire.below import BASE_PATH, origin_of
from rmz_async.sandbox.wire.routing import route
from rmz_async.sandbox.worlds import ROOT, WorldError, Worlds

if TYPE_CHECKING:
    from rmz_async.sandbox.sandbox import Sandbox

__all__ = ("world_routes",)


def world_routes(worlds: Worlds, door: FrontDoor) -> list[Route]:
    """Return ``/worlds.json`` and ``/worlds/{name}``.

    Only a deletion takes the server's token: whoever reads this has the dashboard, too, which
    shows each token.
    """

    def row(request: Request, name: str, world: Sandbox) -> dict[str, object]:
        root = f"{origin_of(request)}{ROOT}{name}"
        return {
            "name": name,
            "base_url": f"{root}{BASE_PATH}",
            "token": world.token,
            "dashboard": f"{root}/",
            "seed": world.seed,
            "now": world.clock.now().isoformat(),
        }

    async def rows(request: Request) -> Response:
        return JSONResponse([row(request, name, worlds[name]) for name in worlds])

    async def show(request: Request) -> Response:
        name = request.path_params["name"]
        try:
            return JSONResponse(row(request, name, worlds.use(name)))
        except WorldError as problem:
            return JSONResponse({"message": str(problem)}, 422)

    async def delete(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in worlds:
            return JSONResponse({"message": f"There is no world {name}."}, 404)
        await worlds.delete(name)
        return Response(status_code=204)

    return [
        Route("/worlds.json", rows),
        route("/worlds/{name}", GET=show, DELETE=door.guards(delete)),
    ]
