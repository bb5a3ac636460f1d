"""``rmz orders``: read orders."""

from __future__ import annotations

from typing import Annotated

from rmz_async._extras import extra
from rmz_async.cli._listing import print_each, print_walk
from rmz_async.cli._options import INTEGER, Limit, Options, open_client
from rmz_async.models import Order, OrderStatus

with extra("cli", needed_by="The command rmz"):
    from cyclopts import App

_HEADINGS = ("id", "status", "total", "created_at")
_DEFAULT = Options()

application = App(name="orders", help="Read orders.")


def _summary(each: Order) -> dict[str, object]:
    status = each.current_status
    return {
        "id": each.id,
        "status": status.name.lower() if isinstance(status, OrderStatus) else status,
        "total": each.total,
        "created_at": each.created_at,
    }


@application.command
async def get(order_id: Annotated[int, INTEGER], /, *, options: Options = _DEFAULT) -> None:
    """Show one order; with --json also the codes that were sold.

    Args:
        order_id: The number of the order.
        options: How to print.
    """
    async with open_client() as rmz:
        found = await rmz.orders.get(order_id)
    print_each([found], _summary, _HEADINGS, options)


@application.command(name="list")
async def list_(*, limit: Limit = None, options: Options = _DEFAULT) -> None:
    """List the store's orders, the newest first.

    Args:
        limit: The most to read; all if left out.
        options: How to print.
    """
    async with open_client() as rmz:
        await print_walk(rmz.orders.list(), _summary, _HEADINGS, options, limit=limit)
