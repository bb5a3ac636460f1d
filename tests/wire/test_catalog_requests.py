"""Products, categories and the store: the documented requests, and lists to their end."""

from __future__ import annotations

import gc
import pickle
from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx

from rmz_async import (
    AuthenticationError,
    NotFoundError,
    OrderStatus,
    PermissionDeniedError,
    ProductType,
    ServerError,
    UnexpectedAnswerError,
)
from tests import endpoints

pytestmark = pytest.mark.anyio

PRODUCT = {
    "id": 101,
    "name": "Premium License",
    "slug": "premium-license",
    "type": "code",
    "price": 49.99,
    "status": 1,
    "fields": [],
    "metadata": None,
    "current_stock": 25,
    "codes": [{"id": 301, "code": "XXXX-YYYY", "product_id": 101, "order_product_id": None}],
    "image": {"id": 201, "full_link": "https://cdn.rmz.gg/x.png"},
    "subscription_variants": [{"id": 15, "durationText": "شهر", "price": 19.90}],
    "categories": [{"id": 1, "title": "Software", "pivot": {"product_id": 101}}],
}
LISTS = [endpoint.operation.path for endpoint in endpoints.LISTS]

every_list = pytest.mark.parametrize("path", LISTS)


def answer(data: object, status: int = 200) -> httpx.Response:
    """Return a body as RMZ wraps every success."""
    envelope = {"message": None, "data": data, "api": "rmz.shawarma", "timestamp": 1780000000}
    return httpx.Response(status, json=envelope)


def sent(route: respx.Route) -> httpx.Request:
    """The one request that a route got."""
    (call,) = route.calls
    request: httpx.Request = call.request
    return request


def pager_of(rmz: Any, path: str, **filters: Any) -> Any:
    """The list behind a path."""
    return getattr(rmz, path.strip("/")).list(**filters)


def page_of(path: str, number: int, *ids: int, last: bool = False) -> httpx.Response:
    """A page of what the path lists, with no more than it needs."""
    needed = {"status": "active"} if path == "/subscriptions" else {}
    items = [{"id": one, **needed} for one in ids]
    more = None if last else "https://elsewhere.example/"
    return answer({"current_page": number, "data": items, "next_page_url": more, "per_page": 15})


def asked(route: respx.Route) -> list[str]:
    """The pages that were asked for, in order."""
    return [call.request.url.params["page"] for call in route.calls]


async def test_get_product_reads_its_parts(rmz_api: respx.MockRouter, make_client: Any) -> None:
    """A product is read with its parts, and its codes are not shown."""
    route = rmz_api.get("/products/101").mock(return_value=answer(PRODUCT))
    async with make_client() as rmz:
        product = await rmz.products.get(101)
    assert (sent(route).content, sent(route).url.query) == (b"", b"")
    assert product.type is ProductType.CODE
    assert product.price == Decimal("49.99")
    assert product.codes[0].code == "XXXX-YYYY"
    assert "XXXX-YYYY" not in repr(product)
    assert product.image.full_link == "https://cdn.rmz.gg/x.png"
    assert product.subscription_variants[0].duration_text == "شهر"
    assert product.categories[0].pivot == {"product_id": 101}


async def test_get_store_keeps_unknown_keys(rmz_api: respx.MockRouter, make_client: Any) -> None:
    """The store is read, with whatever else RMZ sends of it."""
    data = {"id": 7, "balance": "0.00", "social": [], "ratio": "4.500", "is_gold": True}
    route = rmz_api.get("/store").mock(return_value=answer(data))
    async with make_client() as rmz:
        store = await rmz.store.get()
    assert str(sent(route).url) == "https://merchant-api.rmz.gg/shawarma/store"
    assert (str(store.balance), str(store.ratio), store.social) == ("0.00", "4.500", {})
    assert store.extra == {"is_gold": True}


async def test_get_statistics_reads_exact_numbers(
    rmz_api: respx.MockRouter, make_client: Any
) -> None:
    """The numbers have RMZ's own spelling of their address."""
    data = {"sales_total": 125750.50, "sales_count": 342, "duration": "lifetime"}
    route = rmz_api.get("/store/statics").mock(return_value=answer(data))
    async with make_client() as rmz:
        numbers = await rmz.store.statistics()
    assert str(sent(route).url) == "https://merchant-api.rmz.gg/shawarma/store/statics"
    assert numbers.sales_total == Decimal("125750.5")
    assert numbers.sales_count == 342


REFUSAL = {"message": "no", "data": None, "error": True}


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, AuthenticationError), (403, PermissionDeniedError), (404, NotFoundError)],
)
async def test_refusals_name_their_call(
    rmz_api: respx.MockRouter, make_client: Any, status: int, error: type[Exception]
) -> None:
    """A caller that may not read learns so, and of which call."""
    rmz_api.get(url__regex=".*").mock(return_value=httpx.Response(status, json=REFUSAL))
    async with make_client() as rmz:
        for name, call in {
            "orders.get": rmz.orders.get(1),
            "products.get": rmz.products.get(1),
            "products.list": rmz.products.list().first(),
            "categories.list": rmz.categories.list().first(),
            "store.get": rmz.store.get(),
            "store.statistics": rmz.store.statistics(),
        }.items():
            with pytest.raises(error, match=f"^{name}: "):
                await call


@every_list
async def test_a_list_to_its_end(rmz_api: respx.MockRouter, make_client: Any, path: str) -> None:
    """Each page is asked for once, when its items are needed."""
    pages = [page_of(path, 1, 10, 11), page_of(path, 2, 20), page_of(path, 3, 30, last=True)]
    route = rmz_api.get(path).mock(side_effect=pages)
    async with make_client() as rmz:
        walk = aiter(pager_of(rmz, path))
        assert not route.calls
        assert [(await anext(walk)).id, (await anext(walk)).id] == [10, 11]
        assert asked(route) == ["1"]
        assert [item.id async for item in walk] == [20, 30]
    assert asked(route) == ["1", "2", "3"]


@every_list
async def test_pages_come_from_the_one_named(
    rmz_api: respx.MockRouter, make_client: Any, path: str
) -> None:
    """Pages come as they are, from the one that was named."""
    route = rmz_api.get(path).mock(
        side_effect=[page_of(path, 2, 20), page_of(path, 3, 30, last=True)]
    )
    async with make_client() as rmz:
        pages = [page async for page in pager_of(rmz, path, page=2).pages()]
    assert [(page.number, page.has_next, page.items[0].id) for page in pages] == [
        (2, True, 20),
        (3, False, 30),
    ]
    assert asked(route) == ["2", "3"]


@every_list
async def test_the_first_page_is_one_request(
    rmz_api: respx.MockRouter, make_client: Any, path: str
) -> None:
    """A single page is a single request."""
    route = rmz_api.get(path).mock(return_value=page_of(path, 1, 10, 11))
    async with make_client() as rmz:
        page = await pager_of(rmz, path).first()
    assert [item.id for item in page.items] == [10, 11]
    assert asked(route) == ["1"]


@every_list
async def test_a_failed_page_is_named_and_asked_for_again(
    rmz_api: respx.MockRouter, make_client: Any, path: str
) -> None:
    """The error names the page, and the same walk goes on there: nothing twice, nothing lost."""
    failure = httpx.Response(500, json={"message": "Server Error"})
    rmz_api.get(path).mock(
        side_effect=[
            page_of(path, 1, 10),
            failure,
            failure,
            failure,
            page_of(path, 2, 20, last=True),
        ]
    )
    async with make_client() as rmz:
        walk = aiter(pager_of(rmz, path))
        assert (await anext(walk)).id == 10
        with pytest.raises(ServerError) as caught:
            await anext(walk)
        assert [item.id async for item in walk] == [20]
    twin = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert twin.page == caught.value.page == 2
    assert "go on with page=2" in twin.__notes__[0]


@every_list
async def test_an_unreadable_page_is_named(
    rmz_api: respx.MockRouter, make_client: Any, path: str
) -> None:
    """A page of another shape is named too."""
    rmz_api.get(path).mock(return_value=answer({"current_page": 5, "data": [{"id": "x"}]}))
    async with make_client() as rmz:
        with pytest.raises(UnexpectedAnswerError, match="expected an integer") as caught:
            await pager_of(rmz, path, page=5).first()
    assert caught.value.page == 5


@every_list
async def test_the_same_page_again_is_an_error(
    rmz_api: respx.MockRouter, make_client: Any, path: str
) -> None:
    """The same page again is an error: its items would be taken for other ones."""
    rmz_api.get(path).mock(return_value=page_of(path, 1, 10))
    async with make_client() as rmz:
        walk = aiter(pager_of(rmz, path))
        assert (await anext(walk)).id == 10
        with pytest.raises(UnexpectedAnswerError, match="page 1 came back") as caught:
            await anext(walk)
    assert caught.value.page == 2


@every_list
async def test_a_walk_may_be_left_at_any_item(
    rmz_api: respx.MockRouter, make_client: Any, path: str
) -> None:
    """A walk may be left at any item: nothing has to be closed, and there is no warning."""
    rmz_api.get(path).mock(return_value=page_of(path, 1, 10, 11))
    async with make_client() as rmz:
        async for item in pager_of(rmz, path):
            assert item.id == 10
            break
        async for page in pager_of(rmz, path).pages():
            assert page.has_next
            break
    gc.collect()


async def test_an_unknown_status_does_not_stop_a_walk(
    rmz_api: respx.MockRouter, make_client: Any
) -> None:
    """A status that RMZ has grown does not stop a walk."""
    orders = [
        {"id": number, "current_status": status} for number, status in ((1, 4), (2, "5"), (3, 9))
    ]
    data = {"current_page": 1, "data": orders, "next_page_url": None}
    rmz_api.get("/orders").mock(return_value=answer(data))
    async with make_client() as rmz:
        found = [order.current_status async for order in rmz.orders.list()]
    assert found == [OrderStatus.COMPLETED, OrderStatus.CANCELLED, 9]
    assert type(found[2]) is int
