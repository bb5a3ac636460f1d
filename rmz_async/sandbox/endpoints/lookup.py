"""The call ``GET /subscriptions/lookup``: what a paywall asks on every request."""

from __future__ import annotations

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.endpoints.front_door import Call
from rmz_async.sandbox.shapes.subscriptions import lookup_row
from rmz_async.sandbox.store.state import Status
from rmz_async.sandbox.wire.answers import Answer, RefusedError

__all__ = ("Lookup",)

_MOST = 50
_NOBODY = "At least one of external_customer_id, email, or phone is required"
# A past due subscription still grants access by RMZ's guide, and yet is not counted here.
_CURRENT = (Status.TRIALING, Status.ACTIVE)


class Lookup:
    """Find the subscriptions of one user."""

    def __init__(self, backend: Backend) -> None:
        self._store = backend.store

    def find(self, call: Call) -> Answer:
        """Answer ``GET /subscriptions/lookup``: those that match all that was sent."""
        fields = call.fields
        wanted: dict[str, object] = {
            "external_customer_id": fields.text("external_customer_id"),
            "email": fields.email("email"),
            "phone": fields.text("phone", longest=15),
            "country_code": fields.text("country_code", longest=5).removeprefix("+"),
            "product_id": fields.integer("product_id"),
        }
        include_inactive = fields.flag("include_inactive")
        fields.check()
        if not any(wanted[name] for name in ("external_customer_id", "email", "phone")):
            raise RefusedError(
                422, "At least one of external_customer_id, email, or phone is required"
            )
        sought = {name: value for name, value in wanted.items() if value}
        found = [
            subscription
            for _, subscription in sorted(self._store.subscriptions.items(), reverse=True)
            if (include_inactive or subscription.status in _CURRENT)
            and sought.items() <= self._identity(subscription.id).items()
        ][:_MOST]
        return Answer(
            {
                "count": len(found),
                "has_active": any(subscription.status in _CURRENT for subscription in found),
                "subscriptions": [
                    lookup_row(subscription, self._store, call.now) for subscription in found
                ],
            }
        )

    def _identity(self, subscription_id: int) -> dict[str, object]:
        subscription = self._store.subscriptions[subscription_id]
        customer = self._store.customers[subscription.customer_id]
        return {
            "external_customer_id": subscription.external_customer_id,
            "email": customer.email,
            "phone": customer.phone,
            "country_code": customer.country_code,
            "product_id": subscription.product_id,
        }
