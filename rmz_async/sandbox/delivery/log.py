"""What came of each attempt to deliver an event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

__all__ = ("Delivery", "Parcel")


@attrs.frozen(kw_only=True)
class Parcel:
    """One event on its way to one webhook. Every attempt has the same body and request id."""

    webhook_id: int
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
        status: What the receiver answered; None if it did not.
        error: Why there is no status; None if there is one.
        body: The bytes that were sent, and signed.
        headers: What was sent with them; the signature is one of them.
        answer_headers: What the receiver sent.
        answer: The first 4 KiB of the receiver's body; empty if it is long or did not say how long
            it is.
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
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    answer_headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    answer: bytes = attrs.field(default=b"", repr=False)

    @property
    def succeeded(self) -> bool:
        """Whether the answer was any 2xx."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def parcel(self) -> Parcel:
        """What was to be delivered."""
        return Parcel(
            webhook_id=self.webhook_id,
            event=self.event,
            event_id=self.event_id,
            request_id=self.request_id,
            body=self.body,
        )
