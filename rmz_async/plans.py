"""The plans of a store by name, so that no id stands in a program."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from decimal import Decimal
from typing import Any, cast

import attrs

from rmz_async._calls.clock import Clock
from rmz_async._flights import Flights
from rmz_async._frozen import frozen
from rmz_async.errors import ConfigurationError, PlanNotFoundError
from rmz_async.models import Duration, Product, ProductType
from rmz_async.resources.products import Products

__all__ = ("Plan", "Plans")

# Seconds for which plans may be kept.
LONGEST_AGE = 86_400.0


@frozen(kw_only=True)
class Plan:
    """A variant of a product that is subscribed to."""

    product_id: int
    """Positive integer."""

    variant_id: int
    """Positive integer."""

    slug: str
    """The product's name in addresses."""

    name: str | None
    """The product's name, as the shop wrote it."""

    duration: Duration | str
    """The length of a period; a string if RMZ has a new one."""

    price: Decimal | None
    """Exact, in the store's main currency; None if RMZ names none."""

    trial_days: int
    """The length of the trial, 0 if there is none."""

    features: Any = attrs.field(default=None, repr=False, hash=False)
    """As RMZ sends them, perhaps None."""


class Plans:
    """All plans of a store: ``plans["pro-plan", "annually"]``.

    Args:
        plans: The plans.
    """

    def __init__(self, plans: Iterable[Plan]) -> None:
        self._plans = tuple(plans)

    def __getitem__(self, name: tuple[str, Duration | str]) -> Plan:
        """Return the plan of a product's slug and a duration.

        Raises:
            PlanNotFoundError: There is no such plan, or there are two; the message lists names that
                are near. The error is a ``KeyError`` too.
        """
        if not isinstance(cast("object", name), tuple) or len(name) != 2:
            raise PlanNotFoundError(
                'plans: name a product and a duration, such as plans["pro-plan", "annually"]'
            )
        slug, duration = name
        found = [each for each in self._plans if (each.slug, each.duration) == (slug, duration)]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(str(each.variant_id) for each in found)
            raise PlanNotFoundError(
                f"plans: there are {len(found)} plans {slug}, {duration}; take one of the variants "
                f"{ids} by Plans.variant()"
            )
        names = [f"{each.slug}, {each.duration}" for each in self._plans]
        # Imported here, since only a misspelt plan needs it.
        import difflib

        near = difflib.get_close_matches(f"{slug}, {duration}", names, n=3, cutoff=0.3)
        raise PlanNotFoundError(
            f"plans: the store has no plan {slug}, {duration}; "
            + (
                f"the nearest are: {'; '.join(near)}"
                if near
                else f"its plans are: {'; '.join(names)}"
            )
        )

    def __iter__(self) -> Iterator[Plan]:
        return iter(self._plans)

    def __len__(self) -> int:
        return len(self._plans)

    def __repr__(self) -> str:
        return f"<Plans: {', '.join(f'{each.slug}/{each.duration}' for each in self._plans)}>"

    def of(self, slug: str) -> tuple[Plan, ...]:
        """Return all plans of the product with this slug, in RMZ's order; perhaps none."""
        return tuple(each for each in self._plans if each.slug == slug)

    def variant(self, variant_id: int) -> Plan:
        """Return the plan with this variant id.

        Raises:
            PlanNotFoundError: There is none.
        """
        for plan in self._plans:
            if plan.variant_id == variant_id:
                return plan
        raise PlanNotFoundError(f"plans: the store has no plan with the variant {variant_id}")


class PlanCache:
    """The plans that were read last, for a client and all its copies."""

    def __init__(self) -> None:
        self._plans: Plans | None = None
        self._read_at = 0.0
        self._flights: Flights[Plans | Exception] = Flights()

    async def plans(self, products: Products, clock: Clock, max_age: float) -> Plans:
        """Return the plans; read them if those that are known are older than *max_age* seconds.

        Raises:
            ConfigurationError: *max_age* is no number of seconds from 0 to a day's.
        """
        # NaN compares false with everything, so the comparison refuses it too.
        is_number = isinstance(cast("object", max_age), int | float)
        if isinstance(max_age, bool) or not (is_number and 0 <= max_age <= LONGEST_AGE):
            raise ConfigurationError(
                f"max_age: must be 0 to {LONGEST_AGE:.0f} seconds, because prices change"
            )
        if self._plans is not None and clock.clock() - self._read_at < max_age:
            return self._plans

        async def read() -> Plans | Exception:
            now = clock.clock()
            try:
                self._plans = Plans([plan async for plan in _read(products)])
            # All tasks that wait share the failure: otherwise each would read again after another.
            except Exception as error:  # noqa: BLE001 - it is raised below
                return error
            self._read_at = now
            return self._plans

        found = await self._flights.join("plans", read, begun_later=max_age == 0)
        if isinstance(found, Exception):
            raise found
        return found


async def _read(products: Products) -> AsyncIterator[Plan]:
    async for listed in products.list():
        if listed.type == ProductType.SUBSCRIPTION:
            # A list has no variants.
            for plan in _plans_of(await products.get(listed.id)):
                yield plan


def _plans_of(product: Product) -> Iterator[Plan]:
    for variant in product.subscription_variants or ():
        yield Plan(
            product_id=product.id,
            variant_id=variant.id,
            slug=product.slug or "",
            name=product.name,
            duration=variant.duration or "",
            price=variant.price,
            trial_days=product.trial_days or 0,
            features=variant.features,
        )
