"""The rules of ordering and of an order's effects, without HTTP."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import attrs

from rmz_async.sandbox.rules.order_request import OrderRequest, RequestedLine
from rmz_async.sandbox.rules.pricing import actual_price, discount_by, platform_fees
from rmz_async.sandbox.rules.stock import current_stock, take
from rmz_async.sandbox.store.cards import Card
from rmz_async.sandbox.store.catalog import Coupon, Product, ProductStatus, Variant
from rmz_async.sandbox.store.orders import (
    Order,
    OrderItem,
    OrderLine,
    OrderStatus,
    Quote,
    StatusChange,
    Transaction,
)
from rmz_async.sandbox.store.state import Store, Subscription
from rmz_async.sandbox.wire.answers import InvalidFieldsError, RefusedError

__all__ = ("check_stock", "new_order", "place", "quoted")

# A person has still to do something for these. Everything else is delivered immediately.
_DELIVERED_BY_HAND = ("product", "service")


def quoted(request: OrderRequest, store: Store, now: datetime) -> Quote:
    """Return what was asked for, at today's prices.

    Raises:
        RefusedError: 400, one of the products or the coupon cannot be had.
        InvalidFieldsError: A subscription has no plan, or one of another product.
    """
    lines = tuple(_line(index, line, store, now) for index, line in enumerate(request.lines))
    check_stock(lines, store)
    quote = Quote(lines=lines)
    if request.coupon_code:
        coupon = _coupon(request.coupon_code, store, now)
        discount = discount_by(coupon, quote.total)
        quote = attrs.evolve(quote, discount=discount, coupon_id=coupon.id)
    return quote


def check_stock(lines: tuple[OrderLine, ...], store: Store) -> None:
    """Check that there is enough of everything, also if several lines want the same.

    Raises:
        RefusedError: 400, there is not.
    """
    wanted: Counter[int] = Counter()
    for line in lines:
        wanted[line.product_id] += line.quantity
    for product_id, quantity in wanted.items():
        product = store.products[product_id]
        if product.type == "subscription" and quantity > 1:
            raise RefusedError(400, "Maximum quantity allowed for subscriptions is 1")
        most = product.max_purchase_count
        left = current_stock(product, store)
        if quantity > left or (most is not None and product.purchase_count + quantity > most):
            raise RefusedError(400, f"Requested quantity not available for product: {product.name}")


def place(
    quote: Quote,
    *,
    customer_id: int,
    checkout_id: int | None,
    store: Store,
    now: datetime,
    card: Card | None = None,
) -> Order:
    """Make the order: hand out the goods, start the subscriptions, use the coupon.

    The *card* that has paid is kept for the renewals.
    """
    order = new_order(quote, customer_id=customer_id, checkout_id=checkout_id, store=store, now=now)
    for item in order.items:
        take(item, store, now)
        if item.line.variant_id is not None:
            _subscribe(item, order, store.variants[item.line.variant_id], store, card)
    if quote.coupon_id is not None:
        store.coupons[quote.coupon_id].usage_count += 1
    return order


def new_order(
    quote: Quote, *, customer_id: int, checkout_id: int | None, store: Store, now: datetime
) -> Order:
    """Make only the order, as paid."""
    is_free = quote.total == 0
    order_id = store.ids.number("order", first=79001)
    order = Order(
        id=order_id,
        customer_id=customer_id,
        checkout_id=checkout_id,
        coupon_id=quote.coupon_id,
        discount=None if quote.coupon_id is None else quote.discount,
        items=tuple(
            OrderItem(id=store.ids.number("order item", first=1001), line=line)
            for line in quote.lines
        ),
        transaction=Transaction(
            id=store.ids.number("transaction", first=5001),
            payment_method="free" if is_free else "dokanpay",
            total=quote.total,
            platform_fees=platform_fees(quote.total),
            payment_id="ch_" + store.ids.key("payment", length=12).lower(),
            created_at=now,
        ),
        statuses=[
            StatusChange(
                id=store.ids.number("order status", first=401),
                status=_first_status(quote, store),
                at=now,
            )
        ],
        created_at=now,
        updated_at=now,
    )
    store.orders[order.id] = order
    return order


def _line(index: int, requested: RequestedLine, store: Store, now: datetime) -> OrderLine:
    product = _product(requested, store)
    if product.status is not ProductStatus.ACTIVE:
        raise RefusedError(400, f"Product unavailable: {product.name}")
    if requested.quantity < product.min_qty:
        raise RefusedError(
            400, f"Minimum quantity is {product.min_qty} for product: {product.name}"
        )
    variant = _plan(index, requested.plan, product, store)
    return OrderLine(
        product_id=product.id,
        quantity=requested.quantity,
        price=actual_price(product, now) if variant is None else variant.price,
        options=requested.options,
        notice=requested.notice or None,
        variant_id=None if variant is None else variant.id,
    )


def _product(requested: RequestedLine, store: Store) -> Product:
    for product in store.products.values():
        name = str(product.id) if requested.identifier_type == "id" else product.slug
        if name == requested.identifier:
            return product
    raise RefusedError(400, f"Product not found: {requested.identifier}")


def _plan(index: int, plan: int, product: Product, store: Store) -> Variant | None:
    if product.type != "subscription":
        return None
    variant = store.variants.get(plan)
    if variant is None or variant.is_deleted or variant.product_id != product.id:
        # RMZ has no message for it. If the product is known, its form is wrong.
        path = f"products.{index}.subscription_plan"
        raise InvalidFieldsError({path: [f"The selected {path.replace('_', ' ')} is invalid."]})
    return variant


def _coupon(code: str, store: Store, now: datetime) -> Coupon:
    for coupon in store.coupons.values():
        if coupon.code == code and coupon.is_enabled:
            used_up = coupon.usage_limit is not None and coupon.usage_count >= coupon.usage_limit
            if used_up or (coupon.expires_at is not None and now >= coupon.expires_at):
                raise RefusedError(400, "Coupon is no longer valid")
            return coupon
    raise RefusedError(400, "Invalid coupon code")


def _first_status(quote: Quote, store: Store) -> OrderStatus:
    """Return what a paid order begins with; RMZ says only that a free one is completed."""
    types = {store.products[line.product_id].type for line in quote.lines}
    by_hand = quote.total > 0 and not types.isdisjoint(_DELIVERED_BY_HAND)
    return OrderStatus.IN_PROGRESS if by_hand else OrderStatus.COMPLETED


def _subscribe(
    item: OrderItem, order: Order, variant: Variant, store: Store, card: Card | None
) -> None:
    now = order.created_at
    subscription = Subscription(
        id=store.subscriptions.next_id(first=501),
        customer_id=order.customer_id,
        product_id=variant.product_id,
        variant_id=variant.id,
        order_id=order.id,
        price=item.line.price,
        started_at=now,
        current_period_start=now,
        current_period_end=now + variant.duration.length,
        updated_at=now,
        # No card is asked for if there is nothing to pay, and each subscription counts by itself.
        card=None if card is None else attrs.evolve(card),
    )
    store.subscriptions[subscription.id] = subscription
    item.subscription_id = subscription.id
