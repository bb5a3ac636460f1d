"""The steps of a scenario that expect something. The docstrings describe their fields."""

from __future__ import annotations

from typing import Any

import attrs

from rmz_async.sandbox.scenarios.stage import Stage, StepError
from rmz_async.sandbox.seed.given import unknown
from rmz_async.sandbox.shapes.events import Event
from rmz_async.sandbox.snapshots.conversion import as_json
from rmz_async.sandbox.store.state import Subscription

__all__ = (
    "EXPECTATIONS",
    "ExpectDeliveries",
    "ExpectLedger",
    "ExpectRequests",
    "ExpectSubscription",
)

_LATEST = 5
# A property, which no field has.
_RENEWS = "renews"


@attrs.frozen(kw_only=True)
class ExpectSubscription:
    """Compare fields of a subscription of the store.

    Attributes:
        id: The subscription's id.
        fields: The values that are expected; times as ISO 8601, and prices in quotes.
    """

    id: int | str
    fields: dict[str, object]

    def __attrs_post_init__(self) -> None:
        """Check the names, before anything is played."""
        known = {field.name for field in attrs.fields(Subscription)} | {_RENEWS}
        for name in self.fields:
            if name not in known:
                raise ValueError(f"fields.{name}: {unknown(name, known)}")

    async def play(self, stage: Stage) -> None:
        """Compare."""
        subscription = stage.subscription("id", self.id)
        for name, wanted in self.fields.items():
            found = as_json(getattr(subscription, name))
            expected = as_json(stage.value(wanted))
            if found != expected:
                raise StepError(f"{name}: must be {expected!r}, and is {found!r}")


@attrs.frozen(kw_only=True)
class ExpectDeliveries:
    """Count the deliveries of an event that the webhook has accepted.

    Attributes:
        event: Such as ``subscription.renewed``.
        id: The object that the event is about; left out for any.
    """

    event: Event
    id: int | str | None = None
    times: int = 1

    async def play(self, stage: Stage) -> None:
        """Compare."""
        if not stage.sandbox.webhooks:
            raise StepError("event: no webhook receives any: begin with a receive step")
        of = stage.sandbox.deliveries.of(self.event, stage.value(self.id))
        accepted = sum(attempt.succeeded for attempt in of)
        if accepted != self.times:
            seen = [
                f"{attempt.event} of {attempt.object_id}" for attempt in stage.sandbox.deliveries
            ]
            raise StepError(
                f"times: {self.event} must be accepted {self.times} time(s), and was accepted "
                f"{accepted}, in {len(of)} attempt(s); latest deliveries: {_latest(seen)}"
            )


@attrs.frozen(kw_only=True)
class ExpectLedger:
    """Count the effects of an operation.

    Attributes:
        operation: Such as ``subscriptions.extend`` or ``lifecycle.renewed``.
        id: The object that was changed; left out for any.
    """

    operation: str
    id: int | str | None = None
    times: int = 1

    async def play(self, stage: Stage) -> None:
        """Compare."""
        found = len(stage.sandbox.ledger.of(self.operation, stage.value(self.id)))
        if found != self.times:
            seen = [f"{effect.operation} of {effect.object_id}" for effect in stage.sandbox.ledger]
            raise StepError(
                f"times: the ledger must have {self.operation} {self.times} time(s), and has it "
                f"{found}; latest effects: {_latest(seen)}"
            )


@attrs.frozen(kw_only=True)
class ExpectRequests:
    """Count the requests of the API, and their answers.

    Attributes:
        path: The beginning of the path below the base URL.
        status: The answer's status; left out for any.
    """

    times: int
    method: str | None = None
    path: str | None = None
    status: int | None = None

    async def play(self, stage: Stage) -> None:
        """Compare."""
        path = stage.value(self.path)
        fit = stage.sandbox.requests.of(method=self.method, path=path, status=self.status)
        if len(fit) != self.times:
            seen = [
                f"{request.method} {request.path} → {request.status}"
                for request in stage.sandbox.requests
            ]
            raise StepError(
                f"times: {self.times} request(s) must fit, and {len(fit)} do; latest requests: "
                f"{_latest(seen)}"
            )


EXPECTATIONS: dict[str, type[Any]] = {
    "expect_subscription": ExpectSubscription,
    "expect_deliveries": ExpectDeliveries,
    "expect_ledger": ExpectLedger,
    "expect_requests": ExpectRequests,
}
"""The steps by the word that a file has for each."""


def _latest(seen: list[str]) -> str:
    return ", ".join(seen[-_LATEST:]) or "none"
