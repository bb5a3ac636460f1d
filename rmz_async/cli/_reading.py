"""``rmz orders``, ``rmz products`` and ``rmz plans``: read what the store has."""

from __future__ import annotations

from typing import Annotated

from rmz_async._extras import extra
from rmz_async.cli._listing import print_each, print_records, print_walk
from rmz_async.cli._options import INTEGER, Limit, Options, open_client
from rmz_async.models import Order, OrderStatus, Product

with extra("cli", needed_by="The command rmz"):
    from cyclopts import App

_ORDER = ("id", "status", "total", "created_at")
_PRODUCT = ("id", "type", "name", "price")
_PLAN = ("plan", "duration", "price", "trial_days", "product_id", "variant_id", "name")
_DEFAULT = Options()

orders = App(name="orders", help="Read orders.")
products = App(name="products", help="Read products.")


def _order(each: Order) -> dict[str, object]:
    status = each.current_status
    return {
        "id": each.id,
        "status": status.name.lower() if isinstance(status, OrderStatus) else status,
        "total": each.total,
        "created_at": each.created_at,
    }


def _product(each: Product) -> dict[str, object]:
    return {"id": each.id, "type": each.type, "name": each.name, "price": each.price}


@orders.command(name="get")
async def get_order(order_id: Annotated[int, INTEGER], /, *, options: Options = _DEFAULT) -> None:
    """Show one order; with --json also the codes that were sold.

    Args:
        order_id: The number of the order.
        options: How to print.
    """
    async with open_client() as rmz:
        found = await rmz.orders.get(order_id)
    print_each([found], _order, _ORDER, options)


@orders.command(name="list")
async def list_orders(*, limit: Limit = None, options: Options = _DEFAULT) -> None:
    """List the store's orders, the newest first.

    Args:
        limit: The most to read; all if left out.
        options: How to print.
    """
    async with open_client() as rmz:
        await print_walk(rmz.orders.list(), _order, _ORDER, options, limit=limit)


@products.command(name="list")
async def list_products(*, limit: Limit = None, options: Options = _DEFAULT) -> None:
    """List the store's products.

    Args:
        limit: The most to read; all if left out.
        options: How to print.
    """
    async with open_client() as rmz:
        await print_walk(rmz.products.list(), _product, _PRODUCT, options, limit=limit)


async def plans(*, options: Options = _DEFAULT) -> None:
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
    print_records(rows, _PLAN, options)
