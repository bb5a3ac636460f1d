"""The way into the portal: a link that works once, and a code sent to the customer's phone."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.hosted.forms import ascii_digits, form_of
from rmz_async.sandbox.hosted.notices import EXPIRED, USED, InsteadError, missing, notice
from rmz_async.sandbox.hosted.portal.visits import COOKIE, Visits
from rmz_async.sandbox.hosted.rendering import rendered, sent_to
from rmz_async.sandbox.hosted.words import WRONG_CODE
from rmz_async.sandbox.store.state import PortalSession

__all__ = ("Entrance",)

_VISIBLE_DIGITS = re.compile(r"\d(?=\d{3})")


class Entrance:
    """Turn a link into a visit."""

    def __init__(self, backend: Backend, visits: Visits) -> None:
        self._backend = backend
        self._store = backend.store
        self._visits = visits

    async def show(self, request: Request) -> Response:
        """Answer ``GET /s/{token}``, which uses nothing up: link previews open links, too."""
        self._unused(request)
        return rendered(request, "portal_entrance.html", shop=self._store.profile)

    async def enter(self, request: Request) -> Response:
        """Answer ``POST /s/{token}``: the link is used up, and the code is sent."""
        key = self._visits.begin(self._unused(request))
        answer = sent_to("/portal/code")
        answer.set_cookie(COOKIE, key, path="/portal", httponly=True, samesite="lax")
        return answer

    async def ask(self, request: Request) -> Response:
        """Answer ``GET /portal/code``: the form for the code."""
        return self._form(request, self._visits.find(request))

    async def prove(self, request: Request) -> Response:
        """Answer ``POST /portal/code``: five wrong codes lock the visit."""
        form = await form_of(request)
        session = self._visits.find(request)
        if self._visits.prove(session, ascii_digits(form.get("code", ""))):
            return sent_to("/portal")
        # The visit is found again, as this code may have locked it.
        return self._form(request, self._visits.find(request), WRONG_CODE)

    def _unused(self, request: Request) -> PortalSession:
        session = self._store.portal_sessions.get(request.path_params["token"])
        if session is None:
            raise missing(request)
        if session.used_at is not None:
            raise InsteadError(notice(request, USED, session.return_url))
        if self._backend.now() >= session.expires_at:
            raise InsteadError(notice(request, EXPIRED, session.return_url))
        return session

    def _form(
        self, request: Request, session: PortalSession, problem: str | None = None
    ) -> Response:
        customer = self._store.customers[session.customer_id]
        return rendered(
            request,
            "portal_code.html",
            200 if problem is None else 422,
            phone=f"+{customer.country_code} {_VISIBLE_DIGITS.sub('•', customer.phone)}",
            problem=problem,
        )
