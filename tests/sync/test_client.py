from __future__ import annotations

import copy
import inspect
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from unittest.mock import MagicMock, create_autospec

import httpx
import pytest

import rmz_async
import rmz_sync
from rmz_async import errors
from tests.sync.conftest import HELD, MISSING, Shop

TOKEN = "1|secret-token"


@pytest.fixture
def client(shop: Shop) -> rmz_sync.Client:
    """A client of the shop; it starts nothing."""
    return rmz_sync.Client(TOKEN, base_url=shop.url)


def threads() -> list[threading.Thread]:
    """The threads of all clients."""
    return [thread for thread in threading.enumerate() if thread.name == "rmz-sync"]


def public(thing: object) -> set[str]:
    """The public names of an object."""
    return {name for name in dir(thing) if not name.startswith("_")}


def test_both_packages_export_the_same_names() -> None:
    """Both packages export the same names, for the same things save those that wait."""
    assert rmz_sync.__all__ == rmz_async.__all__
    different = {
        name for name in rmz_sync.__all__ if getattr(rmz_sync, name) is not getattr(rmz_async, name)
    }
    assert different == {"Client", "Pager", "Paywall", "paywall", "webhooks"}


def test_both_clients_take_the_same_options(client: rmz_sync.Client) -> None:
    """Both clients take the same options, and have the same methods and resources."""
    wrapped = rmz_async.Client(TOKEN)
    assert public(client) ^ public(wrapped) == {"close", "aclose"}
    for name in ("__init__", "with_options"):
        here, there = (getattr(kind, name) for kind in (rmz_sync.Client, rmz_async.Client))
        assert inspect.signature(here) == inspect.signature(there)


def test_both_clients_have_the_same_methods(client: rmz_sync.Client) -> None:
    """Every resource has the methods of the async one, with equal parameters and docstrings."""
    wrapped = rmz_async.Client(TOKEN)
    for name in public(client) - {"close", "with_options"}:
        here, there = getattr(client, name), getattr(wrapped, name)
        assert public(here) == public(there)
        for method in public(here):
            ours, theirs = getattr(here, method), getattr(there, method)
            assert inspect.signature(ours) == inspect.signature(theirs)
            assert ours.__doc__ == theirs.__doc__


def test_reads_writes_and_errors_reach_the_caller(shop: Shop, client: rmz_sync.Client) -> None:
    """Reads, writes and errors go through, to the last argument."""
    with client as entered:
        assert entered is client
        assert client.subscriptions.get(501).id == 501
        assert client.subscriptions.extend(501, days=7).status == "active"
        assert client.subscriptions.cancel(501, effective="immediate").id == 501
        assert client.subscriptions.pause(502).id == 502
        assert client.subscriptions.unpause(503).id == 503
        assert client.subscriptions.lookup(email="a@b.sa").count == 0
        portal = client.portal_sessions.create(customer=4501, expires_in=600)
        assert portal.url == "https://billing.rmz.gg/s/x"
        checkout = client.checkout_sessions.create(
            product_id=102,
            variant_id=15,
            customer=4501,
            success_url="https://app.example/ok",
            cancel_url="https://app.example/no",
        )
        assert checkout.session_id == "cs_1"
        with pytest.raises(errors.NotFoundError):
            client.subscriptions.get(MISSING)
        with pytest.raises(errors.InvalidRequestError):
            client.subscriptions.get(-1)
    assert [(method, path) for method, path, _ in shop.requests] == [
        ("GET", "/subscriptions/501"),
        ("POST", "/subscriptions/501/extend"),
        ("POST", "/subscriptions/501/cancel"),
        ("POST", "/subscriptions/502/pause"),
        ("POST", "/subscriptions/503/unpause"),
        ("GET", "/subscriptions/lookup?email=a%40b.sa"),
        ("POST", "/portal-sessions"),
        ("POST", "/subscriptions/checkout-sessions"),
        ("GET", f"/subscriptions/{MISSING}"),
    ]
    bodies = [body for _, _, body in shop.requests]
    assert bodies[1:3] == [{"days": 7}, {"effective": "immediate"}]
    assert bodies[6] == {"customer": {"id": 4501}, "expires_in": 600}


def test_calls_about_orders_pass_every_argument(shop: Shop, client: rmz_sync.Client) -> None:
    """Orders, products and the store go through as well, to the last argument."""
    with client:
        created = client.orders.create(
            created_from="app.example",
            products=[rmz_sync.OrderLine(product="gift-card", options={"length": 1.5})],
            customer=4501,
            coupon_code="SAVE10",
        )
        assert isinstance(created, rmz_sync.PendingOrder)
        client.orders.update(78901, status=rmz_sync.OrderStatus.COMPLETED)
        assert client.orders.get(78901).current_status is rmz_sync.OrderStatus.COMPLETED
        assert client.products.get(101).type is rmz_sync.ProductType.CODE
        assert client.store.get().id == 7
        assert client.store.statistics().sales_count == 342
        with pytest.raises(errors.InvalidRequestError, match="products must be a list"):
            client.orders.create(created_from="app.example", products=[])
    assert [(method, path) for method, path, _ in shop.requests] == [
        ("POST", "/orders"),
        ("PUT", "/orders/78901"),
        ("GET", "/orders/78901"),
        ("GET", "/products/101"),
        ("GET", "/store"),
        ("GET", "/store/statics"),
    ]
    assert [body for _, _, body in shop.requests[:2]] == [
        {
            "customer": {"id": 4501},
            "created_from": "app.example",
            "products": [
                {
                    "identifier_type": "slug",
                    "identifier": "gift-card",
                    "quantity": 1,
                    "options": {"length": 1.5},
                }
            ],
            "coupon_code": "SAVE10",
        },
        {"status": 4},
    ]


def test_other_lists(shop: Shop, client: rmz_sync.Client) -> None:
    """Every list is walked, with its filters on each page, and refused before it is."""
    with client:
        orders = client.orders.list(
            created_from=date(2024, 1, 1),
            created_to=date(2024, 1, 31),
            order_by="total",
            order_direction="asc",
            page=2,
        )
        assert [order.id for order in orders] == [20, 21, 30, 31]
        assert [product.id for product in client.products.list(page=3)] == [30, 31]
        assert client.categories.list().first().items[1].id == 11
        with pytest.raises(errors.InvalidRequestError, match="orderBy must be"):
            client.orders.list(order_by="name")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # the very mistake
    query = "created_from=2024-01-01&created_to=2024-01-31&orderBy=total&orderDirection=asc"
    assert [path for _, path, _ in shop.requests] == [
        f"/orders?page=2&{query}",
        f"/orders?page=3&{query}",
        "/products?page=3",
        "/categories?page=1",
    ]


def test_a_list_is_walked_from_its_page_to_the_last(shop: Shop, client: rmz_sync.Client) -> None:
    """A list is walked over all its pages, from the page that was asked for."""
    with client:
        assert [found.id for found in client.subscriptions.list()] == [10, 11, 20, 21, 30, 31]
        assert client.subscriptions.list(page=2).first().items[0].id == 20
    assert [path for _, path, _ in shop.requests] == [
        f"/subscriptions?page={page}" for page in (1, 2, 3, 2)
    ]


def test_nothing_starts_by_itself(client: rmz_sync.Client) -> None:
    """A client has no thread before its first call, and none after it was closed."""
    assert threads() == []
    client.subscriptions.get(1)
    assert len(threads()) == 1
    client.close()
    assert threads() == []


def test_a_closed_client_says_so(client: rmz_sync.Client) -> None:
    """A closed client says so, and can be closed again."""
    client.close()
    client.close()
    with pytest.raises(errors.ConfigurationError, match="closed"):
        client.subscriptions.get(1)


def test_a_dropped_client_takes_its_thread_along(shop: Shop) -> None:
    """A client without a reference takes its thread along."""
    client = rmz_sync.Client(TOKEN, base_url=shop.url)
    client.subscriptions.get(1)
    (thread,) = threads()
    del client
    thread.join(10)
    assert not thread.is_alive()


def test_a_copy_works_in_the_same_thread_and_closes_nothing(client: rmz_sync.Client) -> None:
    """A copy works in the same thread with options of its own, and closing it closes nothing."""
    with client:
        client.subscriptions.get(1)
        hasty = client.with_options(timeout=0.05, retry=rmz_sync.RetryPolicy(max_attempts=1))
        assert hasty.subscriptions.get(2).id == 2
        with pytest.raises(errors.ConnectionFailedError):
            hasty.subscriptions.get(HELD)
        hasty.close()
        assert hasty.subscriptions.get(3).id == 3
        assert len(threads()) == 1
    with pytest.raises(errors.ConfigurationError, match="closed"):
        hasty.subscriptions.get(4)


def test_many_threads_share_a_client(shop: Shop) -> None:
    """Sixteen threads share one client, and each gets its own answers."""
    # More of them than RMZ takes in a minute.
    client = rmz_sync.Client(TOKEN, base_url=shop.url, pacing=None)
    with client, ThreadPoolExecutor(16) as pool:
        numbers = list(range(1, 161))
        assert [found.id for found in pool.map(client.subscriptions.get, numbers)] == numbers


def test_a_token_provider_that_calls_its_own_client_is_refused(shop: Shop) -> None:
    """A token provider that calls its own client gets a clear error, and not a deadlock."""
    asked: list[rmz_sync.Client] = []

    def provide() -> str:
        return str(asked[0].subscriptions.get(1).id)

    asked.append(rmz_sync.Client(provide, base_url=shop.url))
    with asked[0] as client, pytest.raises(errors.ConfigurationError, match="its own thread"):
        client.subscriptions.get(1)


@pytest.mark.parametrize("used", [True, False])
def test_a_users_http_client_is_closed_in_its_thread(shop: Shop, used: bool) -> None:
    """A client of the user's own is used, and closed in the thread that it was used in."""
    http = httpx.AsyncClient()
    with rmz_sync.Client(TOKEN, base_url=shop.url, http=http) as client:
        if used:
            client.subscriptions.get(1)
    assert http.is_closed == used


def test_a_client_is_neither_pickled_nor_copied(client: rmz_sync.Client) -> None:
    """A client refuses to be pickled or copied, and says why."""
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            attempt(client)


def test_a_client_shows_its_base_url_and_no_token(shop: Shop, client: rmz_sync.Client) -> None:
    """A client shows its base URL and nothing of its token."""
    assert shop.url in repr(client)
    assert "secret" not in repr(client)


def test_options_are_checked_at_once() -> None:
    """Wrong options are refused by the constructor, before any thread."""
    with pytest.raises(errors.ConfigurationError, match="base_url"):
        rmz_sync.Client(TOKEN, base_url="http://example.com")
    assert threads() == []


def test_a_mock_of_the_client_has_its_resources() -> None:
    """The mock has the methods, and their signatures."""
    strict = create_autospec(rmz_sync.Client)
    strict.subscriptions.get(501)
    with pytest.raises(TypeError):
        strict.subscriptions.get(501, no_such_option=True)
    assert hasattr(MagicMock(spec=rmz_sync.Client), "orders")
