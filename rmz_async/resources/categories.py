"""Categories: the shelves of the shop."""

from __future__ import annotations

from rmz_async import operations
from rmz_async._calls.call import Call
from rmz_async._transport import Transport
from rmz_async.models import Category
from rmz_async.pagination import Page, Pager
from rmz_async.resources._validation import Validation

__all__ = ("Categories",)


class Categories:
    """Read the shelves of the shop."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, page: int = 1) -> Pager[Category]:
        """List the store's categories, 15 a page.

        Nothing is sent before the first item or page is asked for. RMZ documents no order for this
        list. No category comes twice in one walk, and one that moves to an earlier page meanwhile
        is missed.

        Args:
            page: The page to begin with, 1 or more.

        Returns:
            A list; walk it, walk its ``pages()``, or take its ``first()`` page.

        Raises:
            InvalidRequestError: A field breaks a rule; nothing was sent.

        Source: https://docs.rmz.gg/merchant-api/categories
        """
        check = Validation(operations.CATEGORIES_LIST)
        page = check.identifier("page", page)
        check.finish()

        async def fetch(number: int) -> Page[Category]:
            return await self._transport.call(
                Call(
                    operation=operations.CATEGORIES_LIST,
                    returns=Page[Category],
                    query={"page": number},
                )
            )

        return Pager(fetch, page=page)
