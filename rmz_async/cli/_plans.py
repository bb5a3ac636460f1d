"""``rmz plans``: the plans of the store by name."""

from __future__ import annotations

from rmz_async.cli._listing import print_records
from rmz_async.cli._options import Options, open_client

_HEADINGS = ("plan", "duration", "price", "trial_days", "product_id", "variant_id", "name")


async def plans(
    *,
    options: Options = Options(),  # noqa: B008 - frozen
) -> None:
    """List the plans of the store, with the names for rmz.plans() and the ids.

    Args:
        options: How to print.
    """
    async with open_client() as rmz:
        found = await rmz.plans()
    rows = [
        {
            "plan": plan.slug,
            "duration": plan.duration,
            "price": plan.price,
            "trial_days": plan.trial_days,
            "product_id": plan.product_id,
            "variant_id": plan.variant_id,
            "name": plan.name,
        }
        for plan in found
    ]
    print_records(rows, _HEADINGS, options)
