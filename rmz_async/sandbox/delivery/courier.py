"""Carry events to webhooks, and keep a log of it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import datetime
from functools import partial

import anyio
import attrs
import httpx

from rmz_async.sandbox.delivery import background
from rmz_async.sandbox.delivery.webhook import Webhook, signed_headers

__all__ = ("Courier", "Delivery", "Parcel")

# Nobody sits between this machine and itself, and a local certificate is mostly self-signed.
_ANY_CERTIFICATE = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_ANY_CERTIFICATE.check_hostname = False
_ANY_CERTIFICATE.verify_mode = ssl.CERT_NONE


@attrs.frozen(kw_only=True)
class Parcel:
    """One event on its way to one webhook. Every attempt has the same body and request id."""

    webhook: Webhook
    event: str
    event_id: str | None
    request_id: int
    body: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Delivery:
    """What came of one attempt to deliver an event to a webhook.

    Attributes:
        event_id: The same for each delivery of one event; None for an order's, which has none.
        attempt: 1 for the first.
        at: When the attempt began, UTC.
        status: What the receiver answered; None where it did not.
        error: Why there is no status; None where there is one.
        body: The bytes that were sent, and signed.
    """

    webhook_id: int
    url: str
    event: str
    event_id: str | None
    request_id: int
    attempt: int
    at: datetime
    status: int | None
    error: str | None
    body: bytes = attrs.field(repr=False)

    @property
    def succeeded(self) -> bool:
        """Whether the answer was any 2xx."""
        return self.status is not None and 200 <= self.status < 300


class Courier:
    """Delivers parcels side by side, each within *timeout* seconds."""

    def __init__(self, now: Callable[[], datetime], *, timeout: float = 3.0) -> None:
        self._now = now
        self.timeout = timeout
        # How to give up each delivery, and what its end sets.
        self._under_way: dict[anyio.CancelScope, anyio.Event] = {}
        self.log: list[Delivery] = []

    def send(self, parcel: Parcel) -> None:
        """Start delivering *parcel*."""
        scope = anyio.CancelScope()
        self._under_way[scope] = anyio.Event()
        background.start(partial(self._carry, parcel, scope))

    async def delivered(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await next(iter(self._under_way.values())).wait()

    async def close(self) -> None:
        """Give up what is under way; it leaves no trace in the log."""
        for scope in tuple(self._under_way):
            scope.cancel()
        with anyio.CancelScope(shield=True):
            await self.delivered()

    async def _carry(self, parcel: Parcel, scope: anyio.CancelScope) -> None:
        try:
            with scope:
                self.log.append(await self._attempt(parcel, attempt=1))
        finally:
            self._under_way.pop(scope).set()

    async def _attempt(self, parcel: Parcel, *, attempt: int) -> Delivery:
        at = self._now()
        status = error = None
        try:
            with anyio.fail_after(self.timeout):
                status = await self._post(parcel)
        except (TimeoutError, httpx.TimeoutException):
            error = f"no answer within {self.timeout:g} s"
        # Whatever a receiver does wrong belongs in the log; on trio it would end the event loop.
        except Exception as problem:  # noqa: BLE001 - as said above
            error = f"{type(problem).__name__}: {problem}"
        return Delivery(
            webhook_id=parcel.webhook.id,
            url=parcel.webhook.url,
            event=parcel.event,
            event_id=parcel.event_id,
            request_id=parcel.request_id,
            attempt=attempt,
            at=at,
            status=status,
            error=error,
            body=parcel.body,
        )

    async def _post(self, parcel: Parcel) -> int:
        """Return the status that *parcel* met. No redirect is followed: it might lead outside."""
        webhook = parcel.webhook
        transport = (
            httpx.AsyncHTTPTransport(verify=_ANY_CERTIFICATE, trust_env=False)
            if webhook.app is None
            else httpx.ASGITransport(webhook.app, raise_app_exceptions=False)
        )
        headers = signed_headers(webhook, parcel.request_id, parcel.body)
        async with (
            httpx.AsyncClient(transport=transport, timeout=self.timeout, trust_env=False) as client,
            # The body is not read: it may be endless, and only the status counts.
            client.stream("POST", webhook.url, content=parcel.body, headers=headers) as response,
        ):
            return response.status_code
