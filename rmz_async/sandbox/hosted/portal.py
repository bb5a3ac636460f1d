"""The billing portal's entrance."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.hosted.notices import EXPIRED, MISSING, USED, notice
from rmz_async.sandbox.hosted.rendering import rendered

__all__ = ("PortalPages",)


class PortalPages:
    """Check a portal link and use it up."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def enter(self, request: Request) -> Response:
        """Answer ``GET /s/{token}``."""
        session = self._backend.store.portal_sessions.get(request.path_params["token"])
        if session is None:
            return notice(request, MISSING)
        link = session.return_url
        if session.used_at is not None:
            return notice(request, USED, link)
        now = self._backend.now()
        if now >= session.expires_at:
            return notice(request, EXPIRED, link)
        session.used_at = now
        return rendered(request, "portal.html", link=link)
