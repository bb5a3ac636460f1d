"""Products: what the store sells."""

from __future__ import annotations

from rmz_async import operations
from rmz_async._calls.call import Call
from rmz_async._transport import Transport
from rmz_async.models import Product
from rmz_async.pagination import Page, Pager
from rmz_async.resources._validation import Validation

__all__ = ("Products",)


class Products:
    """Read what the store sells."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get(self, product_id: int) -> Product:
        """Read one product, with its plans, categories and unsold codes.

        Whoever sees a code has the goods: never hand the answer on to a browser.

        Args:
            product_id: Positive integer.

        Returns:
            The product as it is now; all times in UTC.

        Raises:
            NotFoundError: There is no such product in this store.

        Source: https://docs.rmz.gg/merchant-api/products/get-product
        """
        check = Validation("products.get")
        check.identifier("id", product_id)
        check.finish()
        return await self._transport.call(
            Call(operation=operations.PRODUCTS_GET, returns=Product, object_id=product_id)
        )

    def list(self, *, page: int = 1) -> Pager[Product]:
        """List the store's products, 15 a page.

        Nothing is sent before the first item or page is asked for.

        Args:
            page: The page to begin with, 1 or more.

        Returns:
            A list; walk it, walk its ``pages()``, or take its ``first()`` page. Its products have
            their names, types, prices and stock only.

        Raises:
            InvalidRequestError: A field breaks a rule; nothing was sent.

        Source: https://docs.rmz.gg/merchant-api/products/list-products
        """
        check = Validation("products.list")
        check.identifier("page", page)
        check.finish()

        async def fetch(number: int) -> Page[Product]:
            return await self._transport.call(
                Call(
                    operation=operations.PRODUCTS_LIST,
                    returns=Page[Product],
                    query={"page": number},
                )
            )

        return Pager(fetch, page=page)
