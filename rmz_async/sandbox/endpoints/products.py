"""Calls under ``/products`` and ``/categories``: what the store sells, and how it is sorted."""

from __future__ import annotations

from starlette.routing import Route

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.endpoints.front_door import AdmittedCall, FrontDoor
from rmz_async.sandbox.rules import products as rules
from rmz_async.sandbox.rules import uploads
from rmz_async.sandbox.shapes.products import category_row, full, list_row, upload_row, written
from rmz_async.sandbox.wire.answers import Success
from rmz_async.sandbox.wire.pagination import page_of
from rmz_async.sandbox.wire.routing import route

__all__ = ("ProductWrites", "categories", "get", "list_products", "routes")


def routes(backend: Backend, door: FrontDoor) -> list[Route]:
    """Return the paths and their handlers."""
    writes = ProductWrites(backend)
    return [
        route("/products", GET=door.lets_in(list_products), POST=door.lets_in(writes.create)),
        Route("/products/upload", door.lets_in(writes.upload), methods=["POST"]),
        route("/products/{id}", GET=door.lets_in(get), PUT=door.lets_in(writes.update)),
        Route("/categories", door.lets_in(categories)),
    ]


class ProductWrites:
    """Upload files, and make and replace products."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._store = backend.store

    def upload(self, call: AdmittedCall) -> Success:
        """Answer ``POST /products/upload``."""
        upload = uploads.keep(call.fields, call.file, self._store)
        self._backend.record("products.upload", upload.id, f"{upload.type} kept")
        return Success(upload_row(upload), "File uploaded successfully")

    def create(self, call: AdmittedCall) -> Success:
        """Answer ``POST /products``."""
        product = rules.make(call.fields, self._store, call.now)
        self._backend.record("products.create", product.id, "product made")
        return Success(
            written(product, self._store, call.now), "Product created successfully", status=201
        )

    def update(self, call: AdmittedCall) -> Success:
        """Answer ``PUT /products/{id}``."""
        product = call.named(self._store.products, "Product")
        rules.replace(product, call.fields, self._store, call.now)
        self._backend.record("products.update", product.id, "product replaced")
        return Success(written(product, self._store, call.now), "Product updated successfully")


def get(call: AdmittedCall) -> Success:
    """Answer ``GET /products/{id}``."""
    product = call.named(call.store.products, "Product")
    return Success(full(product, call.store, call.now))


def list_products(call: AdmittedCall) -> Success:
    """Answer ``GET /products``: all of them, also the disabled ones, by id."""
    page = page_of(
        [product for _, product in sorted(call.store.products.items())],
        lambda product: list_row(product, call.store, call.now),
        call.fields,
        call.address,
    )
    return Success(page)


def categories(call: AdmittedCall) -> Success:
    """Answer ``GET /categories``: all of them, by id."""
    page = page_of(
        [category for _, category in sorted(call.store.categories.items())],
        lambda category: category_row(category, call.store),
        call.fields,
        call.address,
    )
    return Success(page)
