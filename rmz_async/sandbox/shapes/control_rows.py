"""The rows that the command line lists: the most important columns of each kind of object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.delivery.log import Delivery
from rmz_async.sandbox.wire.forms import row_time

__all__ = ("LISTS", "attempt_row", "rows_of")

Row = dict[str, object]


def rows_of(kind: str, backend: Backend) -> Sequence[Row]:
    """Return all rows of one kind, the newest first."""
    return list(_ROWS[kind](backend))[::-1]


def attempt_row(number: int, attempt: Delivery) -> Row:
    """Return the row of one attempt to deliver, which is called by *number*."""
    return {
        "number": number,
        "at": row_time(attempt.at),
        "event": attempt.event,
        "about": attempt.object_id,
        "webhook": attempt.webhook_id,
        "attempt": attempt.attempt,
        "accepted": attempt.succeeded,
        "outcome": attempt.error if attempt.status is None else attempt.status,
    }


def _subscriptions(backend: Backend) -> Iterable[Row]:
    for _, subscription in sorted(backend.store.subscriptions.items()):
        yield {
            "id": subscription.id,
            "status": subscription.status,
            "customer": subscription.customer_id,
            "plan": subscription.variant_id,
            "period_end": row_time(subscription.current_period_end),
            "renews": subscription.renews,
            "external_customer_id": subscription.external_customer_id,
        }


def _customers(backend: Backend) -> Iterable[Row]:
    for _, customer in sorted(backend.store.customers.items()):
        phone = f"+{customer.country_code}{customer.phone}"
        yield {"id": customer.id, "name": customer.name, "phone": phone, "email": customer.email}


def _orders(backend: Backend) -> Iterable[Row]:
    for _, order in sorted(backend.store.orders.items()):
        yield {
            "id": order.id,
            "status": order.status.name.lower(),
            "customer": order.customer_id,
            "total": f"{order.total:.2f}",
            "created_at": row_time(order.created_at),
        }


def _requests(backend: Backend) -> Iterable[Row]:
    for request in backend.requests:
        yield {
            "at": row_time(request.at),
            "status": request.status,
            "method": request.method,
            "path": request.path,
        }


def _deliveries(backend: Backend) -> Iterable[Row]:
    for number, attempt in enumerate(backend.courier.log, 1):
        yield attempt_row(number, attempt)


def _webhooks(backend: Backend) -> Iterable[Row]:
    for webhook in backend.webhooks.values():
        yield {
            "id": webhook.id,
            "url": webhook.url,
            "enabled": webhook.enabled,
            "signed": webhook.signed,
            "tries": webhook.tries,
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
