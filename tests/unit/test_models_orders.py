"""Orders and products: open numbers, open words, exact amounts, and what is not shown."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from rmz_async import Order, OrderStatus, Product, ProductStatus, ProductType, Store
from rmz_async._decoding import strict_json as _json
from rmz_async._decoding.converter import decode
from rmz_async.models import (
    Category,
    Code,
    OrderedProduct,
    OrderItem,
    OrderStatusChange,
    ProductVariant,
    StoreStatistics,
    Transaction,
)
from tests.unit.payloads import CODE, ITEM, ORDER, PLAN, PRODUCT, TRANSACTION


def order(**fields: Any) -> Order:
    """An order with these keys on the wire."""
    return decode({"id": 78901, **fields}, Order)


def test_the_six_states_have_rmzs_numbers() -> None:
    """There are six, with the numbers that RMZ gives them."""
    assert {member.name: member.value for member in OrderStatus} == {
        "AWAITING_PAYMENT": 1,
        "UNDER_REVIEW": 2,
        "IN_PROGRESS": 3,
        "COMPLETED": 4,
        "CANCELLED": 5,
        "REFUNDED": 6,
    }


@pytest.mark.parametrize("member", OrderStatus)
def test_a_known_status_is_the_member(member: OrderStatus) -> None:
    """As a number or as the string that MySQL makes of it, and in an order's history too."""
    for wire in (member.value, str(member.value)):
        assert order(current_status=wire).current_status is member
        assert decode({"status": wire}, OrderStatusChange).status is member


@pytest.mark.parametrize(("wire", "number"), [(7, 7), (0, 0), ("99", 99), (-1, -1)])
def test_an_unknown_status_is_the_number(wire: object, number: int) -> None:
    """A status that is new at RMZ is kept as a plain number, and comes back as one."""
    found = order(current_status=wire)

    assert type(found.current_status) is int
    assert found.current_status == number
    assert found.to_dict()["current_status"] == number


def test_a_known_status_becomes_a_plain_number_again() -> None:
    """``to_dict`` has no member of ours in it."""
    assert type(order(current_status=4).to_dict()["current_status"]) is int


@pytest.mark.parametrize("wire", [True, False, "completed", "", 4.0, Decimal("4.5"), [4], {}])
def test_a_boolean_is_no_status(wire: object) -> None:
    """True is no number, though Python takes it for 1: the order would await its payment."""
    assert order(current_status=wire).current_status is None
    assert order(current_status=wire).unreadable == {"current_status": wire}
    assert decode({"id": 1, "status": wire}, Product).unreadable == {"status": wire}


@pytest.mark.parametrize(("wire", "status"), [(1, ProductStatus.ACTIVE), ("3", 3), (2, 2)])
def test_an_unknown_product_status_is_kept(wire: object, status: int) -> None:
    """Two are known, and any other number is kept."""
    found = decode({"id": 1, "status": wire}, Product).status

    assert found == status
    assert isinstance(found, ProductStatus) == (status != 2)


def test_there_are_eight_types_of_products() -> None:
    """Six that the products have, and two that only webhooks name."""
    assert [member.value for member in ProductType] == [
        "product",
        "code",
        "service",
        "subscription",
        "course",
        "license",
        "file",
        "card",
    ]


@pytest.mark.parametrize("member", ProductType)
def test_a_known_type_is_the_member(member: ProductType) -> None:
    """The type of a product, and of what was ordered, is a member."""
    assert decode({"id": 1, "type": member.value}, Product).type is member
    assert decode({"id": 1, "type": member.value}, OrderedProduct).type is member


@pytest.mark.parametrize("wire", ["bundle", "", "CODE"])
def test_an_unknown_type_is_the_text(wire: str) -> None:
    """A new type is no error."""
    assert type(decode({"id": 1, "type": wire}, Product).type) is str


@pytest.mark.parametrize("wire", [1.5, True, [], {}])
def test_a_type_must_be_a_string(wire: object) -> None:
    """A type is a string."""
    found = decode({"id": 1, "type": wire}, Product)

    assert found.type is None
    assert found.unreadable == {"type": wire}


def test_a_type_in_digits_is_a_type() -> None:
    """PHP writes a string of digits as a number."""
    assert decode({"id": 1, "type": 7}, Product).type == "7"


MONEY: list[tuple[Any, tuple[str, ...]]] = [
    (Order, ("total", "discount_amount", "cost", "tax_rate", "tax_amount")),
    (OrderItem, ("price",)),
    (OrderedProduct, ("price", "actual_price")),
    (Transaction, ("total", "deserved", "platform_fees")),
    (Product, ("price", "discount_price", "actual_price", "discount_savings_amount")),
    (ProductVariant, ("price",)),
    (Store, ("balance", "ratio")),
    (StoreStatistics, ("sales_total",)),
]


@pytest.mark.parametrize("written", ["299.99", "0.10", '"149.00"', "9007199254740993.01", "0"])
@pytest.mark.parametrize(
    ("model", "name"), [(model, name) for model, names in MONEY for name in names]
)
def test_all_money_is_exact(model: Any, name: str, written: str) -> None:
    """Every amount has the very digits that RMZ wrote, as a number or as a string."""
    found = decode(_json.parse(f'{{"id": 1, "{name}": {written}}}'.encode()), model)

    assert type(getattr(found, name)) is Decimal
    assert str(getattr(found, name)) == written.strip('"')


@pytest.mark.parametrize(
    "model", [Order, OrderItem, OrderedProduct, Product, Code, Category, Store]
)
def test_only_the_id_is_needed(model: Any) -> None:
    """Lists and webhooks leave other keys out; they are then None."""
    found = decode({"id": 1}, model)

    assert found == model(id=1)
    with pytest.raises(ValueError, match=r"^required field missing @ data\.id$"):
        decode({}, model)


@pytest.mark.parametrize("model", [Transaction, OrderStatusChange, StoreStatistics])
def test_nothing_is_needed(model: Any) -> None:
    """An object that only belongs to another may leave out anything."""
    assert decode({}, model) == model()


def test_an_order_of_a_list_has_no_items() -> None:
    """An order of a list has no items, which is not the same as none."""
    found = order(total=Decimal("299.99"), transaction={"id": 5001, "payment_method": "dokanpay"})

    assert found.items is None
    assert order(items=[]).items == ()
    assert found.transaction is not None
    assert found.transaction.deserved is None


def test_an_orders_items_are_no_method() -> None:
    """A field is called so; a model is no mapping."""
    found = order(items=[{"id": 1, "quantity": 2}])

    assert found.items is not None
    assert [item.quantity for item in found.items] == [2]
    assert found.to_dict()["items"][0]["quantity"] == 2


def test_the_label_with_a_dot_is_kept() -> None:
    """A key of a transaction's labels has a dot, and is kept so."""
    found = decode({"human_format": {"payment.method": "بطاقة"}}, Transaction)

    assert found.human_format == {"payment.method": "بطاقة"}


def test_the_label_of_a_plan_keeps_rmzs_spelling() -> None:
    """RMZ writes this one name in another way."""
    found = decode({"id": 1, "durationText": "شهر"}, ProductVariant)

    assert found.duration_text == "شهر"
    assert found.to_dict()["durationText"] == "شهر"


@pytest.mark.parametrize(
    ("into", "name"),
    [
        (Product, "metadata"),
        (Category, "metadata"),
        (Category, "pivot"),
        (Store, "social"),
        (Store, "settings"),
        (Store, "customization"),
        (Order, "human_format"),
    ],
)
def test_empty_objects_may_be_lists(into: Any, name: str) -> None:
    """PHP writes an empty object as a list."""
    assert getattr(decode({"id": 1, name: []}, into), name) == {}


@pytest.mark.parametrize(
    ("into", "name"), [(Order, "meta"), (OrderItem, "fields"), (Product, "license_config")]
)
@pytest.mark.parametrize("wire", [None, [], {}, [{"a": Decimal("1.50")}], {"a": 1}, "x", 5, True])
def test_a_value_without_a_documented_shape_is_kept(into: Any, name: str, wire: object) -> None:
    """The value is kept as it came, can be hashed, and becomes plain data again."""
    found = decode({"id": 1, name: wire}, into)

    assert getattr(found, name) == wire
    assert isinstance(hash(found), int)
    assert name in found.to_dict()


@pytest.mark.parametrize("name", ["image", "codes", "subscription_variants", "categories"])
@pytest.mark.parametrize("wire", [None, []])
def test_a_product_may_lack_any_part(name: str, wire: object) -> None:
    """A product need have none of what it can have."""
    assert not getattr(decode({"id": 1, name: wire}, Product), name)


@pytest.mark.parametrize(
    ("payload", "model", "secret"),
    [
        (CODE, Code, "C0DE"),
        (PRODUCT, Product, "C0DE"),
        (ITEM, OrderItem, "C0DE"),
        (ORDER, Order, "C0DE"),
        (TRANSACTION, Transaction, "IBAN"),
        (ORDER, Order, "IBAN"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_codes_and_accounts_are_not_shown(payload: dict[str, Any], model: Any, secret: str) -> None:
    """Codes are the goods, and a bank account is somebody's: a repr lands in logs."""
    found = decode(payload, model)

    assert secret not in repr(found)
    assert secret in str(found.to_dict())


def test_each_level_of_an_order_is_a_model() -> None:
    """Every level of an order is a model of its own."""
    found = decode(ORDER, Order)

    assert found.current_status is OrderStatus.COMPLETED
    assert found.updated_at == datetime(2026, 3, 30, 11, 30, tzinfo=UTC)
    assert found.prices_include_tax is True
    assert found.tax_registration_number == "300000000000003"
    assert found.customer is not None
    assert found.customer.country_code == "965"
    assert found.customer.is_banned is False
    assert found.statuses is not None
    assert [change.status for change in found.statuses] == [9, OrderStatus.COMPLETED]
    assert found.items is not None
    (item,) = found.items
    assert item.codes is not None
    assert item.codes[0].code == "C0DE-THAT-WAS-SOLD"
    assert item.codes[0].is_used is True
    assert item.item is not None
    assert item.item.type is ProductType.CODE
    assert item.subscription is not None
    assert item.subscription.id == 501
    assert found.to_dict()["total"] == "149.00"
    assert found.to_dict()["shipping"] == {"cost": 12.5}


def test_a_fault_deep_down_costs_the_list_that_it_is_in() -> None:
    """Every code has an id; the order and its lines arrive without the codes."""
    found = order(items=[{"id": 1, "codes": [{"id": "C0DE"}]}])

    assert found.items is not None
    assert found.items[0].id == 1
    assert found.items[0].codes is None
    assert found.items[0].unreadable == {"codes": [{"id": "C0DE"}]}


def test_a_plan_has_the_durations_of_subscriptions() -> None:
    """The same words, and the same openness."""
    assert decode(PLAN, ProductVariant).duration == "annually"
    assert type(decode({**PLAN, "duration": "weekly"}, ProductVariant).duration) is str


def test_plans_are_read_under_the_name_that_a_written_product_has() -> None:
    """RMZ answers ``products.create`` in camel case, and ``products.get`` in snake case."""
    plans = [{"id": 15, "price": 49.5, "badge": "popular"}]
    made = decode({"id": 101, "subscriptionVariants": plans}, Product)
    both = decode(
        {"id": 101, "subscription_variants": plans, "subscriptionVariants": None}, Product
    )
    read = decode({"id": 101, "subscription_variants": plans}, Product)
    assert made == read
    assert both.subscription_variants == read.subscription_variants
    assert both.extra == {"subscriptionVariants": None}
    assert made.subscription_variants is not None
    assert made.subscription_variants[0].badge == "popular"
