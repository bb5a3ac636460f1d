"""Payloads as PHP may write them: read, written, and read again."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmz_async import from_dict, models
from rmz_async._decoding import strict_json as _json
from rmz_async._decoding.converter import decode
from rmz_async.models import (
    Category,
    CompletedOrder,
    CreatedOrder,
    DuplicateOrder,
    Model,
    Order,
    PendingOrder,
    Product,
    Store,
    StoreStatistics,
    Subscription,
    SubscriptionLookup,
    SubscriptionSnapshot,
)
from rmz_async.pagination import Page
from rmz_async.webhooks import Event

TEXT = st.text(max_size=8)
# An address that is empty leads nowhere, and is refused.
ADDRESSES = st.text(min_size=1, max_size=8)
MONEY = st.decimals(-(10**9), 10**9, places=2) | st.integers(-(10**9), 10**9)
INTEGER = st.integers(0, 2**63 - 1)
UNKNOWN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | TEXT | MONEY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def digits_or(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[Any]:
    """An integer, or the string that MySQL makes of it."""
    return numbers | numbers.map(str)


INTEGERS = digits_or(INTEGER)
BOOLEANS = st.booleans() | st.sampled_from([0, 1, "0", "1"])
AMOUNTS = MONEY | MONEY.map(str)
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1))  # noqa: DTZ001 - PHP's have no zone
DATES = MOMENTS.map(lambda moment: moment.date().isoformat())
TIMES = st.one_of(
    DATES,
    MOMENTS.map(lambda moment: moment.strftime("%Y-%m-%d %H:%M:%S")),
    MOMENTS.map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")),
    st.tuples(MOMENTS, st.sampled_from(["+00:00", "+03:00", "-05:30"])).map(
        lambda pair: pair[0].isoformat() + pair[1]
    ),
)
STATUSES = st.sampled_from(list(models.SubscriptionStatus)).map(str) | TEXT
DURATIONS = st.sampled_from(list(models.Duration)).map(str) | TEXT
KEPT = TEXT | st.lists(UNKNOWN, max_size=2) | st.dictionaries(TEXT, UNKNOWN, max_size=2)
OBJECTS: st.SearchStrategy[Any] = st.dictionaries(TEXT, UNKNOWN, max_size=3) | st.just([])


def payload(
    required: dict[str, st.SearchStrategy[Any]], **optional: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    """An object with its required keys, some of the optional ones, nulls, and unknown keys."""
    known = {*required, *optional}
    unknown = st.dictionaries(
        st.text(max_size=6).filter(lambda key: key not in known) | st.just("extra"),
        UNKNOWN,
        max_size=2,
    )
    nullable = {key: st.none() | values for key, values in optional.items()}
    return st.builds(
        lambda extra, fields: extra | fields,
        unknown,
        st.fixed_dictionaries(required, optional=nullable),
    )


VARIANTS = payload({"id": INTEGERS}, duration=DURATIONS, duration_text=TEXT, price=AMOUNTS)
CUSTOMERS = payload(
    {"id": INTEGERS},
    name=TEXT,
    firstName=TEXT,
    lastName=TEXT,
    email=TEXT,
    country_code=TEXT | st.integers(1, 999),
    phone=TEXT | st.integers(0, 10**12),
)
SUBSCRIPTIONS = payload(
    {"id": INTEGERS, "status": STATUSES},
    external_customer_id=TEXT,
    starts_at=TIMES,
    ends_at=DATES,
    start_date=TIMES,
    end_date=DATES,
    current_period_start=TIMES,
    current_period_end=TIMES,
    trial_ends_at=TIMES,
    cancel_at_period_end=BOOLEANS,
    canceled_at=TIMES,
    paused_remaining_days=INTEGERS,
    duration=DURATIONS,
    order_id=INTEGERS,
    auto_renew=BOOLEANS,
    price=payload({"amount": AMOUNTS}, currency=TEXT, formatted=TEXT) | st.just([]),
    metadata=OBJECTS,
    product=payload({"id": INTEGERS}, name=TEXT, slug=TEXT, type=TEXT),
    variant=VARIANTS,
    payment_method=payload({}, last_four=TEXT, scheme=TEXT) | st.just([]),
    scheduled_variant=VARIANTS | st.just([]),
    features=KEPT,
    customer=CUSTOMERS,
    is_active=BOOLEANS,
    days_remaining=digits_or(st.integers(-400, 400)),
    created_at=TIMES,
)
SNAPSHOTS = payload(
    {"id": INTEGERS, "status": STATUSES},
    external_customer_id=TEXT,
    product_id=INTEGERS,
    product_name=TEXT,
    variant=VARIANTS,
    duration=DURATIONS,
    current_period_end=TIMES,
    auto_renew=BOOLEANS,
    metadata=OBJECTS,
    customer=CUSTOMERS,
)


def listed(rows: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Some of them, as a list or as the object that PHP makes of one with gaps."""
    lists = st.lists(rows, max_size=2)
    return lists | lists.map(lambda found: {str(place * 2): row for place, row in enumerate(found)})


LISTS = listed(SUBSCRIPTIONS)
LOOKUPS = payload({"count": INTEGERS, "has_active": BOOLEANS, "subscriptions": LISTS})
NUMBERS = digits_or(st.integers(-3, 12))
TYPES = st.sampled_from(list(models.ProductType)).map(str) | TEXT
CODES = payload(
    {"id": INTEGERS}, code=TEXT, order_product_id=INTEGERS, is_used=BOOLEANS, deleted_at=TIMES
)
CHANGES = payload({}, id=INTEGERS, status=NUMBERS, reason=TEXT, created_at=TIMES)
ORDERS = payload(
    {"id": INTEGERS},
    current_status=NUMBERS,
    total=AMOUNTS,
    tax_rate=AMOUNTS,
    prices_include_tax=BOOLEANS,
    seen_at=TIMES,
    meta=KEPT,
    human_format=OBJECTS,
    transaction=payload(
        {},
        id=INTEGERS,
        deserved=AMOUNTS,
        payment_data=KEPT,
        is_hold=BOOLEANS,
        human_format=OBJECTS,
    )
    | st.just([]),
    items=listed(
        payload(
            {"id": INTEGERS},
            quantity=INTEGERS,
            price=AMOUNTS,
            fields=KEPT,
            item=payload({"id": INTEGERS}, type=TYPES, price=AMOUNTS) | st.just([]),
            subscription=SUBSCRIPTIONS | st.just([]),
            codes=listed(CODES),
        )
    ),
    customer=CUSTOMERS | st.just([]),
    status=CHANGES,
    statuses=listed(CHANGES),
    created_at=TIMES,
)
CATEGORIES = payload(
    {"id": INTEGERS},
    slug=TEXT,
    metadata=OBJECTS,
    is_active=BOOLEANS,
    pivot=OBJECTS,
    created_at=TIMES,
)
PRODUCTS = payload(
    {"id": INTEGERS},
    type=TYPES,
    status=NUMBERS,
    price=AMOUNTS,
    discount_expiry=TIMES,
    fields=KEPT,
    license_config=KEPT,
    metadata=OBJECTS,
    is_new=BOOLEANS,
    codes=listed(CODES),
    image=payload({"id": INTEGERS}, metadata=OBJECTS, full_link=TEXT) | st.just([]),
    subscription_variants=listed(
        payload({"id": INTEGERS}, duration=DURATIONS, durationText=TEXT, price=AMOUNTS)
    ),
    categories=listed(CATEGORIES),
)
STORES = payload(
    {"id": INTEGERS},
    balance=AMOUNTS,
    activities=KEPT,
    settings=OBJECTS,
    is_maintenance=BOOLEANS,
    plan_expires_at=TIMES,
)
STATISTICS = payload({}, sales_total=AMOUNTS, sales_count=INTEGERS, duration=TEXT)
PENDING = payload({"checkout_id": INTEGERS, "checkout_url": ADDRESSES}, amount=AMOUNTS, status=TEXT)
COMPLETED = payload({"order_id": INTEGERS}, amount=AMOUNTS, status=TEXT)
DUPLICATES = payload(
    {"duplicate": st.sampled_from([True, 1, "1"])},
    checkout_id=INTEGERS,
    order_id=INTEGERS,
    checkout_url=ADDRESSES,
    amount=AMOUNTS,
)
PAYLOADS: list[tuple[type[Model], st.SearchStrategy[dict[str, Any]]]] = [
    (Subscription, SUBSCRIPTIONS),
    (SubscriptionSnapshot, SNAPSHOTS),
    (SubscriptionLookup, LOOKUPS),
    (Order, ORDERS),
    (Product, PRODUCTS),
    (Category, CATEGORIES),
    (Store, STORES),
    (StoreStatistics, STATISTICS),
    (PendingOrder, PENDING),
    (CompletedOrder, COMPLETED),
    (DuplicateOrder, DUPLICATES),
]


def written(value: Any) -> bytes:
    """The JSON of a payload, amounts as numbers with their very digits."""
    return json.dumps(_plain(value)).replace('"\\u0000', "").replace('\\u0000"', "").encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"\0{value}\0"
    if isinstance(value, dict):
        return {key.replace("\0", "0"): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.replace("\0", "0") if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("model", "payloads"), PAYLOADS, ids=lambda part: getattr(part, "__name__", "")
)
@given(data=st.data())
def test_nothing_is_lost(
    model: type[Model], payloads: st.SearchStrategy[dict[str, Any]], data: st.DataObject
) -> None:
    """Every payload is read, and survives JSON, a copy and a pickle, with each of its keys."""
    parsed = _json.parse(written(data.draw(payloads)))
    found = decode(parsed, model)
    plain = found.to_dict()

    assert from_dict(model, json.loads(json.dumps(plain))) == found
    assert pickle.loads(pickle.dumps(found)) == copy.deepcopy(found) == found  # noqa: S301 - our own bytes
    assert isinstance(hash(found), int)
    assert isinstance(parsed, dict)
    assert set(plain) >= set(parsed)


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.floats() | TEXT | TIMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
TARGETS: list[Any] = [
    Subscription,
    SubscriptionLookup,
    SubscriptionSnapshot,
    Event,
    Page[Subscription],
    models.CheckoutSession,
    models.PortalSession,
    Order,
    Product,
    Store,
    Page[Order],
    CreatedOrder,
]


@pytest.mark.parametrize("into", TARGETS, ids=str)
@given(data=st.data())
def test_decoding_raises_only_value_errors(into: Any, data: st.DataObject) -> None:
    """Any JSON is such an object or a ValueError, and nothing else."""
    try:
        decode(data.draw(ANYTHING), into)
    except ValueError:
        return


@given(SUBSCRIPTIONS, st.data())
def test_one_wrong_value_is_read_or_named(fields: dict[str, Any], data: st.DataObject) -> None:
    """A payload of which one value is anything is an object or a ValueError that names a path."""
    key = data.draw(st.sampled_from(sorted(fields)))
    try:
        decode({**fields, key: data.draw(ANYTHING)}, Subscription)
    except ValueError as error:
        assert " @ data" in str(error)  # noqa: PT017 - either is fine


@given(STATUSES)
def test_access_is_never_granted_by_an_unknown_status(status: str) -> None:
    """Three words grant access, and no other."""
    found = decode({"id": 1, "status": status}, Subscription)

    assert found.grants_access == (status in {"trialing", "active", "past_due"})


@given(PENDING | COMPLETED | DUPLICATES)
def test_an_order_to_be_paid_is_never_complete(data: dict[str, Any]) -> None:
    """An order with an address to pay at is not said to be done, for any other fields."""
    into: Any = CreatedOrder
    found = decode(data, into)

    if data.get("checkout_url") is not None:
        assert type(found) is not CompletedOrder
    if data.get("duplicate") in (True, 1, "1"):
        assert type(found) is DuplicateOrder
    assert set(found.to_dict()) >= set(data)


@given(NUMBERS)
def test_a_status_is_always_a_number(written: int | str) -> None:
    """A known one is the member, and any other the number that was written."""
    found = decode({"id": 1, "current_status": written}, Order).current_status

    assert found == int(written)
    assert isinstance(found, models.OrderStatus) == (1 <= int(written) <= 6)
