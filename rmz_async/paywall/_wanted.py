"""The products and plans that a check is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from rmz_async.errors import ConfigurationError
from rmz_async.models import Subscription
from rmz_async.plans import Plan

__all__ = ("Wanted",)


class Wanted:
    """Products by their slugs, and plans by the ids of their variants; any of them will do.

    Attributes:
        slugs: The products' names in addresses.
        variants: The variants of plans.
    """

    def __init__(self, slugs: frozenset[str], variants: frozenset[int]) -> None:
        self.slugs: Final = slugs
        self.variants: Final = variants

    @classmethod
    def of(cls, given: Sequence[str | Plan]) -> Wanted:
        """Return the products and plans that a caller has named.

        Raises:
            ConfigurationError: A product is neither a slug nor a plan.
        """
        if not all(
            product and isinstance(product, str | Plan)
            for product in cast("Sequence[object]", given)
        ):
            raise ConfigurationError(
                'products: pass each slug, such as "pro-plan", or plan of rmz.plans() as an '
                "argument of its own"
            )
        return cls(
            frozenset(product for product in given if isinstance(product, str)),
            frozenset(product.variant_id for product in given if isinstance(product, Plan)),
        )

    def includes(self, subscription: Subscription) -> bool | None:
        """Return whether a subscription is to one of them; None if that cannot be read."""
        product, variant = subscription.product, subscription.variant
        slug = None if product is None else product.slug
        number = None if variant is None else variant.id
        if slug in self.slugs or number in self.variants:
            return True
        is_known = (slug is not None or not self.slugs) and (
            number is not None or not self.variants
        )
        return False if is_known else None
