"""The user, the products and the plans that a check is about."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable, Sequence
from typing import cast

import attrs

from rmz_async import operations
from rmz_async.errors import ConfigurationError
from rmz_async.models import Subscription
from rmz_async.plans import Plan
from rmz_async.resources._validation import Validation

__all__ = ("ShownSlugs", "Wanted", "validate")

logger: logging.Logger = logging.getLogger("rmz_async.paywall")

# Slugs may come from requests, and each warning is remembered.
MOST_SLUGS = 100
MOST_WARNINGS = 20
LONGEST = 100


@attrs.frozen
class Wanted:
    """Products by their slugs, and plans by the ids of their variants; any of them will do.

    Attributes:
        slugs: The products' names in addresses.
        variants: The variants of plans.
    """

    slugs: frozenset[str]
    variants: frozenset[int]

    @classmethod
    def of(cls, given: Sequence[str | Plan]) -> Wanted:
        """Return the products and plans that a caller has named.

        Raises:
            ConfigurationError: A product is neither a slug nor a plan.
        """
        if not all(one and isinstance(one, str | Plan) for one in cast("Sequence[object]", given)):
            raise ConfigurationError(
                'products: each must be a slug, such as "pro-plan", or a plan of rmz.plans(), and '
                "an argument of its own"
            )
        return cls(
            frozenset(one for one in given if isinstance(one, str)),
            frozenset(one.variant_id for one in given if isinstance(one, Plan)),
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


class ShownSlugs:
    """The slugs that RMZ's answers have shown so far, to find one that is misspelt."""

    def __init__(self) -> None:
        self._shown: set[str] = set()
        self._warned: set[str] = set()

    def add(self, subscriptions: Iterable[Subscription]) -> None:
        """Add the slugs of an answer."""
        for subscription in subscriptions:
            product = subscription.product
            if product is not None and product.slug and len(self._shown) < MOST_SLUGS:
                self._shown.add(product.slug)

    def look_for(self, wanted: Wanted) -> None:
        """Log a warning for each slug that only others have been shown; once for each."""
        # A full set does not know all slugs, so that no slug is known to be missing.
        if wanted.slugs <= self._shown or not 0 < len(self._shown) < MOST_SLUGS:
            return
        for slug in wanted.slugs - self._shown - self._warned:
            if len(self._warned) < MOST_WARNINGS:
                self._warned.add(slug)
                self._warn(slug[:LONGEST])

    def _warn(self, slug: str) -> None:
        # Sorted makes a copy, because another thread may add a slug meanwhile.
        near = difflib.get_close_matches(slug, sorted(self._shown), n=5, cutoff=0)
        logger.warning(
            "The paywall refuses the product %r, which no answer of RMZ has shown so far; the "
            "nearest of those that were shown: %s. Correct the slug, unless nobody has subscribed "
            "to the product yet",
            slug,
            ", ".join(repr(each[:LONGEST]) for each in near),
        )


def validate(user: str) -> None:
    """Check the name that a shop has for a user, before anything is asked about it.

    Raises:
        InvalidRequestError: RMZ would refuse it.
    """
    check = Validation(operations.SUBSCRIPTIONS_LOOKUP)
    check.text("external_customer_id", user)
    check.finish()
