"""Calls under ``/orders``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from starlette.routing import Route

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.endpoints.front_door import AdmittedCall, FrontDoor
from rmz_async.sandbox.rules import orders as order_lifecycle
from rmz_async.sandbox.rules.customers import matched_or_new
from rmz_async.sandbox.rules.order_request import OrderRequest, order_request
from rmz_async.sandbox.rules.ordering import place, quoted
from rmz_async.sandbox.shapes.events import Event
from rmz_async.sandbox.shapes.orders import full, list_row
from rmz_async.sandbox.store.orders import Order, OrderCheckout, OrderStatus, PlacedRequest, Quote
from rmz_async.sandbox.store.state import Customer
from rmz_async.sandbox.wire.answers import RefusedError, RepeatedAnswer, Success
from rmz_async.sandbox.wire.pagination import page_of
from rmz_async.sandbox.wire.routing import route

__all__ = ("Orders", "routes")

_REPEATED_WITHIN = timedelta(minutes=5)
_SORTS: dict[str, Callable[[Order], Any]] = {
    "id": lambda order: order.id,
    "created_at": lambda order: order.created_at,
    "updated_at": lambda order: order.updated_at,
    "total": lambda order: order.total,
}


def routes(backend: Backend, door: FrontDoor) -> list[Route]:
    """Return the paths and their handlers."""
    orders = Orders(backend)
    return [
        route("/orders", GET=door.lets_in(orders.list), POST=door.lets_in(orders.create)),
        route("/orders/{id}", GET=door.lets_in(orders.get), PUT=door.lets_in(orders.update)),
    ]


class Orders:
    """Make, read and change orders."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._store = backend.store

    def create(self, call: AdmittedCall) -> Success:
        """Answer ``POST /orders``: with a checkout, or with an order if nothing is to pay."""
        request = order_request(call.fields)
        # Before the rules: the first may have taken the last piece.
        repeated = self._repeated(request, call.now)
        if repeated is not None:
            return repeated
        quote = quoted(request, self._store, call.now)
        customer = self._customer(request, call.now)
        if quote.total == 0:
            return self._complete(request, quote, customer, call.now)
        return self._check_out(request, quote, customer, call)

    def get(self, call: AdmittedCall) -> Success:
        """Answer ``GET /orders/{id}``."""
        return Success(full(call.named(call.store.orders, "Order"), call.store, call.now))

    def list(self, call: AdmittedCall) -> Success:
        """Answer ``GET /orders``: from the first day to the last, the newest first or as asked."""
        fields = call.fields
        created_from = fields.day("created_from")
        created_to = fields.day("created_to")
        order_by = fields.choice("orderBy", tuple(_SORTS))
        direction = fields.choice("orderDirection", ("asc", "desc"))
        fields.check()
        store = call.store
        matching = [
            order
            for order in store.orders.values()
            if (created_from is None or created_from <= order.created_at.date())
            and (created_to is None or order.created_at.date() <= created_to)
        ]
        by = _SORTS[order_by or "id"]
        matching.sort(key=lambda order: (by(order), order.id), reverse=direction != "asc")
        names = ("created_from", "created_to", "orderBy", "orderDirection")
        filters = {name: text for name in names if (text := fields.text(name))}
        return Success(
            page_of(
                matching,
                lambda order: list_row(order, store, call.now),
                fields,
                call.address,
                filters,
            )
        )

    def update(self, call: AdmittedCall) -> Success:
        """Answer ``PUT /orders/{id}``; without a status it changes nothing."""
        order = call.named(self._store.orders, "Order")
        status = call.fields.integer("status", least=1, most=6)
        call.fields.check()
        if call.fields.has("status"):
            before = order.status
            order_lifecycle.change_status(order, OrderStatus(status), self._store, call.now)
            self._backend.record("orders.update", order.id, f"{before} to {status}")
            self._backend.announce_order(Event.ORDER_STATUS_CHANGED, order)
        return Success(None, "Order Has Been Updates")

    def _repeated(self, request: OrderRequest, now: datetime) -> Success | None:
        placed = self._store.placed_requests.get(request.content)
        if placed is None or now >= placed.at + _REPEATED_WITHIN:
            return None
        order_id = placed.order_id
        if placed.checkout_key is not None:
            checkout = self._store.order_checkouts[placed.checkout_key]
            order_id = checkout.order_id
            if order_id is None:
                data = {"checkout_id": checkout.id, "duplicate": True}
                # RMZ shows no status beside this body. Nothing was made, so it is not 201.
                return RepeatedAnswer(data, "Checkout already exists")
        return RepeatedAnswer({"order_id": order_id, "duplicate": True}, "Order already exists")

    def _customer(self, request: OrderRequest, now: datetime) -> Customer | None:
        named = request.customer
        if named is None:
            return None
        if isinstance(named, int):
            if named not in self._store.customers:
                raise RefusedError(400, "Failed to create or find customer")
            return self._store.customers[named]
        return matched_or_new(named, self._store, now)

    def _complete(
        self, request: OrderRequest, quote: Quote, customer: Customer | None, now: datetime
    ) -> Success:
        if customer is None:
            # The checkout page would ask for the customer, but a free order has no such page.
            raise RefusedError(400, "Failed to create or find customer")
        order = place(quote, customer_id=customer.id, checkout_id=None, store=self._store, now=now)
        self._store.placed_requests[request.content] = PlacedRequest(at=now, order_id=order.id)
        self._backend.record("orders.create", order.id, "order made")
        self._backend.announce_placed(order)
        data = {"order_id": order.id, "status": "completed", "amount": 0}
        return Success(data, "Order created successfully", 201)

    def _check_out(
        self, request: OrderRequest, quote: Quote, customer: Customer | None, call: AdmittedCall
    ) -> Success:
        ids = self._store.ids
        checkout = OrderCheckout(
            id=ids.number("checkout", first=55001),
            key=ids.key("order checkout page"),
            quote=quote,
            created_from=request.created_from,
            created_at=call.now,
            customer_id=None if customer is None else customer.id,
        )
        self._store.order_checkouts[checkout.key] = checkout
        self._store.placed_requests[request.content] = PlacedRequest(
            at=call.now, checkout_key=checkout.key
        )
        self._backend.record("orders.create", checkout.id, "checkout made")
        data = {
            "checkout_id": checkout.id,
            "checkout_url": f"{call.origin}/order-checkout/{checkout.key}",
            "amount": quote.total,
            "status": "pending_payment",
        }
        return Success(data, "Checkout link created successfully", 201)
