"""Visits of the portal: begun by a link, proven by a code, ended by time."""

from __future__ import annotations

import secrets

from starlette.requests import Request

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.hosted.notices import EXPIRED, LOCKED, InsteadError, missing, notice
from rmz_async.sandbox.hosted.rendering import sent_to
from rmz_async.sandbox.store.ledger import Message
from rmz_async.sandbox.store.state import PortalSession

__all__ = ("COOKIE", "Visits")

COOKIE = "rmz-portal"

_KEY_BITS = 192
_CODE_DIGITS = 6
_ATTEMPTS = 5


class Visits:
    """Find the visit of a request, and prove whose it is."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._store = backend.store

    def begin(self, session: PortalSession) -> str:
        """Use the link up, send the customer a code, and return the visit's key."""
        now, chance = self._backend.now(), self._backend.chance
        session.used_at = now
        # The sandbox's seed repeats both.
        session.visit = f"{chance.getrandbits(_KEY_BITS):048x}"
        session.code = f"{chance.randrange(10**_CODE_DIGITS):0{_CODE_DIGITS}}"
        customer = self._store.customers[session.customer_id]
        self._store.messages.append(
            Message(
                to=customer.country_code + customer.phone,
                text=f"RMZ: {session.code} هو رمز الدخول إلى بوابة الفواتير",
                sent_at=now,
            )
        )
        return session.visit

    def find(self, request: Request) -> PortalSession:
        """Return the visit that the request's cookie names, proven or not.

        Raises:
            InsteadError: There is none; the page says why.
        """
        key = request.cookies.get(COOKIE, "")
        for session in self._store.portal_sessions.values():
            if session.visit is not None and secrets.compare_digest(session.visit, key):
                return self._usable(request, session)
        raise missing(request)

    def find_proven(self, request: Request) -> PortalSession:
        """Return the same, or lead to the form for the code if the visit is not proven yet."""
        session = self.find(request)
        if session.proven_at is None:
            raise InsteadError(sent_to("/portal/code"))
        return session

    def prove(self, session: PortalSession, typed: str) -> bool:
        """Compare *typed* with the code that was sent; each wrong one counts."""
        if secrets.compare_digest(session.code.encode(), typed.encode()):
            session.proven_at = self._backend.now()
            return True
        session.wrong_codes += 1
        return False

    def _usable(self, request: Request, session: PortalSession) -> PortalSession:
        if self._backend.now() >= session.expires_at:
            raise InsteadError(notice(request, EXPIRED, session.return_url))
        if session.wrong_codes >= _ATTEMPTS:
            raise InsteadError(notice(request, LOCKED, session.return_url))
        return session
