"""The checks that only orders and their lists need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from rmz_async import InvalidRequestError, JSONObject, operations
from rmz_async.resources._validation import Validation


def faults(check: Callable[[Validation], object]) -> Mapping[str, Any]:
    """Run *check* and return what it found."""
    validation = Validation(operations.STORE_GET)
    check(validation)
    try:
        validation.finish()
    except InvalidRequestError as error:
        return error.errors
    return {}


@pytest.mark.parametrize("value", [1, 2, 2**63 - 1])
def test_counts(value: int) -> None:
    """1 or more, up to what a database can hold."""
    assert faults(lambda check: check.count("n", value)) == {}


@pytest.mark.parametrize("value", [0, -1, True, False, "1", 1.0, None, 2**63, [1]])
@pytest.mark.parametrize("most", [None, 1])
def test_a_value_that_is_no_count_gets_one_reason(value: object, most: int | None) -> None:
    """A value that is no count at all gets that single reason."""
    assert faults(lambda check: check.count("n", value, most)) == {
        "n": ("must be an integer of 1 or more",)
    }


def test_a_subscription_cannot_be_ordered_twice_in_a_line() -> None:
    """There cannot be two of what is subscribed to."""
    assert faults(lambda check: check.count("n", 1, 1)) == {}
    assert faults(lambda check: check.count("n", 2, 1)) == {"n": ("must be 1 for a subscription",)}


@pytest.mark.parametrize("value", ["a", "b", "c"])
def test_a_choice_must_be_written_exactly(value: str) -> None:
    """A choice is one of the words, as it is written."""
    assert faults(lambda check: check.choice("c", value, ("a", "b", "c"))) == {}


@pytest.mark.parametrize("value", ["", "A", "ab", "a, b", " a", None, True, 1, ["a"], b"a"])
def test_the_refusal_names_all_choices(value: object) -> None:
    """The refusal names them all."""
    assert faults(lambda check: check.choice("c", value, ("a", "b", "c"))) == {
        "c": ("must be a, b or c",)
    }


class Day(date):
    """A date of another library."""


@pytest.mark.parametrize("value", [date(2024, 1, 31), date.min, date.max, Day(2024, 1, 31), None])
def test_dates_and_none_are_accepted(value: date | None) -> None:
    """A date, of another library too, or none at all."""
    validation = Validation(operations.STORE_GET)

    assert validation.day("d", value) == value
    validation.finish()


@pytest.mark.parametrize(
    "value", [datetime(2024, 1, 31, tzinfo=UTC), "2024-01-31", "", 20240131, 0, True, ["x"]]
)
def test_a_moment_is_no_day(value: object) -> None:
    """A moment above all: it is a day in one time zone, and another one elsewhere."""
    validation = Validation(operations.STORE_GET)

    assert validation.day("d", value) is None
    with pytest.raises(InvalidRequestError, match="d must be a date without a time"):
        validation.finish()


OPTIONS = {
    "size": "مقاس",
    "length": 0.1,
    "many": [1, [2, {"n": -3}]],
    "yes": True,
    "no": None,
    "": "",
}


@pytest.mark.parametrize("value", [{}, OPTIONS, MappingProxyType(OPTIONS), JSONObject(OPTIONS)])
def test_options_are_copied(value: Any) -> None:
    """Any mapping of what JSON can say comes back equal, as a copy."""
    validation = Validation(operations.STORE_GET)
    copy = validation.options("o", value)

    validation.finish()
    assert type(copy) is dict
    assert copy == dict(value)
    assert copy is not value


def test_missing_options_are_none() -> None:
    """None is none."""
    assert Validation(operations.STORE_GET).options("o", None) is None


def test_options_are_copied_to_the_bottom() -> None:
    """Nothing of the copy is the caller's: what is checked is what is sent."""
    bottom: dict[str, Any] = {"list": [1]}
    copy = Validation(operations.STORE_GET).options("o", {"deep": (bottom,)})
    bottom["list"].append(object())

    assert copy == {"deep": [{"list": [1]}]}


@pytest.mark.parametrize(
    "value",
    [
        [],
        ["size"],
        "size",
        5,
        False,
        [("size", "L")],
        {"n": float("nan")},
        {"n": -float("inf")},
        {"n": Decimal("1.5")},
        {"n": object()},
        {"n": {1}},
        {"n": "\ud800"},
        {"\ud800": 1},
        {"n": 10**5000},
        {1: "a", "1": "b"},
        {"deep": {None: 1}},
        {b"n": 1},
    ],
)
def test_options_that_are_not_json_are_refused(value: object) -> None:
    """Values that JSON cannot say, or would say in another way, are refused."""
    assert faults(lambda check: check.options("o", value)) == {
        "o": ("must be a mapping that JSON can express",)
    }
