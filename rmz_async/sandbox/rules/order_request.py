"""A ``POST /orders`` as data, after its form was checked."""

from __future__ import annotations

import hashlib
import json

import attrs

from rmz_async.sandbox.rules.customers import Details, details
from rmz_async.sandbox.wire.fields import Fields

__all__ = ("DIAL_CODES", "OrderRequest", "RequestedLine", "order_request")

DIAL_CODES = ("966", "973", "971", "974", "968", "965")


@attrs.frozen(kw_only=True)
class RequestedLine:
    """An entry of ``products``.

    Attributes:
        identifier: A product's id or slug, whichever *identifier_type* says.
        plan: A variant's id; 0 if none was sent.
    """

    identifier_type: str
    identifier: str
    quantity: int
    options: dict[str, object]
    notice: str
    plan: int


@attrs.frozen(kw_only=True)
class OrderRequest:
    """The whole body; nothing of it was looked up yet.

    Attributes:
        customer: An id, the details to find or make one by, or None if none was named.
        coupon_code: Empty if none was sent.
    """

    customer: int | Details | None
    created_from: str
    lines: tuple[RequestedLine, ...]
    coupon_code: str

    @property
    def content(self) -> str:
        """A digest that is the same for every body that says the same."""
        written = json.dumps(attrs.asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(written.encode()).hexdigest()


def order_request(fields: Fields) -> OrderRequest:
    """Read the body.

    Raises:
        InvalidFieldsError: Its form is wrong.
    """
    request = OrderRequest(
        customer=_customer(fields),
        created_from=fields.domain("created_from"),
        lines=tuple(_line(entry) for entry in fields.entries("products")),
        coupon_code=fields.text("coupon_code"),
    )
    fields.check()
    return request


def _customer(fields: Fields) -> int | Details | None:
    if not fields.has("customer"):
        return None
    customer = fields.nested("customer")
    if customer.has("id"):
        return customer.integer("id")
    return details(customer, DIAL_CODES)


def _line(entry: Fields) -> RequestedLine:
    return RequestedLine(
        identifier_type=entry.choice("identifier_type", ("id", "slug"), required=True),
        identifier=entry.scalar("identifier"),
        quantity=entry.integer("quantity", required=True, least=1),
        options=entry.mapping("options"),
        notice=entry.text("notice", longest=800),
        plan=entry.integer("subscription_plan"),
    )
