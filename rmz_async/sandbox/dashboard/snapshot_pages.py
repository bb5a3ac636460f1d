"""The page of snapshots: save, restore, compare, download and delete."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from rmz_async.sandbox.dashboard.pages import DashboardPages
from rmz_async.sandbox.hosted.forms import form_of
from rmz_async.sandbox.hosted.notices import missing
from rmz_async.sandbox.hosted.rendering import sent_to
from rmz_async.sandbox.snapshots.snapshots import SnapshotError, Snapshots

__all__ = ("SnapshotPages",)

_PAGE = "/snapshots"
_ROWS = 200


class SnapshotPages:
    """Shows the snapshots, and does what is clicked."""

    def __init__(self, snapshots: Snapshots, pages: DashboardPages) -> None:
        self._snapshots = snapshots
        self._pages = pages

    async def show(self, request: Request) -> Response:
        """Answer ``GET /snapshots``; ``?first=`` and ``?second=`` compare two."""
        first, second = (request.query_params.get(name, "") for name in ("first", "second"))
        changes = None
        if first:
            try:
                changes = self._snapshots.diff(first, second or None)
            except SnapshotError as problem:
                return self._pages.with_problem(_PAGE, str(problem))
        return self._pages.page(
            request,
            "snapshots.html",
            snapshots=self._snapshots.list()[::-1],
            first=first,
            second=second,
            changes=None if changes is None else changes[:_ROWS],
            shown=_shown,
            total=len(changes or ()),
        )

    async def act(self, request: Request) -> Response:
        """Answer ``POST /snapshots``: save, restore or delete, by the button."""
        form = await form_of(request)
        name = form.get("name", "")
        deeds = {
            "save": self._snapshots.save,
            "restore": self._snapshots.restore,
            "delete": self._snapshots.delete,
        }
        deed = deeds.get(form.get("do", "save"))
        if deed is None:
            raise missing(request)
        try:
            deed(name)
        except SnapshotError as problem:
            return self._pages.with_problem(_PAGE, str(problem))
        return sent_to(_PAGE)

    async def load(self, request: Request) -> Response:
        """Answer ``POST /snapshots/file``: keep the snapshot of a file, by the name in it."""
        async with request.form() as form:
            file = form.get("file")
            content = await file.read() if isinstance(file, UploadFile) else b""
        try:
            self._snapshots.load(content)
        except SnapshotError as problem:
            return self._pages.with_problem(_PAGE, str(problem))
        return sent_to(_PAGE)

    async def download(self, request: Request) -> Response:
        """Answer ``GET /snapshots/{name}``: the file, as `Snapshots.save_file` writes it."""
        name: str = request.path_params["name"]
        try:
            content = self._snapshots.content(name)
        except SnapshotError:
            raise missing(request) from None
        shown = f"attachment; filename*=UTF-8''{quote(name)}.json"
        return Response(
            content, media_type="application/json", headers={"Content-Disposition": shown}
        )


def _shown(value: object) -> str:
    """Return the value of a field as people read it."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return "—" if value is None else str(value)
