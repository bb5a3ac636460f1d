"""The page of worlds: their clocks and dashboards."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from rmz_async.sandbox.dashboard.pages import DashboardPages
from rmz_async.sandbox.hosted.forms import form_of
from rmz_async.sandbox.hosted.rendering import sent_to
from rmz_async.sandbox.worlds import ROOT, WorldError, Worlds

__all__ = ("WorldPages",)

_PAGE = "/worlds"


class WorldPages:
    """Shows the worlds of a server, makes one, or deletes one."""

    def __init__(self, worlds: Worlds, pages: DashboardPages) -> None:
        self._worlds = worlds
        self._pages = pages

    async def show(self, request: Request) -> Response:
        """Answer ``GET /worlds``."""
        return self._pages.page(
            request, "worlds.html", worlds=dict(self._worlds), most=self._worlds.most
        )

    async def act(self, request: Request) -> Response:
        """Answer ``POST /worlds``: make the world of the form, or delete one."""
        form = await form_of(request)
        name = form.get("name", "")
        if form.get("do") == "delete":
            if name in self._worlds:
                await self._worlds.delete(name)
            return sent_to(_PAGE)
        try:
            self._worlds.use(name)
        except WorldError as problem:
            return self._pages.with_problem(_PAGE, str(problem))
        return sent_to(f"{ROOT}{name}/")
