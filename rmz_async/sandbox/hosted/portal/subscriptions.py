"""The pages of the portal on which customers see and change their subscriptions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.hosted.forms import form_of, read_card, why_declined
from rmz_async.sandbox.hosted.notices import LEFT, missing, notice
from rmz_async.sandbox.hosted.portal.visits import Visits
from rmz_async.sandbox.hosted.rendering import rendered, sent_to
from rmz_async.sandbox.hosted.words import (
    BEHAVIOURS,
    DECLINED,
    IMPOSSIBLE,
    STATUSES,
    WRONG_FIELDS,
)
from rmz_async.sandbox.rules.plan_changes import change_plan, quote_plan_change
from rmz_async.sandbox.rules.subscriptions import cancel, resume
from rmz_async.sandbox.shapes.events import Event
from rmz_async.sandbox.store.cards import TEST_CARDS, CardBehaviour
from rmz_async.sandbox.store.catalog import Variant
from rmz_async.sandbox.store.state import PortalSession, Status, Subscription
from rmz_async.sandbox.wire.answers import RefusedError

__all__ = ("SubscriptionPages",)

_BAD_CARDS = (CardBehaviour.DECLINES, CardBehaviour.EXPIRED)


class SubscriptionPages:
    """Show a customer's subscriptions, and carry out what the customer decides."""

    def __init__(self, backend: Backend, visits: Visits) -> None:
        self._backend = backend
        self._store = backend.store
        self._visits = visits

    async def overview(self, request: Request) -> Response:
        """Answer ``GET /portal``."""
        return self._overview(request, self._visits.find_proven(request))

    async def leave(self, request: Request) -> Response:
        """Answer ``POST /portal/leave``: the visit ends, and the way leads back to the shop."""
        visit = self._visits.find(request)
        visit.visit = None
        return sent_to(visit.return_url) if visit.return_url else notice(request, LEFT)

    async def subscription(self, request: Request) -> Response:
        """Answer ``GET /portal/subscriptions/{id}``."""
        return self._page(request, self._find(request))

    async def cancel(self, request: Request) -> Response:
        """Answer ``POST /portal/subscriptions/{id}/cancel``: now, or with the period."""
        immediately = (await form_of(request)).get("effective") == "immediate"
        return self._change(
            request,
            Event.CANCELED,
            lambda subscription, now: cancel(subscription, now, immediately=immediately),
        )

    async def resume(self, request: Request) -> Response:
        """Answer ``POST /portal/subscriptions/{id}/resume``."""
        may_resume = self._store.switches.canceled_may_resume
        act = partial(resume, after_immediate_cancel=may_resume)
        return self._change(request, Event.RESUMED, act)

    async def plan(self, request: Request) -> Response:
        """Answer ``GET /portal/subscriptions/{id}/plan/{variant}``: the cost of a new plan."""
        found = self._find(request)
        try:
            change = quote_plan_change(
                found, request.path_params["variant"], self._store, self._backend.now()
            )
        except RefusedError:
            return self._page(request, found, IMPOSSIBLE)
        return rendered(
            request,
            "portal_plan.html",
            subscription=found,
            product=self._store.products[found.product_id],
            current=self._store.variants[found.variant_id],
            change=change,
        )

    async def change_plan(self, request: Request) -> Response:
        """Answer ``POST /portal/subscriptions/{id}/plan/{variant}``."""
        found = self._find(request)
        try:
            order = change_plan(
                found, request.path_params["variant"], self._store, self._backend.now()
            )
        except RefusedError as refusal:
            return self._page(request, found, DECLINED if refusal.status == 402 else IMPOSSIBLE)
        self._backend.record("portal.change_plan", found.id, f"variant {found.variant_id}")
        self._backend.announce(Event.UPDATED, found)
        if order is not None:
            self._backend.announce_order(Event.ORDER_CREATED, order)
        return _to(found)

    async def card(self, request: Request) -> Response:
        """Answer ``GET /portal/subscriptions/{id}/card``: the form for another card."""
        return self._card(request, self._find(request))

    async def change_card(self, request: Request) -> Response:
        """Answer ``POST /portal/subscriptions/{id}/card``; nothing is charged."""
        form = await form_of(request)
        found = self._find(request)
        read = read_card(form, self._backend.now())
        if read.card is None:
            return self._card(request, found, WRONG_FIELDS, read.wrong)
        if read.card.behaviour in _BAD_CARDS:
            return self._card(request, found, why_declined(read.card))
        found.card = read.card.saved()
        found.auto_renew = True
        found.updated_at = self._backend.now()
        self._backend.record("portal.change_card", found.id, f"ends in {found.card.last_four}")
        return _to(found)

    def _find(self, request: Request) -> Subscription:
        visit = self._visits.find_proven(request)
        subscription = self._store.subscriptions.get(request.path_params["id"])
        if subscription is None or subscription.customer_id != visit.customer_id:
            raise missing(request)
        return subscription

    def _change(
        self, request: Request, event: Event, rule: Callable[[Subscription, datetime], None]
    ) -> Response:
        found = self._find(request)
        try:
            rule(found, self._backend.now())
        except RefusedError:
            return self._page(request, found, IMPOSSIBLE)
        self._backend.record(f"portal.{event.value.partition('.')[2]}", found.id, found.status)
        self._backend.announce(event, found)
        return _to(found)

    def _overview(self, request: Request, visit: PortalSession) -> Response:
        theirs = [
            subscription
            for subscription in self._store.subscriptions.values()
            if subscription.customer_id == visit.customer_id
        ]
        return rendered(
            request,
            "portal_overview.html",
            customer=self._store.customers[visit.customer_id],
            shop=self._store.profile,
            subscriptions=sorted(theirs, key=lambda subscription: subscription.id, reverse=True),
            store=self._store,
            statuses=STATUSES,
        )

    def _page(
        self, request: Request, subscription: Subscription, problem: str | None = None
    ) -> Response:
        paid = [
            order
            for order in self._store.orders.values()
            if any(item.subscription_id == subscription.id for item in order.items)
        ]
        return rendered(
            request,
            "portal_subscription.html",
            200 if problem is None else 422,
            path=f"/portal/subscriptions/{subscription.id}",
            subscription=subscription,
            product=self._store.products[subscription.product_id],
            variant=self._store.variants[subscription.variant_id],
            scheduled=self._store.variants.get(subscription.scheduled_variant_id or 0),
            plans=self._other_plans(subscription),
            orders=sorted(paid, key=lambda order: order.id, reverse=True),
            statuses=STATUSES,
            ended=subscription.status in (Status.CANCELED, Status.EXPIRED),
            now=self._backend.now(),
            problem=problem,
        )

    def _other_plans(self, subscription: Subscription) -> list[Variant]:
        waiting = subscription.scheduled_variant_id
        current = subscription.variant_id if waiting is None else waiting
        if subscription.cancel_at_period_end or subscription.status not in (
            Status.ACTIVE,
            Status.TRIALING,
        ):
            return []
        return [
            variant
            for variant in self._store.variants.values()
            if variant.product_id == subscription.product_id and variant.id != current
        ]

    def _card(
        self,
        request: Request,
        subscription: Subscription,
        problem: str | None = None,
        wrong: tuple[str, ...] = (),
    ) -> Response:
        return rendered(
            request,
            "portal_card.html",
            200 if problem is None else 422,
            subscription=subscription,
            product=self._store.products[subscription.product_id],
            problem=problem,
            wrong=wrong,
            test_cards=TEST_CARDS,
            behaviours=BEHAVIOURS,
        )


def _to(subscription: Subscription) -> Response:
    return sent_to(f"/portal/subscriptions/{subscription.id}")
