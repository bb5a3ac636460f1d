"""``orders.create``: what is sent, and what is refused before anything is."""

from __future__ import annotations

from collections import UserList
from collections.abc import Callable
from datetime import date
from types import MappingProxyType
from typing import Any

import pytest

from rmz_async import (
    CreatedOrder,
    InvalidRequestError,
    JSONObject,
    NewCustomer,
    OrderLine,
    operations,
)
from rmz_async.resources.orders import Orders

pytestmark = pytest.mark.anyio

SARA = NewCustomer(
    country_code="+965", phone="99887766", first_name="Sara", last_name="Omar", email="s@o.kw"
)
LINES_RULE = ("must be a list of 1 OrderLine or more",)
ID_RULE = ("must be a positive integer",)
COUNT_RULE = ("must be an integer of 1 or more",)
OPTIONS_RULE = ("must be a mapping that JSON can express",)
TEXT_RULE = ("must be a string of 1 to 191 characters",)
NOTICE_RULE = ("must be a string of 1 to 800 characters",)


def circle() -> dict[str, Any]:
    """A mapping that holds itself."""
    options: dict[str, Any] = {}
    options["self"] = options
    return options


def deep() -> dict[str, Any]:
    """A mapping in a mapping, and so on."""
    options: dict[str, Any] = {}
    for _ in range(100_000):
        options = {"a": options}
    return options


async def create(recorder: Any, *lines: Any, **changes: Any) -> Any:
    """Order these lines."""
    given: dict[str, Any] = {"created_from": "app.example", "products": list(lines), **changes}
    return await recorder.make(Orders).create(**given)


async def faults_of(recorder: Any, *lines: Any, **changes: Any) -> Any:
    """Return the faults that are found in them; nothing is sent."""
    with pytest.raises(InvalidRequestError, match=r"^orders\.create was not sent: ") as caught:
        await create(recorder, *lines, **changes)
    assert recorder.calls == []
    return caught.value.errors


def line_sent(recorder: Any) -> Any:
    """The one line of the one order."""
    (line,) = recorder.only.body["products"]
    return line


async def test_create_is_one_call(recorder: Any) -> None:
    """Nothing is read back for an order: RMZ itself recognises one that comes again."""
    found = await create(recorder, OrderLine(product=101))

    call = recorder.only
    assert found is recorder.answer
    assert (call.operation, call.returns) == (operations.ORDERS_CREATE, CreatedOrder)
    assert (call.object_id, call.query, call.settlement) == (None, {}, None)
    assert call.body == {
        "customer": None,
        "created_from": "app.example",
        "products": [{"identifier_type": "id", "identifier": 101, "quantity": 1}],
        "coupon_code": None,
    }


async def test_create_sends_every_field_by_rmzs_name(recorder: Any) -> None:
    """Everything that can be said of an order goes under RMZ's own names."""
    await create(
        recorder,
        OrderLine(product="gift-card", quantity=3, options={"size": "L"}, notice="gift"),
        OrderLine(product=102, plan=15),
        customer=SARA,
        coupon_code="SAVE10",
    )

    assert recorder.only.body == {
        "customer": {
            "country_code": "965",
            "phone": "99887766",
            "firstName": "Sara",
            "lastName": "Omar",
            "email": "s@o.kw",
        },
        "created_from": "app.example",
        "products": [
            {
                "identifier_type": "slug",
                "identifier": "gift-card",
                "quantity": 3,
                "options": {"size": "L"},
                "notice": "gift",
            },
            {
                "identifier_type": "id",
                "identifier": 102,
                "quantity": 1,
                "subscription_plan": 15,
            },
        ],
        "coupon_code": "SAVE10",
    }


@pytest.mark.parametrize(
    ("product", "kind"), [(101, "id"), ("101", "slug"), ("متجر", "slug"), (2**63 - 1, "id")]
)
async def test_how_a_product_is_named(recorder: Any, product: int | str, kind: str) -> None:
    """An integer is an id and a string is a slug, even one of digits: a slug may be that."""
    await create(recorder, OrderLine(product=product))

    assert line_sent(recorder) == {"identifier_type": kind, "identifier": product, "quantity": 1}


@pytest.mark.parametrize("products", [(OrderLine(product=1),), UserList([OrderLine(product=1)])])
async def test_any_list_of_lines(recorder: Any, products: object) -> None:
    """A tuple is a list of lines, as is whatever else keeps an order."""
    await create(recorder, products=products)

    assert line_sent(recorder)["identifier"] == 1


@pytest.mark.parametrize(
    "products",
    [
        [],
        (),
        None,
        "gift-card",
        b"gift-card",
        5,
        OrderLine(product=1),
        {"product": 1},
        {OrderLine(product=1)},
        iter([OrderLine(product=1)]),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_the_lines_must_be_a_filled_list(recorder: Any, products: object) -> None:
    """An order has 1 line or more, in a list: whatever has no order or end is refused."""
    assert await faults_of(recorder, products=products) == {"products": LINES_RULE}


@pytest.mark.parametrize(
    "line", [{"product": 1}, 101, "gift-card", None, OrderLine, ("x", 1)], ids=repr
)
async def test_a_bad_line_is_named_by_its_place(recorder: Any, line: object) -> None:
    """A value that is no line is named by its place."""
    assert await faults_of(recorder, OrderLine(product=1), line) == {
        "products.1": ("must be an OrderLine",)
    }


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        *(({"product": value}, {"identifier": ID_RULE}) for value in (0, -1, True, 1.0, None)),
        ({"product": 2**63}, {"identifier": ID_RULE}),
        ({"product": b"x"}, {"identifier": ID_RULE}),
        *(
            ({"product": value}, {"identifier": TEXT_RULE})
            for value in ("", " ", "x" * 192, "\ud800")
        ),
        *(
            ({"quantity": value}, {"quantity": COUNT_RULE})
            for value in (0, -1, True, "2", 2.0, None, 2**63, 10**5000)
        ),
        ({"plan": 15, "quantity": 2}, {"quantity": ("must be 1 for a subscription",)}),
        ({"plan": 15, "quantity": 0}, {"quantity": COUNT_RULE}),
        *(({"plan": value}, {"subscription_plan": ID_RULE}) for value in (0, True, "15", 2**63)),
        *(
            ({"notice": value}, {"notice": NOTICE_RULE})
            for value in (" \n", "x" * 801, 0, False, 5, "\udfff")
        ),
        *(
            ({"options": value}, {"options": OPTIONS_RULE})
            for value in (
                [],
                "x",
                5,
                False,
                [("size", "L")],
                {"n": float("nan")},
                {"n": [float("inf")]},
                {"n": object()},
                {"n": {1, 2}},
                {"n": b"x"},
                {"n": date(2026, 1, 1)},
                {"n": "\ud800"},
                {"\udfff": 1},
                {"n": 10**5000},
                {1: "x"},
                {None: "x"},
                {"deep": [{True: "x"}]},
            )
        ),
    ],
    ids=lambda value: next(iter(value)),
)
async def test_a_fault_of_a_line_is_refused_under_its_path(
    recorder: Any, fields: dict[str, Any], errors: dict[str, Any]
) -> None:
    """Each is refused before sending, under the very path that RMZ would name."""
    given: dict[str, Any] = {"product": 1, **fields}
    line = OrderLine(**given)

    assert await faults_of(recorder, OrderLine(product=1), line) == {
        f"products.1.{name}": rules for name, rules in errors.items()
    }


@pytest.mark.parametrize("make", [circle, deep])
async def test_options_without_an_end(recorder: Any, make: Callable[[], dict[str, Any]]) -> None:
    """Options that hold themselves are refused like any other fault."""
    assert await faults_of(recorder, OrderLine(product=1, options=make())) == {
        "products.0.options": OPTIONS_RULE
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"quantity": 2**63 - 1},
        {"quantity": 1, "plan": 15},
        {"notice": "x" * 800},
        {"notice": "😀" * 800},
        {"options": {}},
        {"options": {"n": 10**18}},
    ],
    ids=lambda value: next(iter(value)),
)
async def test_the_ends_of_each_range(recorder: Any, fields: dict[str, Any]) -> None:
    """A value that is just allowed is sent as it is."""
    await create(recorder, OrderLine(product=1, **fields))

    wire = {"subscription_plan" if name == "plan" else name: fields[name] for name in fields}
    assert line_sent(recorder).items() >= wire.items()


async def test_an_empty_notice_is_left_out(recorder: Any) -> None:
    """A form sends an empty notice if nothing was written. RMZ would drop it too."""
    await create(recorder, OrderLine(product=1, notice=""))

    assert "notice" not in line_sent(recorder)


OPTIONS = {"size": "L", "length": 1.5, "tags": ["a", None, True], "deep": {"n": 1}}


@pytest.mark.parametrize(
    "options",
    [
        OPTIONS,
        JSONObject(OPTIONS),
        MappingProxyType(OPTIONS),
        {**OPTIONS, "deep": JSONObject({"n": 1}), "tags": ("a", None, True)},
    ],
    ids=["dict", "object", "proxy", "nested"],
)
async def test_any_mapping_of_options_arrives_as_it_is(recorder: Any, options: Any) -> None:
    """Options arrive as they are, numbers with a fraction too, from any mapping."""
    await create(recorder, OrderLine(product=1, options=options))

    sent = line_sent(recorder)["options"]
    assert sent == OPTIONS
    assert type(sent["length"]) is float


async def test_options_are_copied(recorder: Any) -> None:
    """A caller that changes them meanwhile changes nothing of what was checked."""
    tags, deep_down = ["a"], {"n": 1}
    options = {"tags": tags, "deep": deep_down}
    await create(recorder, OrderLine(product=1, options=options))
    tags.append("b")
    deep_down["n"] = 2
    options["more"] = {}

    assert line_sent(recorder)["options"] == {"tags": ["a"], "deep": {"n": 1}}


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        *(
            ({"created_from": value}, {"created_from": TEXT_RULE})
            for value in ("", None, "x" * 192)
        ),
        *(({"coupon_code": value}, {"coupon_code": TEXT_RULE}) for value in ("", 5, "\ud800")),
        *(
            ({"customer": value}, {"customer": ("must be a positive integer or a NewCustomer",)})
            for value in (0, True, "4501", {"id": 4501})
        ),
    ],
    ids=lambda value: next(iter(value)),
)
async def test_a_fault_of_an_order_is_refused(
    recorder: Any, changes: dict[str, Any], errors: dict[str, Any]
) -> None:
    """The fields beside an order's lines are checked too."""
    assert await faults_of(recorder, OrderLine(product=1), **changes) == errors


async def test_all_faults_come_together(recorder: Any) -> None:
    """The error names every fault of every line, in the order of the request's fields."""
    nobody = NewCustomer(country_code="x", phone="1", first_name="", last_name="x", email="a@b.sa")
    errors = await faults_of(
        recorder,
        OrderLine(product="", quantity=0, plan=0, notice="x" * 801, options={"n": object()}),
        "gift-card",
        OrderLine(product=0),
        created_from="",
        customer=nobody,
        coupon_code="",
    )

    assert list(errors) == [
        "created_from",
        "products.0.identifier",
        "products.0.subscription_plan",
        "products.0.quantity",
        "products.0.notice",
        "products.0.options",
        "products.1",
        "products.2.identifier",
        "customer.firstName",
        "customer.country_code",
        "customer.phone",
        "coupon_code",
    ]


def test_lines_are_values() -> None:
    """Equal lines are equal and have one hash, with options and without."""
    one, other = (OrderLine(product=1, options={"size": ["L"]}) for _ in range(2))

    assert one == other
    assert len({one, other}) == 1
    assert one != OrderLine(product=1)
