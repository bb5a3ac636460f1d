"""The page on which a customer pays for a subscription, or does not."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import Response

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.hosted.forms import form_of, read_card, why_declined
from rmz_async.sandbox.hosted.notices import EXPIRED, PAID, InsteadError, missing, notice
from rmz_async.sandbox.hosted.rendering import rendered, sent_to
from rmz_async.sandbox.hosted.words import BEHAVIOURS, DECLINED, WRONG_FIELDS
from rmz_async.sandbox.rules.billing import due_now, subscribe
from rmz_async.sandbox.store.cards import TEST_CARDS, CardBehaviour, TestCard
from rmz_async.sandbox.store.state import CheckoutSession

__all__ = ("CheckoutPages", "with_subscription_id")


class CheckoutPages:
    """Show a checkout session, and take the customer's decision."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._store = backend.store

    async def show(self, request: Request) -> Response:
        """Answer ``GET /checkout/{key}``."""
        return self._page(request, self._payable(request))

    async def pay(self, request: Request) -> Response:
        """Answer ``POST /checkout/{key}/pay``; a second payment leads to the same subscription."""
        form = await form_of(request)
        session = self._payable(request)
        read = read_card(form, self._backend.now())
        if read.card is None:
            return self._page(request, session, WRONG_FIELDS, read.wrong)
        if read.card.behaviour is CardBehaviour.CHALLENGE:
            session.challenged = read.card
            return sent_to(f"/checkout/{session.key}/confirm")
        return self._charged(request, session, read.card)

    async def challenge(self, request: Request) -> Response:
        """Answer ``GET /checkout/{key}/confirm``: the page of the customer's bank."""
        session = self._payable(request)
        if session.challenged is None:
            return sent_to(f"/checkout/{session.key}")
        return rendered(
            request,
            "confirm.html",
            price=self._store.variants[session.variant_id].price,
            shop=self._store.profile.name,
        )

    async def confirm(self, request: Request) -> Response:
        """Answer ``POST /checkout/{key}/confirm``: the customer's answer to the bank."""
        form = await form_of(request)
        session = self._payable(request)
        card, session.challenged = session.challenged, None
        if card is None:
            return sent_to(f"/checkout/{session.key}")
        if form.get("answer") != "approve":
            return self._page(request, session, DECLINED)
        return self._charged(request, session, card)

    async def cancel(self, request: Request) -> Response:
        """Answer ``POST /checkout/{key}/cancel``; the customer may come back and pay after all."""
        session = self._session(request)
        if session.subscription_id is not None:
            return _to_the_shop(session)
        return sent_to(session.cancel_url)

    def _session(self, request: Request) -> CheckoutSession:
        session = self._store.checkout_sessions.get(request.path_params["key"])
        if session is None:
            raise missing(request)
        return session

    def _payable(self, request: Request) -> CheckoutSession:
        """Return the session, unless nothing can be paid here any more."""
        session = self._session(request)
        if session.subscription_id is not None:
            if request.method == "POST":
                raise InsteadError(_to_the_shop(session))
            link = with_subscription_id(session.success_url, session.subscription_id)
            raise InsteadError(notice(request, PAID, link))
        if self._backend.now() >= session.expires_at:
            raise InsteadError(notice(request, EXPIRED, session.cancel_url))
        return session

    def _page(
        self,
        request: Request,
        session: CheckoutSession,
        problem: str | None = None,
        wrong: tuple[str, ...] = (),
    ) -> Response:
        now, variant = self._backend.now(), self._store.variants[session.variant_id]
        product = self._store.products[session.product_id]
        trial = timedelta(days=product.trial_days)
        return rendered(
            request,
            "checkout.html",
            200 if problem is None else 422,
            path=f"/checkout/{session.key}",
            session=session,
            product=product,
            variant=variant,
            due=due_now(session, self._store),
            customer=self._store.customers[session.customer_id],
            shop=self._store.profile,
            renews_at=now + (trial or variant.duration.length),
            seconds_left=int((session.expires_at - now).total_seconds()),
            problem=problem,
            wrong=wrong,
            test_cards=TEST_CARDS,
            behaviours=BEHAVIOURS,
        )

    def _charged(self, request: Request, session: CheckoutSession, entered: TestCard) -> Response:
        # From here on nothing is awaited, so that two simultaneous payments subscribe once.
        charge = entered.saved(declined=session.declined).charge(renewal=False)
        if not charge.paid:
            session.declined = charge.card.declined
            return self._page(request, session, why_declined(entered))
        subscription, order = subscribe(session, charge.card, self._store, self._backend.now())
        self._backend.record("hosted.pay", session.id, f"subscription {subscription.id}")
        self._backend.announce_placed(order)
        return _to_the_shop(session)


def with_subscription_id(url: str, subscription_id: int) -> str:
    """Return *url* with ``rmz-subscription-id`` at the end of its query, before any fragment."""
    parts = urlsplit(url)
    added = f"rmz-subscription-id={subscription_id}"
    query = f"{parts.query}&{added}" if parts.query else added
    return urlunsplit(parts._replace(query=query))


def _to_the_shop(session: CheckoutSession) -> Response:
    assert session.subscription_id is not None
    return sent_to(with_subscription_id(session.success_url, session.subscription_id))
