"""A row for each call: how the client makes it, what goes over the wire, what it returns.

The tests of every kind read these rows, so a new call is described here once. The example of an
answer is the first one that ``docs/openapi.yaml`` shows for the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial
from io import BytesIO
from typing import Any

from rmz_async import (
    Category,
    CheckoutSession,
    CreatedOrder,
    Media,
    MediaKind,
    NewCustomer,
    Order,
    OrderLine,
    OrderStatus,
    Pager,
    PhoneNumber,
    PortalSession,
    Product,
    Store,
    StoreStatistics,
    Subscription,
    SubscriptionLookup,
    operations,
)
from tests import new_products
from tests.endpoint import Endpoint, Request

NOURA = NewCustomer(
    country_code="+966",
    phone="555010203",
    first_name="نورة",
    last_name="القحطاني",
    email="noura@majlis.example",
)
NOURA_SENT = {
    "country_code": "966",
    "phone": "555010203",
    "firstName": "نورة",
    "lastName": "القحطاني",
    "email": "noura@majlis.example",
}
PHONE = PhoneNumber(country_code="+966", phone="555010203")
PHONE_SENT = {"country_code": "966", "phone": "555010203"}
OK, NO = "https://majlis.example/ok?x=1", "https://majlis.example/no"
LINE = {"identifier_type": "id", "identifier": 106, "quantity": 1}
PLAN = {"product_id": 102, "variant_id": 15, "success_url": OK, "cancel_url": NO}


def _create_product(given: Mapping[str, Any], rmz: Any, _: int) -> Any:
    return rmz.products.create(**given)


def _update_product(given: Mapping[str, Any], rmz: Any, number: int) -> Any:
    return rmz.products.update(number, **given)


ENDPOINTS = (
    Endpoint(
        operation=operations.CHECKOUT_SESSIONS_CREATE,
        returns=CheckoutSession,
        requests=(
            Request(
                make=lambda rmz, _: rmz.checkout_sessions.create(**PLAN, customer=4501),
                body={**PLAN, "customer": {"id": 4501}},
            ),
            Request(
                make=lambda rmz, _: rmz.checkout_sessions.create(
                    **PLAN,
                    customer=NOURA,
                    metadata={"team": "falcons", "seats": "3"},
                    external_customer_id="usr_abc123",
                ),
                body={
                    **PLAN,
                    "customer": NOURA_SENT,
                    "metadata": {"team": "falcons", "seats": "3"},
                    "external_customer_id": "usr_abc123",
                },
            ),
        ),
    ),
    Endpoint(
        operation=operations.PORTAL_SESSIONS_CREATE,
        returns=PortalSession,
        requests=(
            Request(
                make=lambda rmz, _: rmz.portal_sessions.create(customer=4501),
                body={"customer": {"id": 4501}},
            ),
            Request(
                make=lambda rmz, _: rmz.portal_sessions.create(
                    customer=PHONE, return_url="https://majlis.example", expires_in=300
                ),
                body={
                    "customer": PHONE_SENT,
                    "return_url": "https://majlis.example",
                    "expires_in": 300,
                },
            ),
        ),
    ),
    Endpoint(
        operation=operations.SUBSCRIPTIONS_GET,
        returns=Subscription,
        requests=(Request(make=lambda rmz, number: rmz.subscriptions.get(number)),),
    ),
    Endpoint(
        operation=operations.SUBSCRIPTIONS_LIST,
        returns=Pager[Subscription],
        requests=(
            Request(make=lambda rmz, page: rmz.subscriptions.list(page=page).first()),
            Request(
                make=lambda rmz, page: rmz.subscriptions.list(
                    customer_email="noura@majlis.example",
                    customer_phone="555010203",
                    customer_country_code="+966",
                    page=page,
                ).first(),
                query={
                    "customerEmail": "noura@majlis.example",
                    "customerPhone": "555010203",
                    "customerCountryCode": "966",
                },
            ),
        ),
    ),
    Endpoint(
        operation=operations.SUBSCRIPTIONS_LOOKUP,
        returns=SubscriptionLookup,
        requests=(
            Request(
                make=lambda rmz, _: rmz.subscriptions.lookup(email="noura@majlis.example"),
                query={"email": "noura@majlis.example"},
            ),
            Request(
                make=lambda rmz, _: rmz.subscriptions.lookup(
                    external_customer_id="usr/1&2",
                    email="noura@majlis.example",
                    phone=PHONE,
                    product_id=102,
                    include_inactive=True,
                ),
                query={
                    "external_customer_id": "usr/1&2",
                    "email": "noura@majlis.example",
                    **PHONE_SENT,
                    "product_id": "102",
                    "include_inactive": "1",
                },
            ),
        ),
    ),
    Endpoint(
        operation=operations.SUBSCRIPTIONS_CANCEL,
        returns=Subscription,
        requests=(
            Request(
                make=lambda rmz, number: rmz.subscriptions.cancel(number),
                body={"effective": "end_of_period"},
            ),
            Request(
                make=lambda rmz, number: rmz.subscriptions.cancel(number, effective="immediate"),
                body={"effective": "immediate"},
            ),
        ),
    ),
    Endpoint(
        operation=operations.SUBSCRIPTIONS_PAUSE,
        returns=Subscription,
        requests=(Request(make=lambda rmz, number: rmz.subscriptions.pause(number)),),
    ),
    Endpoint(
        operation=operations.SUBSCRIPTIONS_UNPAUSE,
        returns=Subscription,
        requests=(Request(make=lambda rmz, number: rmz.subscriptions.unpause(number)),),
    ),
    Endpoint(
        operation=operations.SUBSCRIPTIONS_EXTEND,
        returns=Subscription,
        requests=(
            Request(
                make=lambda rmz, number: rmz.subscriptions.extend(number, days=365),
                body={"days": 365},
            ),
            Request(
                make=lambda rmz, number: rmz.subscriptions.extend(
                    Subscription(id=number, status="active"), months=24
                ),
                body={"months": 24},
            ),
        ),
    ),
    Endpoint(
        operation=operations.ORDERS_CREATE,
        returns=CreatedOrder,
        requests=(
            Request(
                make=lambda rmz, _: rmz.orders.create(
                    created_from="majlis.example", products=[OrderLine(product=106)]
                ),
                body={
                    "created_from": "majlis.example",
                    "products": [LINE],
                },
            ),
            Request(
                make=lambda rmz, _: rmz.orders.create(
                    created_from="majlis.example", customer=4501, products=[OrderLine(product=106)]
                ),
                body={
                    "customer": {"id": 4501},
                    "created_from": "majlis.example",
                    "products": [LINE],
                },
            ),
            Request(
                make=lambda rmz, _: rmz.orders.create(
                    created_from="majlis.example",
                    customer=NOURA,
                    coupon_code="SAVE10",
                    products=[
                        OrderLine(product=106, quantity=2, options={"size": "L"}, notice="رسالة"),
                        OrderLine(product="majlis-pro", plan=15),
                    ],
                ),
                body={
                    "customer": NOURA_SENT,
                    "created_from": "majlis.example",
                    "products": [
                        {
                            "identifier_type": "id",
                            "identifier": 106,
                            "quantity": 2,
                            "options": {"size": "L"},
                            "notice": "رسالة",
                        },
                        {
                            "identifier_type": "slug",
                            "identifier": "majlis-pro",
                            "quantity": 1,
                            "subscription_plan": 15,
                        },
                    ],
                    "coupon_code": "SAVE10",
                },
            ),
        ),
    ),
    Endpoint(
        operation=operations.ORDERS_GET,
        returns=Order,
        requests=(Request(make=lambda rmz, number: rmz.orders.get(number)),),
    ),
    Endpoint(
        operation=operations.ORDERS_LIST,
        returns=Pager[Order],
        requests=(
            Request(
                make=lambda rmz, page: rmz.orders.list(page=page).first(),
                query={"orderBy": "id", "orderDirection": "desc"},
            ),
            Request(
                make=lambda rmz, page: rmz.orders.list(
                    created_from=date(2026, 5, 1),
                    created_to=date(2026, 5, 31),
                    order_by="total",
                    order_direction="asc",
                    page=page,
                ).first(),
                query={
                    "created_from": "2026-05-01",
                    "created_to": "2026-05-31",
                    "orderBy": "total",
                    "orderDirection": "asc",
                },
            ),
        ),
    ),
    Endpoint(
        operation=operations.ORDERS_UPDATE,
        returns=type(None),
        requests=(
            Request(
                make=lambda rmz, number: rmz.orders.update(number, status=OrderStatus.COMPLETED),
                body={"status": 4},
            ),
        ),
    ),
    Endpoint(
        operation=operations.PRODUCTS_GET,
        returns=Product,
        requests=(Request(make=lambda rmz, number: rmz.products.get(number)),),
    ),
    Endpoint(
        operation=operations.PRODUCTS_LIST,
        returns=Pager[Product],
        requests=(Request(make=lambda rmz, page: rmz.products.list(page=page).first()),),
    ),
    Endpoint(
        operation=operations.PRODUCTS_CREATE,
        returns=Product,
        requests=tuple(
            Request(make=partial(_create_product, given), body=body)
            for given, body in new_products.CREATED
        ),
    ),
    Endpoint(
        operation=operations.PRODUCTS_UPDATE,
        returns=Product,
        requests=tuple(
            Request(make=partial(_update_product, given), body=body)
            for given, body in new_products.UPDATED
        ),
    ),
    Endpoint(
        operation=operations.PRODUCTS_UPLOAD,
        returns=Media,
        requests=(
            Request(
                make=lambda rmz, _: rmz.products.upload(b"PNG", kind="image", name="شاي.png"),
                query={"type": "image"},
                body={"file": "PNG"},
            ),
            Request(
                make=lambda rmz, _: rmz.products.upload(
                    BytesIO(b"ZIP"), kind=MediaKind.FILE, name="a.zip", mime_type="application/zip"
                ),
                query={"type": "file"},
                body={"file": "ZIP"},
            ),
        ),
    ),
    Endpoint(
        operation=operations.CATEGORIES_LIST,
        returns=Pager[Category],
        requests=(Request(make=lambda rmz, page: rmz.categories.list(page=page).first()),),
    ),
    Endpoint(
        operation=operations.STORE_GET,
        returns=Store,
        requests=(Request(make=lambda rmz, _: rmz.store.get()),),
    ),
    Endpoint(
        operation=operations.STORE_STATISTICS,
        returns=StoreStatistics,
        requests=(Request(make=lambda rmz, _: rmz.store.statistics()),),
    ),
)

BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}
RESOURCES = tuple(dict.fromkeys(endpoint.resource for endpoint in ENDPOINTS))
LISTS = tuple(endpoint for endpoint in ENDPOINTS if endpoint.is_list)
REQUESTS = tuple((endpoint, request) for endpoint in ENDPOINTS for request in endpoint.requests)
REQUEST_IDS = tuple(
    f"{endpoint.name}-{index}"
    for endpoint in ENDPOINTS
    for index, _ in enumerate(endpoint.requests, 1)
)
