"""The page on which a customer pays, or does not."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import Response

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.hosted.notices import EXPIRED, MISSING, PAID, notice
from rmz_async.sandbox.hosted.rendering import rendered, sent_to
from rmz_async.sandbox.rules.ordering import place
from rmz_async.sandbox.store.orders import OrderLine, Quote
from rmz_async.sandbox.store.state import CheckoutSession

__all__ = ("CheckoutPages", "with_subscription_id")


class CheckoutPages:
    """Show a checkout session, and take the customer's decision."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._store = backend.store

    async def show(self, request: Request) -> Response:
        """Answer ``GET /checkout/{key}``."""
        session = self._session(request)
        if session is None:
            return notice(request, MISSING)
        if session.subscription_id is not None:
            link = with_subscription_id(session.success_url, session.subscription_id)
            return notice(request, PAID, link)
        if self._has_expired(session):
            return notice(request, EXPIRED, session.cancel_url)
        return rendered(
            request,
            "checkout.html",
            session=session,
            product=self._store.products[session.product_id],
            variant=self._store.variants[session.variant_id],
            customer=self._store.customers[session.customer_id],
            shop=self._store.profile,
            renews_at=self._backend.now()
            + self._store.variants[session.variant_id].duration.length,
            seconds_left=int((session.expires_at - self._backend.now()).total_seconds()),
        )

    async def pay(self, request: Request) -> Response:
        """Answer ``POST /checkout/{key}/pay``; a second time leads to the same subscription."""
        session = self._session(request)
        if session is None:
            return notice(request, MISSING)
        if session.subscription_id is None:
            if self._has_expired(session):
                return notice(request, EXPIRED, session.cancel_url)
            session.subscription_id = self._subscribe(session)
        return sent_to(with_subscription_id(session.success_url, session.subscription_id))

    async def cancel(self, request: Request) -> Response:
        """Answer ``POST /checkout/{key}/cancel``; the customer may come back and pay after all."""
        session = self._session(request)
        if session is None:
            return notice(request, MISSING)
        if session.subscription_id is not None:
            return sent_to(with_subscription_id(session.success_url, session.subscription_id))
        return sent_to(session.cancel_url)

    def _session(self, request: Request) -> CheckoutSession | None:
        return self._store.checkout_sessions.get(request.path_params["key"])

    def _has_expired(self, session: CheckoutSession) -> bool:
        return self._backend.now() >= session.expires_at

    def _subscribe(self, session: CheckoutSession) -> int:
        store = self._store
        variant = store.variants[session.variant_id]
        line = OrderLine(
            product_id=session.product_id, quantity=1, price=variant.price, variant_id=variant.id
        )
        order = place(
            Quote(lines=(line,)),
            customer_id=session.customer_id,
            checkout_id=store.ids.number("checkout", first=55001),
            store=store,
            now=self._backend.now(),
        )
        subscription = next(
            made for made in store.subscriptions.values() if made.order_id == order.id
        )
        subscription.external_customer_id = session.external_customer_id
        subscription.metadata = session.metadata
        self._backend.record("hosted.pay", session.id, f"subscription {subscription.id}")
        self._backend.announce_placed(order)
        return subscription.id


def with_subscription_id(url: str, subscription_id: int) -> str:
    """Return *url* with ``rmz-subscription-id`` at the end of its query, before any fragment."""
    parts = urlsplit(url)
    added = f"rmz-subscription-id={subscription_id}"
    query = f"{parts.query}&{added}" if parts.query else added
    return urlunsplit(parts._replace(query=query))
