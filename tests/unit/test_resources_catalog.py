from __future__ import annotations

from typing import Any

import pytest

from rmz_async import (
    Category,
    InvalidRequestError,
    Page,
    Product,
    Store,
    StoreStatistics,
    operations,
)
from rmz_async.resources.categories import Categories
from rmz_async.resources.products import Products
from rmz_async.resources.store import OwnStore

pytestmark = pytest.mark.anyio

LISTS: list[tuple[Any, Any, Any]] = [
    (Products, operations.PRODUCTS_LIST, Product),
    (Categories, operations.CATEGORIES_LIST, Category),
]

every_list = pytest.mark.parametrize(
    ("resource", "operation", "model"), LISTS, ids=["products", "categories"]
)


async def test_get_product_reads_by_id(recorder: Any) -> None:
    """A product is read by its id."""
    found = await recorder.make(Products).get(101)

    call = recorder.only
    assert found is recorder.answer
    assert (call.operation, call.returns) == (operations.PRODUCTS_GET, Product)
    assert (call.object_id, call.query, call.body, call.settlement) == (101, {}, None, None)


@pytest.mark.parametrize(
    "product_id", [0, -1, True, "101", "premium", 101.0, None, "../store", 2**63]
)
async def test_bad_ids_are_refused(recorder: Any, product_id: Any) -> None:
    """An id that could change the address is refused by name, a slug too; nothing is sent."""
    with pytest.raises(InvalidRequestError, match=r"^products\.get was not sent") as caught:
        await recorder.make(Products).get(product_id)

    assert caught.value.errors == {"id": ("must be a positive integer",)}
    assert recorder.calls == []


@every_list
async def test_lists(recorder: Any, resource: Any, operation: Any, model: Any) -> None:
    """A list is asked for when it is walked, from the page that was named."""
    lists = recorder.make(resource)
    pagers = [lists.list(), lists.list(page=3)]

    assert recorder.calls == []
    for pager in pagers:
        await pager.first()
    assert [call.query for call in recorder.calls] == [{"page": 1}, {"page": 3}]
    for call in recorder.calls:
        assert (call.operation, call.returns) == (operation, Page[model])
        assert (call.object_id, call.body, call.settlement) == (None, None, None)


@every_list
@pytest.mark.parametrize("page", [0, -1, True, "2", 2.0, None, 2**63])
async def test_bad_pages_are_refused(
    recorder: Any, resource: Any, operation: Any, model: Any, page: Any
) -> None:
    """A page is refused when the list is made."""
    with pytest.raises(InvalidRequestError, match=f"^{operation.name} was not sent") as caught:
        recorder.make(resource).list(page=page)

    assert caught.value.errors == {"page": ("must be a positive integer",)}


@pytest.mark.parametrize(
    ("method", "operation", "model"),
    [
        ("get", operations.STORE_GET, Store),
        ("statistics", operations.STORE_STATISTICS, StoreStatistics),
    ],
)
async def test_the_store_needs_no_id(
    recorder: Any, method: str, operation: Any, model: Any
) -> None:
    """The store is the token's, and needs no id."""
    found = await getattr(recorder.make(OwnStore), method)()

    call = recorder.only
    assert found is recorder.answer
    assert (call.operation, call.returns) == (operation, model)
    assert (call.object_id, call.query, call.body, call.settlement) == (None, {}, None, None)
