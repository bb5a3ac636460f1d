"""Calls under ``/portal-sessions``."""

from __future__ import annotations

from datetime import timedelta

from starlette.routing import Route

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.endpoints.front_door import AdmittedCall, FrontDoor
from rmz_async.sandbox.rules.customers import existing
from rmz_async.sandbox.store.state import PortalSession
from rmz_async.sandbox.wire.answers import Success
from rmz_async.sandbox.wire.forms import instant

__all__ = ("PortalSessions", "routes")

_USUAL_LIFETIME = 3600


def routes(backend: Backend, door: FrontDoor) -> list[Route]:
    """Return the path and its handler."""
    return [
        Route("/portal-sessions", door.lets_in(PortalSessions(backend).create), methods=["POST"])
    ]


class PortalSessions:
    """Make links to the hosted billing portal."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._store = backend.store

    def create(self, call: AdmittedCall) -> Success:
        """Answer ``POST /portal-sessions``."""
        fields = call.fields
        return_url = fields.url("return_url") or None
        lifetime = fields.integer("expires_in", least=300, most=86400) or _USUAL_LIFETIME
        customer = existing(fields.nested("customer"), self._store)
        session = PortalSession(
            token=self._store.ids.key("portal session", length=32),
            customer_id=customer.id,
            expires_at=call.now + timedelta(seconds=lifetime),
            return_url=return_url,
        )
        self._store.portal_sessions[session.token] = session
        self._backend.record("portal_sessions.create", customer.id, f"for {lifetime} s")
        return Success(
            {
                "url": f"{call.origin}/s/{session.token}",
                "expires_at": instant(session.expires_at),
            },
            "Portal session created successfully",
        )
