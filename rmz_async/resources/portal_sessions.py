"""Sessions of the hosted billing portal."""

from __future__ import annotations

from rmz_async import operations
from rmz_async._calls.call import Call
from rmz_async._http.base_url import URLObject
from rmz_async._transport import Transport
from rmz_async.models import PhoneNumber, PortalSession
from rmz_async.resources._validation import Validation

__all__ = ("PortalSessions",)


class PortalSessions:
    """Send customers to a page on which they manage their subscriptions."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(
        self,
        *,
        customer: PhoneNumber | int,
        return_url: str | URLObject | None = None,
        expires_in: int | None = None,
    ) -> PortalSession:
        """Create a session, whose address works once.

        The customer proves who they are with a code that is sent to their phone. The call is
        retried once if no answer came back: a session that stays unopened costs nothing.

        Args:
            customer: A customer's id, or their phone number.
            return_url: Absolute http or https URL; the customer goes there at the end.
            expires_in: 300 to 86400 seconds; RMZ takes 3600 if it is left out.

        Returns:
            The address to send the customer to, and its end (UTC).

        Raises:
            InvalidRequestError: A field breaks a rule, found here or by RMZ; nothing was created.
            NotFoundError: There is no such customer in this store.
            OutcomeUnknownError: No trustworthy answer came back; creating another session is
                harmless.

        Source: https://docs.rmz.gg/merchant-api/portal-sessions/create-portal-session
        """
        check = Validation(operations.PORTAL_SESSIONS_CREATE)
        who = check.customer("customer", customer, PhoneNumber)
        return_address = None if return_url is None else check.url("return_url", return_url)
        if expires_in is not None:
            expires_in = check.integer("expires_in", expires_in, 300, 86_400)
        check.finish()
        return await self._transport.call(
            Call(
                operation=operations.PORTAL_SESSIONS_CREATE,
                returns=PortalSession,
                body={"customer": who, "return_url": return_address, "expires_in": expires_in},
            )
        )
