"""The page on which a customer pays for an order, or does not."""

from __future__ import annotations

import attrs
from starlette.requests import Request
from starlette.responses import Response

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.hosted.forms import form_of, read_card, why_declined
from rmz_async.sandbox.hosted.languages import language_of
from rmz_async.sandbox.hosted.notices import SOLD_OUT, missing, notice
from rmz_async.sandbox.hosted.rendering import rendered, sent_to
from rmz_async.sandbox.hosted.words import BEHAVIOURS, DECLINED, WRONG_FIELDS
from rmz_async.sandbox.rules.customers import details, matched_or_new
from rmz_async.sandbox.rules.order_request import DIAL_CODES
from rmz_async.sandbox.rules.ordering import check_stock, place
from rmz_async.sandbox.rules.stock import sold_codes
from rmz_async.sandbox.store.cards import TEST_CARDS, Card, CardBehaviour, TestCard
from rmz_async.sandbox.store.catalog import Product, Variant
from rmz_async.sandbox.store.orders import OrderCheckout, OrderLine
from rmz_async.sandbox.wire.answers import InvalidFieldsError, RefusedError
from rmz_async.sandbox.wire.fields import Fields

__all__ = ("OrderCheckoutPages",)


@attrs.frozen
class _Row:
    """A line as the page shows it."""

    line: OrderLine
    product: Product
    variant: Variant | None
    codes: tuple[str, ...]


class OrderCheckoutPages:
    """Show an order's checkout, and take the customer's decision.

    RMZ does not say how long such a page is open, nor where it leads: here it stays open, paying
    ends on a receipt, and the way back is the domain in ``created_from``.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._store = backend.store

    async def show(self, request: Request) -> Response:
        """Answer ``GET /order-checkout/{key}``; after the payment it is the receipt."""
        return self._page(request, self._checkout(request))

    async def pay(self, request: Request) -> Response:
        """Answer ``POST /order-checkout/{key}/pay``; a second time leads to the same receipt."""
        checkout = self._checkout(request)
        form = await form_of(request)
        # From here on nothing is awaited, so that two simultaneous payments make one order.
        if checkout.order_id is not None:
            return _to_the_receipt(request, checkout)
        read = read_card(form, self._backend.now())
        fields = Fields(form)
        given = details(fields, DIAL_CODES) if checkout.customer_id is None else None
        try:
            fields.check()
        except InvalidFieldsError as refusal:
            wrong = (*refusal.errors, *read.wrong)
            return self._page(request, checkout, 422, form, wrong)
        if read.card is None:
            return self._page(request, checkout, 422, form, read.wrong, WRONG_FIELDS)
        if given is not None:
            checkout.customer_id = matched_or_new(given, self._store, self._backend.now()).id
        if read.card.behaviour is CardBehaviour.CHALLENGE:
            checkout.challenged = read.card
            return sent_to(f"{_path(checkout)}/confirm?lang={language_of(request).tag}")
        return self._charged(request, checkout, read.card)

    async def challenge(self, request: Request) -> Response:
        """Answer ``GET /order-checkout/{key}/confirm``: the page of the customer's bank."""
        checkout = self._checkout(request)
        if checkout.challenged is None:
            return _to_the_receipt(request, checkout)
        price = checkout.quote.total
        return rendered(request, "confirm.html", price=price, shop=checkout.created_from)

    async def confirm(self, request: Request) -> Response:
        """Answer ``POST /order-checkout/{key}/confirm``: the customer's answer to the bank."""
        checkout = self._checkout(request)
        form = await form_of(request)
        card, checkout.challenged = checkout.challenged, None
        if card is None or checkout.order_id is not None:
            return _to_the_receipt(request, checkout)
        if form.get("answer") != "approve":
            return self._page(request, checkout, 422, problem=DECLINED)
        return self._charged(request, checkout, card)

    async def cancel(self, request: Request) -> Response:
        """Answer ``POST /order-checkout/{key}/cancel``; the customer may come back and pay."""
        return sent_to(_shop(self._checkout(request)))

    def _checkout(self, request: Request) -> OrderCheckout:
        checkout = self._store.order_checkouts.get(request.path_params["key"])
        if checkout is None:
            raise missing(request)
        return checkout

    def _charged(self, request: Request, checkout: OrderCheckout, entered: TestCard) -> Response:
        try:
            check_stock(checkout.quote.lines, self._store)
        except RefusedError:
            return notice(request, SOLD_OUT, _shop(checkout))
        charge = entered.saved(declined=checkout.declined).charge(renewal=False)
        if not charge.paid:
            checkout.declined = charge.card.declined
            return self._page(request, checkout, 422, problem=why_declined(entered))
        self._settle(checkout, charge.card)
        return _to_the_receipt(request, checkout)

    def _settle(self, checkout: OrderCheckout, card: Card) -> None:
        """Make the order that was paid for."""
        assert checkout.customer_id is not None
        order = place(
            checkout.quote,
            customer_id=checkout.customer_id,
            checkout_id=checkout.id,
            store=self._store,
            now=self._backend.now(),
            card=card,
        )
        checkout.order_id = order.id
        self._backend.record("hosted.pay", checkout.id, f"order {order.id}")
        self._backend.announce_placed(order)

    def _page(
        self,
        request: Request,
        checkout: OrderCheckout,
        status: int = 200,
        given: dict[str, str] | None = None,
        wrong: tuple[str, ...] = (),
        problem: str | None = None,
    ) -> Response:
        named = checkout.customer_id
        return rendered(
            request,
            "order_checkout.html" if checkout.order_id is None else "order_receipt.html",
            status,
            path=_path(checkout),
            checkout=checkout,
            rows=self._rows(checkout),
            now=self._backend.now(),
            customer=None if named is None else self._store.customers[named],
            dial_codes=DIAL_CODES,
            given=given or {},
            wrong=wrong,
            problem=problem,
            test_cards=TEST_CARDS,
            behaviours=BEHAVIOURS,
            shop=_shop(checkout),
        )

    def _rows(self, checkout: OrderCheckout) -> list[_Row]:
        store = self._store
        items = () if checkout.order_id is None else store.orders[checkout.order_id].items
        codes = [tuple(code.code for code in sold_codes(item, store)) for item in items]
        lines = checkout.quote.lines
        return [
            _Row(
                line,
                store.products[line.product_id],
                None if line.variant_id is None else store.variants[line.variant_id],
                handed_out,
            )
            for line, handed_out in zip(lines, codes or [()] * len(lines), strict=True)
        ]


def _path(checkout: OrderCheckout) -> str:
    return f"/order-checkout/{checkout.key}"


def _to_the_receipt(request: Request, checkout: OrderCheckout) -> Response:
    """Lead to the page, which is the receipt once it is paid: to reload it posts no form again."""
    return sent_to(f"{_path(checkout)}?lang={language_of(request).tag}")


def _shop(checkout: OrderCheckout) -> str:
    return f"https://{checkout.created_from}/"
