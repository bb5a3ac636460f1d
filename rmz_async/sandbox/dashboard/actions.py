"""The actions of the dashboard's buttons: the API's own calls, the clock, and the webhooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.dashboard.pages import DashboardPages
from rmz_async.sandbox.delivery.webhook import Webhook
from rmz_async.sandbox.endpoints.checkout_sessions import CheckoutSessions
from rmz_async.sandbox.endpoints.front_door import AdmittedCall, Handler
from rmz_async.sandbox.endpoints.orders import Orders
from rmz_async.sandbox.endpoints.portal_sessions import PortalSessions
from rmz_async.sandbox.endpoints.subscriptions import Subscriptions
from rmz_async.sandbox.hosted.forms import form_of
from rmz_async.sandbox.hosted.notices import missing
from rmz_async.sandbox.hosted.rendering import sent_to
from rmz_async.sandbox.rules.subscriptions import resume
from rmz_async.sandbox.shapes.events import Event
from rmz_async.sandbox.store.cards import TEST_CARDS, CardBehaviour
from rmz_async.sandbox.store.state import Subscription
from rmz_async.sandbox.wire.answers import InvalidFieldsError, RefusedError
from rmz_async.sandbox.wire.fields import Fields

__all__ = ("DashboardActions",)

_SHOP = "https://app.example"
_LONGEST_STEP = timedelta(days=3_660)
_LARGEST = 10**9 - 1


class DashboardActions:
    """Carry out what was clicked, and lead back to the page."""

    def __init__(self, backend: Backend, pages: DashboardPages) -> None:
        self._pages = pages
        self._backend = backend
        self._store = backend.store
        subscriptions = Subscriptions(backend)
        self._calls: Mapping[str, Handler] = {
            "cancel": subscriptions.cancel,
            "extend": subscriptions.extend,
            "pause": subscriptions.pause,
            "unpause": subscriptions.unpause,
        }
        self._orders = Orders(backend)
        self._checkout = CheckoutSessions(backend)
        self._portal = PortalSessions(backend)

    async def move_clock(self, request: Request) -> Response:
        """Answer ``POST /clock``: advance by so many days or hours, run, or stop."""
        form = await form_of(request)
        clock = self._backend.clock
        if form.get("run"):
            clock.run()
        elif form.get("stop"):
            clock.stop()
        else:
            step = timedelta(days=_number(form, "days"), hours=_number(form, "hours"))
            await clock.advance(min(max(step, timedelta(0)), _LONGEST_STEP))
        return _back(request)

    async def call(self, request: Request) -> Response:
        """Answer ``POST /subscriptions/{id}/{call}``: what the API's call of that name does."""
        form = await form_of(request)
        handler = self._calls.get(request.path_params["call"])
        self._subscription(request)
        if handler is None:
            raise missing(request)
        page = f"/subscriptions/{request.path_params['id']}"
        return self._tried(page, lambda: handler(self._as_call(request, form)))

    async def resume(self, request: Request) -> Response:
        """Answer ``POST /subscriptions/{id}/resume``: what a customer does in the portal."""
        subscription = self._subscription(request)

        def act() -> None:
            may_resume = self._store.switches.canceled_may_resume
            resume(subscription, self._backend.now(), after_immediate_cancel=may_resume)
            self._backend.record("portal.resumed", subscription.id, subscription.status)
            self._backend.announce(Event.RESUMED, subscription)

        return self._tried(f"/subscriptions/{subscription.id}", act)

    async def set_card(self, request: Request) -> Response:
        """Answer ``POST /subscriptions/{id}/card``: the card behaves differently from now on."""
        wanted = (await form_of(request)).get("behaviour")
        subscription = self._subscription(request)
        if wanted not in list(CardBehaviour):
            raise missing(request)
        subscription.card = next(card.saved() for card in TEST_CARDS if card.behaviour == wanted)
        return sent_to(f"/subscriptions/{subscription.id}")

    async def emit(self, request: Request) -> Response:
        """Answer ``POST /subscriptions/{id}/emit``: an event about the object as it is."""
        wanted = (await form_of(request)).get("event")
        subscription = self._subscription(request)
        if wanted not in list(Event):
            raise missing(request)
        self._backend.emit(Event(wanted), subscription.id)
        return sent_to(f"/subscriptions/{subscription.id}")

    async def set_order_status(self, request: Request) -> Response:
        """Answer ``POST /orders/{id}``: the call that moves an order on."""
        form = await form_of(request)
        if request.path_params["id"] not in self._store.orders:
            raise missing(request)
        return self._tried("/orders", lambda: self._orders.update(self._as_call(request, form)))

    async def open_checkout(self, request: Request) -> Response:
        """Answer ``POST /customers/{id}/checkout``: a session, and its page."""
        form = await form_of(request)
        variant = self._store.variants.get(int(_number(form, "variant")))
        if request.path_params["id"] not in self._store.customers or variant is None:
            raise missing(request)
        answer = self._checkout.create(
            self._as_call(
                request,
                {
                    "product_id": variant.product_id,
                    "variant_id": variant.id,
                    "customer": {"id": request.path_params["id"]},
                    "success_url": f"{_SHOP}/ok",
                    "cancel_url": f"{_SHOP}/no",
                },
            )
        )
        return sent_to(_text(answer.data, "checkout_url"))

    async def open_portal(self, request: Request) -> Response:
        """Answer ``POST /customers/{id}/portal``: a session, and its page."""
        if request.path_params["id"] not in self._store.customers:
            raise missing(request)
        given = {"customer": {"id": request.path_params["id"]}}
        return sent_to(_text(self._portal.create(self._as_call(request, given)).data, "url"))

    async def add_webhook(self, request: Request) -> Response:
        """Answer ``POST /webhooks``."""
        form = await form_of(request)
        webhooks = self._backend.webhooks
        number = max(webhooks, default=0) + 1
        try:
            webhooks[number] = Webhook(id=number, url=form.get("url", ""), tries=5)
        except ValueError as problem:
            return self._pages.with_problem("/webhooks", str(problem))
        return sent_to("/webhooks")

    async def change_webhook(self, request: Request) -> Response:
        """Answer ``POST /webhooks/{id}``: switch on or off, sign or not, rotate, or remove."""
        change = (await form_of(request)).get("change")
        webhook = self._backend.webhooks.get(request.path_params["id"])
        if webhook is None:
            raise missing(request)
        if change == "enabled":
            webhook.enabled = not webhook.enabled
        elif change == "signed":
            webhook.signed = not webhook.signed
        elif change == "rotate":
            webhook.rotate()
        elif change == "remove":
            del self._backend.webhooks[webhook.id]
        return sent_to("/webhooks")

    async def send_again(self, request: Request) -> Response:
        """Answer ``POST /deliveries/{number}``: attempt the delivery again."""
        log = self._backend.courier.log
        number: int = request.path_params["number"]
        if not 0 <= number < len(log):
            raise missing(request)
        self._backend.courier.send_again(log[number].parcel)
        await self._backend.courier.delivered()
        return sent_to("/deliveries")

    def _subscription(self, request: Request) -> Subscription:
        found = self._store.subscriptions.get(request.path_params["id"])
        if found is None:
            raise missing(request)
        return found

    def _as_call(self, request: Request, given: Mapping[str, object]) -> AdmittedCall:
        return AdmittedCall(
            origin=self._backend.origin_for(request),
            path=request.url.path,
            target=str(request.path_params.get("id", "")),
            fields=Fields(given),
            now=self._backend.now(),
            store=self._store,
        )

    def _tried(self, page: str, act: Callable[[], object]) -> Response:
        """Do it, and lead to *page*, with RMZ's own words if RMZ would refuse it."""
        try:
            act()
        except RefusedError as refusal:
            return self._pages.with_problem(page, refusal.message)
        except InvalidFieldsError as refusal:
            reasons = [reason for found in refusal.errors.values() for reason in found]
            return self._pages.with_problem(page, " ".join(reasons))
        return sent_to(page)


def _number(form: Mapping[str, str], name: str) -> float:
    """Return a field as a number of a size that a person means; 0 for anything else."""
    try:
        number = float(form.get(name) or 0)
    except ValueError:
        return 0.0
    return number if abs(number) <= _LARGEST else 0.0


def _text(data: object, name: str) -> str:
    assert isinstance(data, Mapping)
    return str(cast("Mapping[str, object]", data)[name])


def _back(request: Request) -> Response:
    """Lead to the page that the form was on, if that is a page of this server."""
    came_from = request.headers.get("referer", "")
    own = f"{request.url.scheme}://{request.url.netloc}/"
    return sent_to(came_from if came_from.startswith(own) else "/")
