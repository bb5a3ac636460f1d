"""The message log: the messages that a customer's phone would receive."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.hosted.rendering import rendered

__all__ = ("MessageLog",)


class MessageLog:
    """Show the messages, the newest first, to people and to programs."""

    def __init__(self, backend: Backend) -> None:
        self._store = backend.store

    async def page(self, request: Request) -> Response:
        """Answer ``GET /messages``."""
        return rendered(request, "messages.html", messages=self._store.messages[::-1])

    async def rows(self, request: Request) -> Response:
        """Answer ``GET /messages.json``; ``?to=966512345678`` asks for one phone."""
        to = request.query_params.get("to")
        return JSONResponse(
            [
                {"to": row.to, "text": row.text, "sent_at": row.sent_at.isoformat()}
                for row in self._store.messages[::-1]
                if to is None or row.to == to
            ],
            headers={"Cache-Control": "no-store"},
        )
