"""Pure: a delivery and an attempt of a handler as records for an observer."""

from __future__ import annotations

from rmz_async.observing import DeliveryRecord, HandlerRecord
from rmz_async.webhooks._ack import Ack
from rmz_async.webhooks._replaying import UNREADABLE
from rmz_async.webhooks.events import EventType
from rmz_async.webhooks.inbox.records import Delivery, Task

# Anyone who has a secret can send unknown names, and each would make a time series of its own.
OTHER = "other"

_KNOWN = frozenset(kind.value for kind in EventType)

_OUTCOMES = {401: "refused", 500: "not_configured", 503: "not_stored"}


def delivery_record(
    delivery: Delivery | None, ack: Ack, inbox_id: int | None, seconds: float
) -> DeliveryRecord:
    """Return the record of a delivery that was answered.

    Args:
        delivery: The delivery that was to be stored; None if it was not.
        ack: The answer.
        inbox_id: The number in the inbox; None if the delivery was not stored, or not for the first
            time.
        seconds: The time to answer.
    """
    outcome = _OUTCOMES.get(ack.status, "genuine")
    if delivery is not None and ack.status == 200:
        if inbox_id is None:
            outcome = "duplicate"
        elif delivery.fault is not None:
            outcome = "unreadable"
    return DeliveryRecord(
        event=None if delivery is None or delivery.name == UNREADABLE else known(delivery.name),
        outcome=outcome,
        secret_index=None if delivery is None else delivery.secret_index,
        seconds=seconds,
    )


def handler_record(task: Task, outcome: str, seconds: float, waited: float) -> HandlerRecord:
    """Return the record of an attempt of a handler."""
    return HandlerRecord(
        event=known(task.name),
        handler=task.handler,
        attempt=task.attempt,
        outcome=outcome,
        seconds=seconds,
        lag=None if task.age is None else task.age + waited,
    )


def known(name: str) -> str:
    """Return the name of an event, if this version knows it."""
    return name if name in _KNOWN else OTHER
