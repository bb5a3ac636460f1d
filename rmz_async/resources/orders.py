"""Orders: make them, read them, and move them on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum
from typing import Literal, cast

from rmz_async import operations
from rmz_async._calls.call import Call, Settlement
from rmz_async._transport import Transport
from rmz_async.models import CreatedOrder, NewCustomer, Order, OrderLine, OrderStatus
from rmz_async.pagination import Page, Pager
from rmz_async.resources import _settling
from rmz_async.resources._validation import Validation, checked_id

__all__ = ("Orders",)

_MAX_NOTICE = 800


class Orders:
    """Make orders on behalf of customers, read them, and move them on."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(
        self,
        *,
        created_from: str,
        products: Sequence[OrderLine],
        customer: NewCustomer | int | None = None,
        coupon_code: str | None = None,
    ) -> CreatedOrder:
        """Order products for a customer, who then pays on a page of RMZ.

        RMZ takes an order of the same content within 5 minutes for the same order, and answers with
        the first one. So if no trustworthy answer came back, this call is retried with the same
        bytes for up to 4 minutes; the retry then returns a ``DuplicateOrder``.

        Args:
            created_from: The domain that the order comes from, for example ``app.example``.
            products: 1 line or more.
            customer: A customer's id, or who they are; without one the customer says so at the
                checkout. RMZ sells to customers of the six countries that ``NewCustomer`` names.
            coupon_code: The coupon to apply, not empty.

        Returns:
            ``PendingOrder`` if it is to be paid: send the customer to its ``checkout_url``.
            ``CompletedOrder`` if it costs nothing. ``DuplicateOrder``, perhaps without a
            ``checkout_url``, if RMZ has made it before.

        Raises:
            InvalidRequestError: A field breaks a rule, found here or by RMZ; nothing was ordered.
            BadRequestError: A rule of the shop forbids it: no such product, none left, too few, a
                coupon or a customer that is not known. ``message`` is RMZ's own.
            OutcomeUnknownError: No trustworthy answer came back; ordering the same again within 5
                minutes of the first time is safe.

        Source: https://docs.rmz.gg/merchant-api/orders/create-order
        """
        check = Validation(operations.ORDERS_CREATE)
        check.text("created_from", created_from)
        lines = _lines(check, products)
        who = None if customer is None else check.customer("customer", customer, NewCustomer)
        if coupon_code is not None:
            check.text("coupon_code", coupon_code)
        check.finish()
        return await self._transport.call(
            Call(
                operation=operations.ORDERS_CREATE,
                returns=cast("type[CreatedOrder]", CreatedOrder),
                body={
                    "customer": who,
                    "created_from": created_from,
                    "products": lines,
                    "coupon_code": coupon_code,
                },
            )
        )

    async def get(self, order_id: int) -> Order:
        """Read one order, with its items.

        Args:
            order_id: Positive integer.

        Returns:
            The order as it is now; all times in UTC.

        Raises:
            NotFoundError: There is no such order in this store.

        Source: https://docs.rmz.gg/merchant-api/orders/get-order
        """
        order_id = checked_id(operations.ORDERS_GET, order_id)
        return await self._transport.call(_read(order_id))

    def list(
        self,
        *,
        created_from: date | None = None,
        created_to: date | None = None,
        order_by: Literal["id", "created_at", "updated_at", "total"] = "id",
        order_direction: Literal["asc", "desc"] = "desc",
        page: int = 1,
    ) -> Pager[Order]:
        """List the store's orders, 15 a page, the newest first.

        Nothing is sent before the first item or page is asked for. No order comes twice in one
        walk. Sorted by ``id``, none is missed either; sorted by ``updated_at`` or ``total``, an
        order that changes meanwhile may move to a page that the walk has passed, and is missed. In
        direction ``asc`` by ``id``, orders that are made meanwhile come last.

        Args:
            created_from: Only orders of this day and later ones.
            created_to: Only orders of this day and earlier ones; not before *created_from*.
            order_by: The field to sort by.
            order_direction: ``asc`` for the smallest first, ``desc`` for the largest.
            page: The page to begin with, 1 or more.

        Returns:
            A list; walk it, walk its ``pages()``, or take its ``first()`` page. Its orders have no
            ``items``.

        Raises:
            InvalidRequestError: A field breaks a rule; nothing was sent.

        Source: https://docs.rmz.gg/merchant-api/orders/list-orders
        """
        check = Validation(operations.ORDERS_LIST)
        page = check.identifier("page", page)
        first_day = check.day("created_from", created_from)
        last_day = check.day("created_to", created_to)
        if first_day is not None and last_day is not None:
            check.require(
                "created_from", first_day <= last_day, "must not be later than created_to"
            )
        check.choice("orderBy", order_by, ("id", "created_at", "updated_at", "total"))
        check.choice("orderDirection", order_direction, ("asc", "desc"))
        check.finish()
        query = {
            "created_from": first_day,
            "created_to": last_day,
            "orderBy": order_by,
            "orderDirection": order_direction,
        }

        async def fetch(number: int) -> Page[Order]:
            return await self._transport.call(
                Call(
                    operation=operations.ORDERS_LIST,
                    returns=Page[Order],
                    query={"page": number, **query},
                )
            )

        return Pager(fetch, page=page)

    async def update(self, order_id: int, *, status: OrderStatus | int) -> None:
        """Move an order to another status.

        RMZ keeps a history of these steps and sends each to the store's webhooks, and cancelling
        and refunding have effects of their own. So this call is never sent again after it may have
        arrived. If no trustworthy answer comes back, the order is read back: if it has the wanted
        status, the call has succeeded.

        Args:
            order_id: Positive integer.
            status: 1 to 6.

        Raises:
            BadRequestError: RMZ does not let this order go from its status to that one.
            NotFoundError: There is no such order in this store.
            OutcomeUnknownError: The order may have moved, or not.

        Source: https://docs.rmz.gg/merchant-api/orders/update-order
        """
        check = Validation(operations.ORDERS_UPDATE)
        order_id = check.identifier("id", order_id)
        # A member of another enum is a status of something else.
        foreign = isinstance(status, Enum) and type(status) is not OrderStatus
        known = None if foreign else status
        number = check.integer("status", known, min(OrderStatus), max(OrderStatus))
        check.finish()
        await self._transport.call(
            Call(
                operation=operations.ORDERS_UPDATE,
                returns=type(None),
                object_id=order_id,
                body={"status": number},
                settlement=Settlement(
                    read=_read(order_id),
                    compare=_settling.moved_to(number),
                    result=_nothing,
                    explains=_settling.never,
                ),
            )
        )


def _read(order_id: int) -> Call[Order]:
    return Call(operation=operations.ORDERS_GET, returns=Order, object_id=order_id)


def _nothing(_: Order) -> None:
    return None


def _lines(check: Validation, products: object) -> Sequence[Mapping[str, object]]:
    """Check the lines of an order, and return them as RMZ wants them."""
    is_list = isinstance(products, Sequence) and not isinstance(products, (str, bytes))
    lines = cast("Sequence[object]", products) if is_list else ()
    check.require("products", len(lines) > 0, "must be a list of 1 OrderLine or more")
    return [_line(check, f"products.{index}", line) for index, line in enumerate(lines)]


def _line(check: Validation, field: str, line: object) -> Mapping[str, object]:
    if not isinstance(line, OrderLine):
        check.require(field, False, "must be an OrderLine")
        return {}
    product, plan, most = line.product, line.plan, None
    by_slug = isinstance(cast("object", product), str)
    if by_slug:
        check.text(f"{field}.identifier", product)
    else:
        product = check.identifier(f"{field}.identifier", product)
    if plan is not None:
        plan, most = check.identifier(f"{field}.subscription_plan", plan), 1
    quantity = check.count(f"{field}.quantity", line.quantity, most)
    # A form sends an empty one if nothing was written.
    if line.notice not in (None, ""):
        check.text(f"{field}.notice", line.notice, _MAX_NOTICE)
    given = {
        "identifier_type": "slug" if by_slug else "id",
        "identifier": product,
        "quantity": quantity,
        "options": check.options(f"{field}.options", line.options),
        "notice": line.notice or None,
        "subscription_plan": plan,
    }
    return {name: value for name, value in given.items() if value is not None}
