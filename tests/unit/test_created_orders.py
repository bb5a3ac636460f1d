"""The three things that ``orders.create`` can bring, and what is none of them."""

from __future__ import annotations

import copy
import json
import pickle
from decimal import Decimal
from typing import Any, cast

import pytest

from rmz_async import CompletedOrder, CreatedOrder, DuplicateOrder, PendingOrder, from_dict
from rmz_async._decoding import converter
from rmz_async._decoding import strict_json as _json
from rmz_async._decoding.converter import decode
from tests.seams import Part, inside

INTO = cast("type[CreatedOrder]", CreatedOrder)
URL = "https://app.rmz.gg/checkout/abc123"
PAID: dict[str, Any] = {
    "checkout_id": 123456,
    "checkout_url": URL,
    "amount": Decimal("299.99"),
    "status": "pending_payment",
}
FREE: dict[str, Any] = {"order_id": 789012, "status": "completed", "amount": 0}
AGAIN: dict[str, Any] = {"checkout_id": 123456, "duplicate": True}

pending = PendingOrder(
    checkout_id=123456, checkout_url=URL, amount=Decimal("299.99"), status="pending_payment"
)
completed = CompletedOrder(order_id=789012, amount=Decimal(0), status="completed")


def refusal(data: object) -> str:
    """Return the message of the error."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the caller compares the message
        decode(data, INTO)
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (PAID, pending),
        (FREE, completed),
        (AGAIN, DuplicateOrder(duplicate=True, checkout_id=123456)),
        ({"order_id": 789012, "duplicate": True}, DuplicateOrder(duplicate=True, order_id=789012)),
        (
            {**PAID, "duplicate": True},
            DuplicateOrder(
                duplicate=True,
                checkout_id=123456,
                checkout_url=URL,
                amount=Decimal("299.99"),
                status="pending_payment",
            ),
        ),
        (
            {**FREE, "duplicate": True},
            DuplicateOrder(duplicate=True, order_id=789012, amount=Decimal(0), status="completed"),
        ),
        (
            {"checkout_id": None, "order_id": 5, "duplicate": True},
            DuplicateOrder(duplicate=True, order_id=5),
        ),
        ({"duplicate": True}, DuplicateOrder(duplicate=True)),
        ({"checkout_id": "7", "checkout_url": URL}, PendingOrder(checkout_id=7, checkout_url=URL)),
        ({"order_id": "7"}, CompletedOrder(order_id=7)),
    ],
    ids=[
        "paid",
        "free",
        "duplicate checkout",
        "duplicate order",
        "duplicate with an address",
        "duplicate of a free one",
        "duplicate with a null",
        "duplicate of nothing",
        "least of a paid one",
        "least of a free one",
    ],
)
def test_every_form_is_read_as_its_one_result(data: dict[str, Any], expected: CreatedOrder) -> None:
    """Each documented answer is the one result that says so, by whichever way it is read."""
    found = decode(data, INTO)

    assert type(found) is type(expected)
    assert found == expected
    assert inside(converter, Part.STRUCTURE)(cast("Any", INTO), True)(data, INTO) == found
    assert not found.extra


@pytest.mark.parametrize("written", [True, 1, "1"], ids=repr)
@pytest.mark.parametrize("data", [PAID, FREE], ids=["paid", "free"])
def test_any_truth_makes_a_duplicate(data: dict[str, Any], written: object) -> None:
    """Any value that means true makes it a duplicate, of a free order too."""
    found = decode({**data, "duplicate": written}, INTO)

    assert type(found) is DuplicateOrder
    assert found.duplicate is True


@pytest.mark.parametrize("written", [False, 0, "0", None], ids=repr)
@pytest.mark.parametrize(("data", "expected"), [(PAID, pending), (FREE, completed)])
def test_a_false_duplicate_is_kept_as_an_unknown_key(
    data: dict[str, Any], expected: CreatedOrder, written: object
) -> None:
    """A false is an answer as if nothing were said, and is kept like any unknown key."""
    found = decode({**data, "duplicate": written}, INTO)

    assert type(found) is type(expected)
    assert dict(found.extra) == {"duplicate": written}


def test_an_order_to_be_paid_is_never_complete() -> None:
    """An order id beside an address to pay at does not make it paid: nothing may be delivered."""
    found = decode({**PAID, "order_id": 789012}, INTO)

    assert type(found) is PendingOrder
    assert found.extra == {"order_id": 789012}


def test_nulls_beside_a_free_order() -> None:
    """Keys of the other form may be there and be null."""
    found = decode({**FREE, "checkout_id": None, "checkout_url": None}, INTO)

    assert type(found) is CompletedOrder


@pytest.mark.parametrize("data", [PAID, FREE, AGAIN], ids=["paid", "free", "duplicate"])
def test_unknown_keys_are_kept(data: dict[str, Any]) -> None:
    """Keys that RMZ adds are there, in each of the three."""
    found = decode({**data, "expires_in": 300, "extra": [1]}, INTO)

    assert found.extra == {"expires_in": 300, "extra": [1]}


@pytest.mark.parametrize("written", ["299.99", "0.10", "149.00", "1e3", '"149.00"', "49"])
def test_the_amount_is_exact(written: str) -> None:
    """The amount is the one that RMZ wrote, to the last digit."""
    body = f'{{"checkout_id": 1, "checkout_url": "{URL}", "amount": {written}}}'
    found = decode(_json.parse(body.encode()), INTO)

    assert type(found.amount) is Decimal
    assert str(found.amount) == str(Decimal(written.strip('"')))


@pytest.mark.parametrize("data", [None, [], "x", 5, True, [PAID]], ids=repr)
def test_an_answer_that_is_no_object_is_refused(data: object) -> None:
    """An answer of another kind is refused as a whole."""
    assert refusal(data) == "expected an object @ data"


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        (
            {},
            [
                "required field missing @ data.checkout_id",
                "required field missing @ data.checkout_url",
            ],
        ),
        ({"order_id": True}, ["expected an integer @ data.order_id"]),
        ({"checkout_id": 1}, ["required field missing @ data.checkout_url"]),
        ({"checkout_url": URL}, ["required field missing @ data.checkout_id"]),
        ({**PAID, "checkout_id": None}, ["expected an integer @ data.checkout_id"]),
        ({**PAID, "checkout_url": None}, ["expected a string @ data.checkout_url"]),
        ({**FREE, "order_id": "x"}, ["expected an integer @ data.order_id"]),
        ({**AGAIN, "checkout_id": "x"}, ["expected an integer @ data.checkout_id"]),
        ({**AGAIN, "duplicate": "true"}, ["required field missing @ data.checkout_url"]),
        ({"duplicate": [True]}, None),
    ],
    ids=repr,
)
def test_a_shape_of_none_of_the_three_is_refused(
    data: dict[str, Any], faults: list[str] | None
) -> None:
    """A wrong shape is refused with its paths, and no value of it is shown."""
    found = sorted(refusal(data).split("; "))

    assert faults is None or found == faults


@pytest.mark.parametrize("data", [PAID, FREE, AGAIN], ids=["paid", "free", "duplicate"])
def test_results_survive_a_queue(data: dict[str, Any]) -> None:
    """A result survives a queue: as a pickle, as a copy, and as JSON."""
    found = decode(data, INTO)

    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own bytes
    assert copy.deepcopy(found) == found
    assert from_dict(type(found), json.loads(json.dumps(found.to_dict()))) == found


def test_match_distinguishes_the_results_of_an_order() -> None:
    """``match`` distinguishes them, and takes them apart."""
    seen: list[object] = []
    for data in (PAID, FREE, AGAIN):
        match decode(data, INTO):
            case PendingOrder(checkout_url=url):
                seen.append(url)
            case CompletedOrder(order_id=order_id):
                seen.append(order_id)
            case DuplicateOrder(checkout_id=checkout_id):
                seen.append(checkout_id)

    assert seen == [URL, 789012, 123456]
