"""``rmz products``: read products."""

from __future__ import annotations

from rmz_async._extras import extra
from rmz_async.cli._listing import print_walk
from rmz_async.cli._options import Limit, Options, open_client
from rmz_async.models import Product

with extra("cli", needed_by="The command rmz"):
    from cyclopts import App

_HEADINGS = ("id", "type", "name", "price")
_DEFAULT = Options()

application = App(name="products", help="Read products.")


def _summary(each: Product) -> dict[str, object]:
    return {"id": each.id, "type": each.type, "name": each.name, "price": each.price}


@application.command(name="list")
async def list_(*, limit: Limit = None, options: Options = _DEFAULT) -> None:
    """List the store's products.

    Args:
        limit: The most to read; all if left out.
        options: How to print.
    """
    async with open_client() as rmz:
        await print_walk(rmz.products.list(), _summary, _HEADINGS, options, limit=limit)
