"""The result of each attempt to deliver an event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from rmz_async.sandbox.store.ledger import Records

__all__ = ("Deliveries", "Delivery", "Parcel")


@attrs.frozen(kw_only=True)
class Parcel:
    """An event on its way to a webhook. Every attempt has the same body and request id."""

    webhook_id: int
    event: str
    event_id: str | None
    request_id: int
    body: bytes = attrs.field(repr=False)
    object_id: int | None = None


@attrs.frozen(kw_only=True)
class Delivery:
    """The result of an attempt to deliver an event to a webhook.

    Attributes:
        event_id: The same for each delivery of one event; None for an order's, which has none.
        attempt: 1 for the first.
        at: When the attempt began, UTC.
        status: The receiver's answer; None if there was none.
        error: Why there is no status; None if there is one.
        body: The bytes that were sent, and signed.
        headers: The headers that were sent, the signature among them.
        answer_headers: The headers of the receiver's answer.
        answer: The first 4 KiB of the receiver's body; empty if it is long or did not say how long
            it is.
        object_id: The id of the subscription or order that the event is about.
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
    object_id: int | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the answer was any 2xx."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def parcel(self) -> Parcel:
        """The delivery that was attempted."""
        return Parcel(
            webhook_id=self.webhook_id,
            event=self.event,
            event_id=self.event_id,
            request_id=self.request_id,
            body=self.body,
            object_id=self.object_id,
        )


class Deliveries(Records[Delivery]):
    """The attempts to deliver, in the order in which they ended."""

    def of(self, event: str | None = None, object_id: int | None = None) -> Deliveries:
        """Return the attempts that fit.

        Args:
            event: Such as ``subscription.renewed``; None for any.
            object_id: The id of a subscription or order; None for any.
        """
        found = (
            attempt
            for attempt in self
            if event in (None, attempt.event) and object_id in (None, attempt.object_id)
        )
        return Deliveries.of_run(found, self.seed)

    def assert_once(self, event: str, object_id: int) -> None:
        """Fail unless each webhook that was sent an event has accepted it exactly once.

        An attempt that failed and was made again later is allowed.

        Args:
            event: Such as ``subscription.renewed``.
            object_id: The id of the subscription or order.

        Raises:
            AssertionError: The event was never sent, a webhook accepted it more than once, or a
                webhook never accepted it. The message lists the attempts.
        """
        found = self.of(event, object_id)
        accepted = dict.fromkeys((attempt.webhook_id for attempt in found), 0)
        for attempt in found:
            accepted[attempt.webhook_id] += attempt.succeeded
        if not found or any(count != 1 for count in accepted.values()):
            counts = [f"{count} time(s) by webhook {key}" for key, count in accepted.items()]
            raise AssertionError(
                f"{event} of {object_id} was accepted {', '.join(counts) or 'by no webhook'}, "
                f"expected once by each. {_listed(found or self)}"
            )

    def assert_none(self, event: str | None = None, object_id: int | None = None) -> None:
        """Fail if an attempt fits; the arguments are those of `of`.

        Raises:
            AssertionError: An attempt fits. The message lists the attempts.
        """
        found = self.of(event, object_id)
        if found:
            raise AssertionError(
                f"{len(found)} attempt(s) to deliver fit, expected none. {_listed(found)}"
            )


def _listed(attempts: Deliveries) -> str:
    """Return the latest ten attempts, a line for each."""
    lines = ["Nothing was sent."]
    if attempts:
        lines = ["The latest attempts:", *(f"  {_line(attempt)}" for attempt in attempts[-10:])]
    return attempts.listed(lines)


def _line(attempt: Delivery) -> str:
    outcome = attempt.error if attempt.status is None else attempt.status
    return (
        f"{attempt.at:%Y-%m-%d %H:%M:%S} {attempt.event} of {attempt.object_id} to webhook "
        f"{attempt.webhook_id}, attempt {attempt.attempt} → {outcome}"
    )
