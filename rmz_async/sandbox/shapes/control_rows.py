"""The rows that the command line lists: the most important columns of each kind of object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.delivery.log import Delivery

__all__ = ("LISTS", "attempt_row", "rows_of")

Row = dict[str, object]


def rows_of(kind: str, backend: Backend) -> Sequence[Row]:
    """Return all rows of one kind, the newest first.

    Args:
        kind: A name in `LISTS`.
        backend: The state to show.
    """
    return list(_ROWS[kind](backend))[::-1]


def attempt_row(number: int, attempt: Delivery) -> Row:
    """Return the row of one attempt to deliver, which is called by *number*."""
    return {
        "number": number,
        "at": _time(attempt.at),
        "event": attempt.event,
        "about": attempt.object_id,
        "webhook": attempt.webhook_id,
        "attempt": attempt.attempt,
        "accepted": attempt.succeeded,
        "outcome": attempt.error if attempt.status is None else attempt.status,
    }


def _subscriptions(backend: Backend) -> Iterable[Row]:
    for _, one in sorted(backend.store.subscriptions.items()):
        yield {
            "id": one.id,
            "status": one.status,
            "customer": one.customer_id,
            "plan": one.variant_id,
            "period_end": _time(one.current_period_end),
            "renews": one.renews,
            "external_customer_id": one.external_customer_id,
        }


def _customers(backend: Backend) -> Iterable[Row]:
    for _, one in sorted(backend.store.customers.items()):
        phone = f"+{one.country_code}{one.phone}"
        yield {"id": one.id, "name": one.name, "phone": phone, "email": one.email}


def _orders(backend: Backend) -> Iterable[Row]:
    for _, one in sorted(backend.store.orders.items()):
        yield {
            "id": one.id,
            "status": one.status.name.lower(),
            "customer": one.customer_id,
            "total": f"{one.total:.2f}",
            "created_at": _time(one.created_at),
        }


def _requests(backend: Backend) -> Iterable[Row]:
    for one in backend.requests:
        yield {
            "at": _time(one.at),
            "status": one.status,
            "method": one.method,
            "path": one.path,
        }


def _deliveries(backend: Backend) -> Iterable[Row]:
    for number, one in enumerate(backend.courier.log, 1):
        yield attempt_row(number, one)


def _webhooks(backend: Backend) -> Iterable[Row]:
    for one in backend.webhooks.values():
        yield {
            "id": one.id,
            "url": one.url,
            "enabled": one.enabled,
            "signed": one.signed,
            "tries": one.tries,
        }


_ROWS: Mapping[str, Callable[[Backend], Iterable[Row]]] = {
    "subscriptions": _subscriptions,
    "customers": _customers,
    "orders": _orders,
    "requests": _requests,
    "deliveries": _deliveries,
    "webhooks": _webhooks,
}

LISTS: tuple[str, ...] = tuple(_ROWS)
"""The kinds of rows."""


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
