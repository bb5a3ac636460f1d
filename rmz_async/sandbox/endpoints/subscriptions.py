"""Calls under ``/subscriptions``, except the checkout sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.routing import Route

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.endpoints.front_door import AdmittedCall, FrontDoor
from rmz_async.sandbox.rules import subscriptions as lifecycle
from rmz_async.sandbox.shapes.events import Event
from rmz_async.sandbox.shapes.subscriptions import full, list_row, lookup_row, part
from rmz_async.sandbox.store.state import Status, Store, Subscription
from rmz_async.sandbox.wire.answers import RefusedError, Success
from rmz_async.sandbox.wire.fields import Fields
from rmz_async.sandbox.wire.forms import instant
from rmz_async.sandbox.wire.pagination import page_of

__all__ = ("Subscriptions", "find", "routes")

_FILTERS = ("customerEmail", "customerPhone", "customerCountryCode")
# RMZ promises the last of them in every answer.
_ALWAYS = ("id", "status", "external_customer_id")
_MONTH = 30
_MOST_FOUND = 50
_NOBODY = "At least one of external_customer_id, email, or phone is required"
# A past due subscription still grants access by RMZ's guide, and yet the page leaves it out.
_CURRENT = (Status.TRIALING, Status.ACTIVE)


def routes(backend: Backend, door: FrontDoor) -> list[Route]:
    """Return the paths and their handlers."""
    subscriptions, path = Subscriptions(backend), "/subscriptions/{id}"
    return [
        # This one has a limit of its own.
        Route("/subscriptions/lookup", door.lets_in(find, 120)),
        Route("/subscriptions", door.lets_in(subscriptions.list)),
        Route(path, door.lets_in(subscriptions.get)),
        Route(f"{path}/cancel", door.lets_in(subscriptions.cancel), methods=["POST"]),
        Route(f"{path}/pause", door.lets_in(subscriptions.pause), methods=["POST"]),
        Route(f"{path}/unpause", door.lets_in(subscriptions.unpause), methods=["POST"]),
        Route(f"{path}/extend", door.lets_in(subscriptions.extend), methods=["POST"]),
    ]


class Subscriptions:
    """Read and change subscriptions."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._store = backend.store

    def get(self, call: AdmittedCall) -> Success:
        """Answer ``GET /subscriptions/{id}``."""
        return Success(
            full(call.named(call.store.subscriptions, "Subscription"), call.store, call.now)
        )

    def list(self, call: AdmittedCall) -> Success:
        """Answer ``GET /subscriptions``: the newest first, those that match every filter."""
        store = call.store
        wanted = {name: text for name in _FILTERS if (text := call.fields.text(name))}
        return Success(
            page_of(
                _matching(store, wanted),
                lambda number: list_row(store.subscriptions[number], store, call.now),
                call.fields,
                call.address,
                wanted,
            )
        )

    def cancel(self, call: AdmittedCall) -> Success:
        """Answer ``POST /subscriptions/{id}/cancel``."""
        subscription = call.named(self._store.subscriptions, "Subscription")
        effective = call.fields.choice("effective", ("end_of_period", "immediate"))
        call.fields.check()
        lifecycle.cancel(
            subscription,
            call.now,
            immediately=effective == "immediate",
            refused_with=self._store.switches.second_cancel_status,
        )
        how = "immediately" if effective == "immediate" else "at the period's end"
        self._backend.record("subscriptions.cancel", subscription.id, how)
        self._backend.announce(Event.CANCELED, subscription)
        keys = (*_ALWAYS, "cancel_at_period_end", "canceled_at")
        return self._changed("canceled", subscription, call, *keys, "current_period_end")

    def pause(self, call: AdmittedCall) -> Success:
        """Answer ``POST /subscriptions/{id}/pause``."""
        subscription = call.named(self._store.subscriptions, "Subscription")
        lifecycle.pause(subscription, call.now)
        self._backend.record("subscriptions.pause", subscription.id, "paused")
        self._backend.announce(Event.PAUSED, subscription)
        keys = (*_ALWAYS, "is_active", "current_period_end")
        return self._changed("paused", subscription, call, *keys)

    def unpause(self, call: AdmittedCall) -> Success:
        """Answer ``POST /subscriptions/{id}/unpause``."""
        subscription = call.named(self._store.subscriptions, "Subscription")
        lifecycle.unpause(subscription, call.now)
        self._backend.record("subscriptions.unpause", subscription.id, "unpaused")
        self._backend.announce(Event.UNPAUSED, subscription)
        keys = (*_ALWAYS, "is_active", "current_period_start", "current_period_end")
        return self._changed("unpaused", subscription, call, *keys)

    def extend(self, call: AdmittedCall) -> Success:
        """Answer ``POST /subscriptions/{id}/extend``."""
        subscription = call.named(self._store.subscriptions, "Subscription")
        days = _days(call.fields)
        guard = self._store.switches.extend_guard
        lifecycle.extend(subscription, call.now, days=days, guard=guard)
        self._backend.record("subscriptions.extend", subscription.id, f"{days} days")
        self._backend.announce(Event.UPDATED, subscription)
        keys = (*_ALWAYS, "current_period_start", "current_period_end")
        data = part(subscription, self._store, call.now, keys)
        # RMZ documents `end_date` as a moment here, and as a day everywhere else.
        data["end_date"] = instant(subscription.current_period_end)
        return Success(data, "Subscription extended successfully")

    def _changed(
        self, verb: str, subscription: Subscription, call: AdmittedCall, *keys: str
    ) -> Success:
        data = part(subscription, self._store, call.now, keys)
        return Success(data, f"Subscription {verb} successfully")


def find(call: AdmittedCall) -> Success:
    """Answer ``GET /subscriptions/lookup``: those that match all that was sent."""
    fields = call.fields
    external_customer_id = fields.text("external_customer_id")
    email = fields.email("email")
    phone = fields.text("phone", longest=15)
    country_code = fields.text("country_code", longest=5).removeprefix("+")
    product_id = fields.integer("product_id")
    include_inactive = fields.flag("include_inactive")
    fields.check()
    if not (external_customer_id or email or phone):
        raise RefusedError(422, _NOBODY)
    store = call.store
    current = _CURRENT if store.switches.lookup_hides_past_due else (*_CURRENT, Status.PAST_DUE)
    found = [
        subscription
        for subscription in store.finder.subscriptions(
            external_customer_id=external_customer_id, email=email, phone=phone
        )
        if (include_inactive or subscription.status in current)
        and product_id in (0, subscription.product_id)
        and country_code in ("", store.customers[subscription.customer_id].country_code)
    ][:_MOST_FOUND]
    return Success(
        {
            "count": len(found),
            "has_active": any(subscription.status in current for subscription in found),
            "subscriptions": [lookup_row(subscription, store, call.now) for subscription in found],
        }
    )


def _matching(store: Store, wanted: Mapping[str, str]) -> Sequence[int]:
    """Return the ids of those that match every filter, the newest first."""
    email, phone, country_code = (wanted.get(name, "") for name in _FILTERS)
    if email or phone:
        found = [row.id for row in store.finder.subscriptions(email=email, phone=phone)]
    else:
        found = store.subscriptions.ordered()[::-1]
    if not country_code:
        return found
    owners = {row.id for row in store.customers.values() if row.country_code == country_code}
    return [number for number in found if store.subscriptions[number].customer_id in owners]


def _days(fields: Fields) -> int:
    days = fields.integer("days", least=1, most=365)
    months = fields.integer("months", least=1, most=24)
    if fields.has("days") and fields.has("months"):
        fields.refuse("days", "The {} field prohibits months from being present.")
    if not fields.has("days") and not fields.has("months"):
        fields.refuse("days", "The {} field is required when months is not present.")
        fields.refuse("months", "The {} field is required when days is not present.")
    fields.check()
    return days or months * _MONTH
