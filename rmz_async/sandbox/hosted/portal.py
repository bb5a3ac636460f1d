"""The billing portal's entrance."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.hosted.rendering import notice

__all__ = ("PortalPages",)


class PortalPages:
    """Check a portal link and use it up."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def enter(self, request: Request) -> Response:
        """Answer ``GET /s/{token}``."""
        session = self._backend.store.portal_sessions.get(request.path_params["token"])
        if session is None:
            return notice(request, "missing", 404, None)
        link = ("back", session.return_url) if session.return_url else None
        if session.used_at is not None:
            return notice(request, "used", 410, link)
        now = self._backend.now()
        if now >= session.expires_at:
            return notice(request, "expired", 410, link)
        session.used_at = now
        return notice(request, "portal", 200, link)
