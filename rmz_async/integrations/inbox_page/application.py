"""The routes of the page: a list of deliveries, one delivery, and the buttons."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from rmz_async.integrations.inbox_page._rendering import Renderer
from rmz_async.webhooks._core import ReceiverCore
from rmz_async.webhooks._reading import RECONCILED
from rmz_async.webhooks._threads import in_thread
from rmz_async.webhooks.inbox.interface import TaskState

__all__ = ("inbox_page",)

ROWS = 50

LONGEST: int = 19
"""Digits of the largest number of a delivery."""

HERE = Path(__file__).parent
# The dashboard of the sandbox brings the library along; its licence lies beside it.
HTMX = HERE.parents[1] / "sandbox/dashboard/static/htmx.min.js"


def inbox_page(
    receiver: ReceiverCore, *, allow_changes: bool = False, show_content: bool = False
) -> Starlette:
    """Return an application that shows an inbox, in English and Arabic.

    **Protect it**: the page asks nobody for a password. Mount it behind the login of your staff,
    as ``app.mount("/inbox", inbox_page(receiver))``. Secrets are never shown.

    Args:
        receiver: The receiver of either package.
        allow_changes: Show buttons that run the handlers of a delivery again.
        show_content: Show the bodies of deliveries and the errors of handlers in full, which hold
            personal data. Without it, the page shows ids, states and the errors' types.

    Returns:
        An ASGI application.
    """
    pages = _Pages(receiver, allow_changes=allow_changes, show_content=show_content)
    routes = [
        Route("/", pages.show_list, name="list"),
        Route("/inbox.css", _file(HERE / "inbox.css", "text/css"), name="style"),
        Route("/htmx.js", _file(HTMX, "text/javascript"), name="script"),
        Route("/{number}", pages.show_entry, name="entry"),
    ]
    if allow_changes:
        routes.append(Route("/{number}/replay", pages.replay, methods=["POST"], name="replay"))
    return Starlette(routes=routes)


class _Pages:
    def __init__(self, receiver: ReceiverCore, *, allow_changes: bool, show_content: bool) -> None:
        self._receiver = receiver
        self._renderer = Renderer(allow_changes=allow_changes, show_content=show_content)

    async def show_list(self, request: Request) -> Response:
        """Show the newest deliveries, or those before a number."""
        query = request.query_params
        given = query.get("state", "")
        state = TaskState(given) if given in set(TaskState) else None
        inbox = self._receiver.inbox
        stats = await in_thread(inbox.stats)
        entries = await in_thread(
            partial(
                inbox.entries,
                state=state,
                before=_number(query.get("before", "")),
                limit=ROWS,
            )
        )
        older = None
        if len(entries) == ROWS:
            older = urlencode({"state": state or "", "before": entries[-1].inbox_id})
        return self._renderer.page(
            request, "list.html", stats=stats, entries=entries, state=state, older=older
        )

    async def show_entry(self, request: Request) -> Response:
        """Show one delivery with its tasks."""
        number = _number(request.path_params["number"])
        entry = (
            None if number is None else await in_thread(partial(self._receiver.inbox.entry, number))
        )
        if entry is None:
            raise HTTPException(404)
        return self._renderer.page(request, "entry.html", entry=entry, reconciled=RECONCILED)

    async def replay(self, request: Request) -> Response:
        """Run the handlers of a delivery again."""
        if _crosses_origins(request):
            raise HTTPException(403, "This form was sent from a page of another origin.")
        number = _number(request.path_params["number"])
        if number is None:
            raise HTTPException(404)
        await in_thread(partial(self._receiver.replayed, number, dry_run=False))
        shown = request.url_for("entry", number=number)
        asked = request.query_params.get("lang")
        return RedirectResponse(shown.include_query_params(lang=asked) if asked else shown, 303)


def _number(text: str) -> int | None:
    """Return the number of a delivery in an address; None for what no delivery has."""
    # Python refuses to read some thousands of digits.
    is_number = text.isascii() and text.isdigit() and len(text) <= LONGEST
    return int(text) if is_number else None


def _crosses_origins(request: Request) -> bool:
    """Say whether a browser sends a form for a page that is not ours."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")


def _file(path: Path, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return FileResponse(path, media_type=media_type)

    return answer
