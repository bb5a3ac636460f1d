"""The stock of products, which orders take, and give back if they are cancelled."""

from __future__ import annotations

from datetime import datetime

from rmz_async.sandbox.store.catalog import Code, Product
from rmz_async.sandbox.store.orders import OrderItem
from rmz_async.sandbox.store.state import Store

__all__ = ("current_stock", "put_back", "sold_codes", "take", "unsold_codes")

# RMZ shows this for a product that never runs out.
_UNLIMITED = 10000


def unsold_codes(product: Product, store: Store) -> list[Code]:
    """Return the product's unsold codes, the oldest first."""
    return [
        code
        for code in store.codes.values()
        if code.product_id == product.id and code.order_item_id is None
    ]


def sold_codes(item: OrderItem, store: Store) -> list[Code]:
    """Return the codes that were handed out for one line of an order."""
    return [code for code in store.codes.values() if code.order_item_id == item.id]


def current_stock(product: Product, store: Store) -> int:
    """Return how many pieces of the product can be had."""
    if product.type == "code":
        return len(unsold_codes(product, store))
    return _UNLIMITED if product.stock is None else product.stock


def take(item: OrderItem, store: Store, now: datetime) -> None:
    """Hand out what one line of an order has bought."""
    product = store.products[item.line.product_id]
    product.purchase_count += item.line.quantity
    if product.type == "code":
        for code in unsold_codes(product, store)[: item.line.quantity]:
            code.order_item_id = item.id
            code.updated_at = now
    elif product.stock is not None:
        product.stock -= item.line.quantity


def put_back(item: OrderItem, store: Store) -> None:
    """Return the pieces of a cancelled order's line; codes stay sold, for they were seen."""
    product = store.products[item.line.product_id]
    if product.type != "code":
        product.purchase_count -= item.line.quantity
        if product.stock is not None:
            product.stock += item.line.quantity
