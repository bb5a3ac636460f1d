"""Calls under ``/subscriptions/checkout-sessions``."""

from __future__ import annotations

from datetime import timedelta

from starlette.routing import Route

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.endpoints.front_door import AdmittedCall, FrontDoor
from rmz_async.sandbox.rules.customers import existing_or_new
from rmz_async.sandbox.store.state import CheckoutSession, Store
from rmz_async.sandbox.wire.answers import RefusedError, Success
from rmz_async.sandbox.wire.forms import instant

__all__ = ("CheckoutSessions", "routes")

_LIFETIME = timedelta(minutes=7)


def routes(backend: Backend, door: FrontDoor) -> list[Route]:
    """Return the path and its handler."""
    create = door.lets_in(CheckoutSessions(backend).create)
    return [Route("/subscriptions/checkout-sessions", create, methods=["POST"])]


class CheckoutSessions:
    """Make pages on which a customer pays."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._store = backend.store

    def create(self, call: AdmittedCall) -> Success:
        """Answer ``POST /subscriptions/checkout-sessions``."""
        fields = call.fields
        product_id = fields.integer("product_id", required=True)
        variant_id = fields.integer("variant_id", required=True)
        success_url = fields.url("success_url", required=True)
        cancel_url = fields.url("cancel_url", required=True)
        metadata = fields.texts("metadata", most=20, longest=500)
        external_customer_id = fields.text("external_customer_id") or None
        customer = existing_or_new(fields.nested("customer"), self._store, call.now)
        _check_offer(self._store, product_id, variant_id)
        ids = self._store.ids
        session = CheckoutSession(
            id="cs_" + ids.key("checkout session", length=12).lower(),
            key=ids.key("checkout page"),
            product_id=product_id,
            variant_id=variant_id,
            customer_id=customer.id,
            success_url=success_url,
            cancel_url=cancel_url,
            expires_at=call.now + _LIFETIME,
            external_customer_id=external_customer_id,
            metadata=metadata,
        )
        self._store.checkout_sessions[session.key] = session
        self._backend.record("checkout_sessions.create", session.id, f"variant {variant_id}")
        return Success(
            {
                "session_id": session.id,
                "checkout_url": f"{call.origin}/checkout/{session.key}",
                "expires_at": instant(session.expires_at),
            }
        )


def _check_offer(store: Store, product_id: int, variant_id: int) -> None:
    product = store.products.get(product_id)
    if product is None or product.type != "subscription":
        raise RefusedError(404, f"Product not found: {product_id}")
    variant = store.variants.get(variant_id)
    if variant is None or variant.is_deleted or variant.product_id != product_id:
        raise RefusedError(404, f"Variant not found: {variant_id}")
