"""The slugs that RMZ's answers have shown, to find one that is misspelt."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable

from rmz_async.models import Subscription
from rmz_async.paywall._wanted import Wanted

__all__ = ("ShownSlugs",)

logger: logging.Logger = logging.getLogger("rmz_async.paywall")

# Slugs may come from requests, and each warning is remembered.
MOST_SLUGS = 100
MOST_WARNINGS = 20
LONGEST = 100


class ShownSlugs:
    """Remembers slugs, and warns of those that it has never seen."""

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
