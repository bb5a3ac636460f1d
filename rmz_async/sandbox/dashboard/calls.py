"""A page from which each call of the API can be made by hand."""

from __future__ import annotations

from functools import cache

import httpx
from starlette.requests import Request
from starlette.responses import Response

from rmz_async.sandbox.dashboard.pages import DashboardPages
from rmz_async.sandbox.hosted.forms import form_of
from rmz_async.sandbox.hosted.notices import missing
from rmz_async.sandbox.hosted.rendering import sent_to
from rmz_async.sandbox.serving.contract_outline import Group, outline_of
from rmz_async.sandbox.serving.reference import contract
from rmz_async.sandbox.wire.below import Below, api_of, root_of

__all__ = ("ApiCalls",)

UPLOAD = "/products/upload"
_KINDS = ("image", "extra_image", "file")
# The newest request is the one that was just made.
_ANSWER = "/requests?open=newest"


class ApiCalls:
    """Offers the calls of the API's contract, and makes them with the sandbox's token."""

    def __init__(self, pages: DashboardPages, token: str) -> None:
        self._pages = pages
        self._headers = {"Authorization": f"Bearer {token}"}

    async def show(self, request: Request) -> Response:
        """Answer ``GET /calls``."""
        return self._pages.page(
            request, "calls.html", groups=_groups(), upload=UPLOAD, kinds=_KINDS
        )

    async def make(self, request: Request) -> Response:
        """Answer ``POST /calls``: make the call that the form describes."""
        form = await form_of(request)
        method, path = form.get("method", ""), form.get("path", "")
        # `_send` appends the path to the base URL: without a slash, it would lead out of the API.
        if method not in ("GET", "POST", "PUT") or not path.startswith("/"):
            raise missing(request)
        body = form.get("body", "").encode()
        return await self._send(request, method, path, body, "application/json")

    async def upload(self, request: Request) -> Response:
        """Answer ``POST /calls/upload/{kind}``: pass the form with the file on as it is."""
        kind = request.path_params["kind"]
        if kind not in _KINDS:
            raise missing(request)
        content_type = request.headers.get("content-type", "")
        path = f"{UPLOAD}?type={kind}"
        return await self._send(request, "POST", path, await request.body(), content_type)

    async def _send(
        self, request: Request, method: str, path: str, body: bytes, content_type: str
    ) -> Response:
        headers = {**self._headers, "Content-Type": content_type} if body else self._headers
        transport = httpx.ASGITransport(Below(request.app, root_of(request)))
        async with httpx.AsyncClient(transport=transport, headers=headers) as api:
            try:
                await api.request(method, f"{api_of(request)}{path}", content=body)
            except (httpx.TransportError, httpx.InvalidURL) as problem:
                return self._pages.with_problem("/requests", str(problem))
        return sent_to(_ANSWER)


@cache
def _groups() -> tuple[Group, ...]:
    """Return the calls without the events, which no program of the store sends."""
    return tuple(group for group in outline_of(contract()).groups if group.name != "webhooks")
