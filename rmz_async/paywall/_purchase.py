"""The purchase for which a checkout is started."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from rmz_async.models import NewCustomer

__all__ = ("Purchase",)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Purchase:
    """The fields that a checkout session needs, besides the user.

    Attributes:
        product_id: The product.
        variant_id: The variant.
        customer: The customer who pays.
        success_url: The address to which the customer comes back after the payment.
        cancel_url: The address to which the customer comes back without one.
        metadata: Comes back with the subscription.
    """

    product_id: int
    variant_id: int
    customer: NewCustomer | int = attrs.field(repr=False)
    success_url: str = attrs.field(repr=False)
    cancel_url: str
    metadata: Mapping[str, str] | None = attrs.field(default=None, repr=False)
