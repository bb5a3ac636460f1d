"""Calls under ``/products`` and ``/categories``: what the store sells, and how it is sorted."""

from __future__ import annotations

from rmz_async.sandbox.endpoints.front_door import Call
from rmz_async.sandbox.shapes.products import category_row, full, list_row
from rmz_async.sandbox.wire.answers import Answer, RefusedError
from rmz_async.sandbox.wire.pagination import page_number, page_of

__all__ = ("categories", "get", "list_products")


def get(call: Call) -> Answer:
    """Answer ``GET /products/{id}``."""
    named = call.target_id
    if named is None or named not in call.store.products:
        raise RefusedError(404, "Product not found")
    return Answer(full(call.store.products[named], call.store, call.now))


def list_products(call: Call) -> Answer:
    """Answer ``GET /products``: all of them, also the disabled ones, by id."""
    page = page_of(
        [product for _, product in sorted(call.store.products.items())],
        page_number(call.fields),
        path=f"{call.origin}{call.path}",
        filters={},
        row=lambda product: list_row(product, call.store, call.now),
    )
    return Answer(page)


def categories(call: Call) -> Answer:
    """Answer ``GET /categories``: all of them, by id."""
    page = page_of(
        [category for _, category in sorted(call.store.categories.items())],
        page_number(call.fields),
        path=f"{call.origin}{call.path}",
        filters={},
        row=lambda category: category_row(category, call.store),
    )
    return Answer(page)
