"""The call ``GET /subscriptions/lookup``: what a paywall asks on every request."""

from __future__ import annotations

from starlette.routing import Route

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.endpoints.front_door import AdmittedCall, FrontDoor
from rmz_async.sandbox.shapes.subscriptions import lookup_row
from rmz_async.sandbox.store.state import Status
from rmz_async.sandbox.wire.answers import RefusedError, Success

__all__ = ("find", "routes")

_MOST = 50
_NOBODY = "At least one of external_customer_id, email, or phone is required"
# A past due subscription still grants access by RMZ's guide, and yet the page leaves it out.
_CURRENT = (Status.TRIALING, Status.ACTIVE)


def routes(_: Backend, door: FrontDoor) -> list[Route]:
    """Return the path and its handler, which has a limit of its own."""
    return [Route("/subscriptions/lookup", door.lets_in(find, 120))]


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
    ][:_MOST]
    return Success(
        {
            "count": len(found),
            "has_active": any(subscription.status in current for subscription in found),
            "subscriptions": [lookup_row(subscription, store, call.now) for subscription in found],
        }
    )
