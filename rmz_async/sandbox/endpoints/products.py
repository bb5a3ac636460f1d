"""Calls under ``/products`` and ``/categories``."""

from __future__ import annotations

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.endpoints.front_door import Call
from rmz_async.sandbox.shapes.products import category_row, full, list_row
from rmz_async.sandbox.wire.answers import Answer, RefusedError
from rmz_async.sandbox.wire.pagination import page_number, page_of

__all__ = ("Products",)


class Products:
    """Read what the store sells, and how it is sorted."""

    def __init__(self, backend: Backend) -> None:
        self._store = backend.store

    def get(self, call: Call) -> Answer:
        """Answer ``GET /products/{id}``."""
        named = call.target_id
        if named is None or named not in self._store.products:
            raise RefusedError(404, "Product not found")
        return Answer(full(self._store.products[named], self._store, call.now))

    def list(self, call: Call) -> Answer:
        """Answer ``GET /products``: all of them, also the disabled ones, by id."""
        page = page_of(
            [product for _, product in sorted(self._store.products.items())],
            page_number(call.fields),
            path=f"{call.origin}{call.path}",
            filters={},
            row=lambda product: list_row(product, self._store, call.now),
        )
        return Answer(page)

    def categories(self, call: Call) -> Answer:
        """Answer ``GET /categories``: all of them, by id."""
        page = page_of(
            [category for _, category in sorted(self._store.categories.items())],
            page_number(call.fields),
            path=f"{call.origin}{call.path}",
            filters={},
            row=lambda category: category_row(category, self._store),
        )
        return Answer(page)
