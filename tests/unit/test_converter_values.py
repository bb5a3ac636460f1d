"""The forms that PHP and MySQL give a value, one field at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from rmz_async._decoding import strict_json as _json
from rmz_async._decoding.converter import decode, from_dict
from rmz_async.models import (
    Customer,
    Duration,
    Model,
    Price,
    Subscription,
    SubscriptionLookup,
    SubscriptionStatus,
)


def subscription(**fields: Any) -> Subscription:
    """A subscription with these keys on the wire."""
    return decode({"id": 501, "status": "active", **fields}, Subscription)


def refusal(into: type[object] = Subscription, **fields: Any) -> str:
    """Return the error's message about these keys."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the caller compares the message
        decode({"id": 501, "status": "active", **fields}, into)
    return str(caught.value)


def assert_unreadable(into: type[Model] = Subscription, **fields: Any) -> None:
    """These keys become None, stand in ``unreadable`` as they came, and come back."""
    data = {"id": 501, "status": "active", **fields}
    found = decode(data, into)

    assert found.unreadable == fields
    assert {getattr(found, name) for name in fields} == {None}
    assert from_dict(into, found.to_dict()) == found


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (78901, 78901),
        ("78901", 78901),
        ("-5", -5),
        ("007", 7),
        (0, 0),
        ("9" * 19, int("9" * 19)),
        (Decimal("12.0"), 12),
        ("12.00", 12),
        (Decimal("1E+3"), 1000),
    ],
)
def test_integers_are_read_from_numbers_and_strings(wire: object, expected: int) -> None:
    """A number, or the string that MySQL makes of one."""
    found = subscription(order_id=wire).order_id

    assert found == expected
    assert type(found) is int


@pytest.mark.parametrize(
    "wire",
    [
        True,
        False,
        1.5,
        Decimal("1.5"),
        Decimal("1E+30"),
        "",
        " 1",
        "1 ",
        "+1",
        "1.5",
        "1e3",
        "٥",
        "9" * 20,
        [],
        {},
    ],
)
def test_an_ambiguous_integer_is_refused(wire: object) -> None:
    """Anything that could mean something else is refused."""
    assert_unreadable(order_id=wire)


@pytest.mark.parametrize(
    ("wire", "expected"),
    [(True, True), (False, False), (1, True), (0, False), ("1", True), ("0", False)],
)
def test_booleans_are_read_from_digits_too(wire: object, expected: bool) -> None:
    """A boolean, or the digit that MySQL keeps in its place."""
    assert subscription(auto_renew=wire).auto_renew is expected


@pytest.mark.parametrize("wire", [2, -1, "", "true", "yes", "01", [], {}, "١"])
def test_a_truthy_value_is_no_boolean(wire: object) -> None:
    """A truthy value is not a true one."""
    assert_unreadable(auto_renew=wire)


@pytest.mark.parametrize(
    ("wire", "expected"), [("966", "966"), (966, "966"), ("", ""), ("٩٦٦", "٩٦٦")]
)
def test_strings_are_read_from_integers_too(wire: object, expected: str) -> None:
    """A string, or the integer that a webhook has in its place."""
    found = decode({"id": 1, "country_code": wire}, Customer).country_code

    assert found == expected
    assert type(found) is str


@pytest.mark.parametrize("wire", [True, 1.5, Decimal("1.5"), [], {}, ["966"]])
def test_no_other_value_becomes_a_string(wire: object) -> None:
    """Nothing else becomes a string."""
    assert_unreadable(Customer, country_code=wire)


@pytest.mark.parametrize(
    "written", ["199.99", "99.00", "49", "0.1", "-5.00", "0", '"149.00"', '"49"']
)
def test_money_is_exact(written: str) -> None:
    """A number and a string both give the Decimal of the digits that RMZ wrote, zeros included."""
    price = decode(_json.parse(b'{"amount": ' + written.encode() + b"}"), Price)

    assert type(price.amount) is Decimal
    assert str(price.amount) == written.strip('"')


@pytest.mark.parametrize(
    ("wire", "expected"),
    [("1,299.00", "1299.00"), ("-12,345,678.5", "-12345678.5"), ("1,299,000", "1299000")],
)
def test_money_in_groups_of_three_digits_is_read(wire: str, expected: str) -> None:
    """PHP's number_format writes so, and only one reading is possible."""
    assert str(decode({"amount": wire}, Price).amount) == expected


@pytest.mark.parametrize("written", ["1.0e+25", "1e-7", '"1.0E+25"', '"1E-7"'])
def test_money_with_an_exponent_is_read(written: str) -> None:
    """PHP writes very large and very small numbers so; they are amounts too."""
    price = decode(_json.parse(b'{"amount": ' + written.encode() + b"}"), Price)

    assert price.amount == Decimal(written.strip('"'))


@pytest.mark.parametrize(
    "wire",
    [
        1.5,
        True,
        None,
        "",
        "49,00",
        "1,299",
        "1,29.00",
        "1,2990.00",
        "1 000",
        "+49",
        ".5",
        "5.",
        "١٩٩٫٩٩",
        "١٩٩",
        "NaN",
        "Infinity",
        "49 SAR",
        Decimal("NaN"),
        Decimal("Infinity"),
        [],
        {},
    ],
)
def test_a_float_is_no_amount(wire: object) -> None:
    """A float above all is refused: its digits are not those that RMZ wrote."""
    assert refusal(Price, amount=wire) == "expected an amount @ data.amount"


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ("2024-01-01", datetime(2024, 1, 1, tzinfo=UTC)),
        ("2026-01-01 10:20:30", datetime(2026, 1, 1, 10, 20, 30, tzinfo=UTC)),
        ("2024-01-01T10:20:30.000000Z", datetime(2024, 1, 1, 10, 20, 30, tzinfo=UTC)),
        ("2024-01-01T10:20:30.123456Z", datetime(2024, 1, 1, 10, 20, 30, 123456, tzinfo=UTC)),
        ("2027-03-23T12:00:00+00:00", datetime(2027, 3, 23, 12, tzinfo=UTC)),
        ("2027-03-23T12:00:00+03:00", datetime(2027, 3, 23, 9, tzinfo=UTC)),
        ("2027-01-01T01:00:00+03:00", datetime(2026, 12, 31, 22, tzinfo=UTC)),
    ],
)
def test_each_form_of_a_time_is_read_as_utc(wire: str, expected: datetime) -> None:
    """All four forms are one moment, in UTC."""
    found = subscription(current_period_end=wire).current_period_end

    assert found == expected
    assert found is not None
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "wire",
    ["soon", "2024-13-01", "٢٠٢٤-٠١-٠١", 1700000000, True, [], {}, "0001-01-01T00:00:00+05:00"],
)
def test_a_string_without_a_moment_is_refused(wire: object) -> None:
    """A string that names no moment is refused."""
    assert_unreadable(current_period_end=wire)


@pytest.mark.parametrize(
    "wire",
    [
        "",
        "0000-00-00 00:00:00",
        "0000-00-00",
        "0000-00-00T00:00:00.000000Z",
        "-0001-11-30 00:00:00",
    ],
)
def test_zero_dates_and_empty_values_are_no_time(wire: str) -> None:
    """MySQL's zero date, and PHP's and an empty form of it, are no time."""
    found = subscription(current_period_end=wire, starts_at=wire)

    assert found.current_period_end is None
    assert found.starts_at is None
    assert not found.unreadable


@pytest.mark.parametrize("name", ["starts_at", "ends_at", "start_date", "end_date"])
def test_a_date_is_its_first_moment(name: str) -> None:
    """Every call gives a subscription's times one type, so that two of them can be compared."""
    found = getattr(subscription(**{name: "2024-12-31"}), name)

    assert type(found) is datetime
    assert found == datetime(2024, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize("name", ["starts_at", "ends_at", "start_date", "end_date"])
def test_a_time_stays_a_time(name: str) -> None:
    """A midnight is not made a date."""
    found = getattr(subscription(**{name: "2024-12-31T00:00:00.000000Z"}), name)

    assert type(found) is datetime
    assert found == datetime(2024, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize("wire", ["2024-13-31", "yesterdays", "٢٠٢٤-١٢-٣١", "2024", 20241231, True])
def test_a_value_that_is_no_date_or_time_is_kept_apart(wire: object) -> None:
    """A value that is neither a date nor a time is kept apart."""
    assert_unreadable(ends_at=wire)


def test_an_offset_is_brought_to_utc() -> None:
    """Times beside dates are brought to UTC as well."""
    moment = datetime(2024, 12, 31, 2, tzinfo=timezone(timedelta(hours=3)))

    found = subscription(ends_at=moment.isoformat()).ends_at

    assert isinstance(found, datetime)
    assert found.isoformat() == "2024-12-30T23:00:00+00:00"


@pytest.mark.parametrize("member", SubscriptionStatus)
def test_a_known_status_is_the_member(member: SubscriptionStatus) -> None:
    """The member itself and not a string that equals it."""
    found = subscription(status=member.value).status

    assert type(found) is SubscriptionStatus
    assert found is member


@pytest.mark.parametrize("member", Duration)
def test_a_known_duration_is_the_member(member: Duration) -> None:
    """By itself and within a variant."""
    found = subscription(duration=member.value, variant={"id": 1, "duration": member.value})

    assert found.duration is member
    assert found.variant is not None
    assert found.variant.duration is member


@pytest.mark.parametrize("wire", ["frozen", "", "ACTIVE", "active "])
def test_an_unknown_status_is_the_text(wire: str) -> None:
    """A status that is new at RMZ is kept as it was sent, as a plain string."""
    found = subscription(status=wire).status

    assert type(found) is str
    assert found == wire


def test_an_unknown_duration_is_the_text() -> None:
    """A new duration is no error."""
    assert type(subscription(duration="weekly").duration) is str


@pytest.mark.parametrize("wire", [1, True, None, [], {}, ["active"]])
def test_a_status_must_be_a_string(wire: object) -> None:
    """A status is a string, and always there."""
    assert refusal(status=wire) == "expected a string @ data.status"


@pytest.mark.parametrize("member", Duration)
def test_a_duration_in_days_is_the_member(member: Duration) -> None:
    """RMZ counts 30 days for a month, and 365 for a year."""
    months = member.months
    days = 30 * months if months < 12 else 365 * (months // 12)

    for wire in (days, str(days)):
        assert subscription(duration=wire).duration is member
    assert subscription(duration=45).duration == "45"


def test_a_duration_may_be_null() -> None:
    """A duration need not be there."""
    assert subscription(duration=None).duration is None


@pytest.mark.parametrize("wire", [{}, []])
def test_empty_metadata_may_be_a_list(wire: object) -> None:
    """PHP writes an empty object as a list."""
    found = subscription(metadata=wire).metadata

    assert isinstance(found, Mapping)
    assert dict(found) == {}


def test_metadata_keeps_what_came() -> None:
    """Values of any kind are kept, and numbers stay exact."""
    wire = _json.parse('{"خطة": "pro", "n": 99.00, "deep": {"list": [1, null]}}'.encode())

    assert subscription(metadata=wire).metadata == wire


def test_metadata_in_a_list() -> None:
    """PHP writes the keys 0, 1, 2 and so on as a list."""
    assert subscription(metadata=["gold", {"a": 1}]).metadata == {"0": "gold", "1": {"a": 1}}


@pytest.mark.parametrize("wire", ["x", 5, True, ""])
def test_a_filled_list_is_no_metadata(wire: object) -> None:
    """A list with something in it is no object."""
    assert_unreadable(metadata=wire)


@pytest.mark.parametrize(
    "name", ["price", "product", "variant", "payment_method", "scheduled_variant", "customer"]
)
@pytest.mark.parametrize("wire", [None, []])
def test_null_and_an_empty_list_are_no_object(name: str, wire: object) -> None:
    """Null and PHP's empty object are both nothing."""
    assert getattr(subscription(**{name: wire}), name) is None


@pytest.mark.parametrize("name", ["price", "product", "variant", "customer"])
@pytest.mark.parametrize("wire", ["x", 5, True, [1], [{}]])
def test_another_value_is_no_object(name: str, wire: object) -> None:
    """Anything else in an object's place is refused."""
    fields: dict[str, Any] = {name: wire}

    assert_unreadable(**fields)


@pytest.mark.parametrize("wire", [[], ["a"], {"a": 1}, "text", 5, None, True])
def test_features_are_kept(wire: object) -> None:
    """A value without a documented shape is kept as it came."""
    assert subscription(features=wire).features == wire


ROWS = [{"id": 1, "status": "active"}, {"id": 2, "status": "paused"}]


@pytest.mark.parametrize(
    ("wire", "ids"),
    [
        ([], []),
        ({}, []),
        (ROWS, [1, 2]),
        ({"0": ROWS[0], "2": ROWS[1]}, [1, 2]),
        ({"5": ROWS[1], "7": ROWS[0]}, [2, 1]),
    ],
)
def test_lists(wire: object, ids: list[int]) -> None:
    """A list, or the object that PHP makes of one with gaps in its keys, in the order sent."""
    found = decode({"count": 2, "has_active": 1, "subscriptions": wire}, SubscriptionLookup)

    assert type(found.subscriptions) is tuple
    assert [row.id for row in found.subscriptions] == ids


@pytest.mark.parametrize("wire", [None, "x", 5, True])
def test_another_value_is_no_list(wire: object) -> None:
    """Anything else in a list's place is refused."""
    assert refusal(SubscriptionLookup, count=0, has_active=False, subscriptions=wire) == (
        "expected a list @ data.subscriptions"
    )
