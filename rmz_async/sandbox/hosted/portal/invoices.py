"""Invoices: one order as a page that prints on one sheet."""

from __future__ import annotations

from decimal import Decimal

import attrs
from starlette.requests import Request
from starlette.responses import Response

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.hosted.notices import missing
from rmz_async.sandbox.hosted.portal.visits import Visits
from rmz_async.sandbox.hosted.rendering import rendered
from rmz_async.sandbox.rules.pricing import rounded

__all__ = ("InvoicePages", "Tax", "tax_within")

# Saudi Arabia's value added tax, for orders that carry no rate of their own.
_USUAL_RATE = Decimal(15)


@attrs.frozen
class Tax:
    """The tax in a total. All amounts are in SAR.

    Attributes:
        rate: In percent.
    """

    rate: Decimal
    net: Decimal
    tax: Decimal


class InvoicePages:
    """Show what a customer has paid."""

    def __init__(self, backend: Backend, visits: Visits) -> None:
        self._store = backend.store
        self._visits = visits

    async def show(self, request: Request) -> Response:
        """Answer ``GET /portal/invoices/{id}``."""
        visit = self._visits.find_proven(request)
        order = self._store.orders.get(request.path_params["id"])
        if order is None or order.customer_id != visit.customer_id:
            raise missing(request)
        rate = _USUAL_RATE if order.tax_rate is None else Decimal(order.tax_rate)
        return rendered(
            request,
            "portal_invoice.html",
            order=order,
            customer=self._store.customers[order.customer_id],
            shop=self._store.profile,
            products=self._store.products,
            variants=self._store.variants,
            tax=tax_within(order.total, rate),
        )


def tax_within(total: Decimal, rate: Decimal) -> Tax:
    """Return the tax that is a part of *total*.

    Args:
        total: In SAR, the tax included.
        rate: In percent.
    """
    net = rounded(total * 100 / (100 + rate))
    return Tax(rate, net, total - net)
