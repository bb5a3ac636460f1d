"""Phone numbers as people write them, and what RMZ is sent."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from rmz_async import InvalidRequestError, MissingExtraError, PhoneNumber, operations
from rmz_async.resources._validation import Validation

SAUDI = {"country_code": "966", "phone": "512345678"}


def sent(country_code: object, phone: object) -> dict[str, object]:
    """The parts that RMZ gets."""
    check = Validation(operations.STORE_GET)
    parts = check.phone_number("", country_code, phone)
    check.finish()
    return parts


def refusal(country_code: object, phone: object) -> Mapping[str, Sequence[str]]:
    """The faults that the error names."""
    with pytest.raises(InvalidRequestError, match="was not sent") as caught:
        sent(country_code, phone)
    return caught.value.errors


class Whole:
    """An integer of another library, as numpy's are."""

    def __index__(self) -> int:
        """Return it as Python's own."""
        return 966


def test_a_dial_code_may_be_an_integer_of_any_kind() -> None:
    """An id may, too."""
    assert sent(Whole(), "512345678") == SAUDI


@pytest.mark.parametrize(
    "country_code", [966, "966", "+966", "00966", "٩٦٦", "۹۶۶", " +966 ", "٠٠٩٦٦"]
)
def test_a_dial_code_may_be_written_in_any_way(country_code: object) -> None:
    """An integer, a plus, zeros and other digits mean the same country."""
    assert sent(country_code, "512345678") == SAUDI


@pytest.mark.parametrize(
    "phone",
    [
        "512345678",
        "0512345678",
        "051 234 5678",
        "51-234-5678",
        "(051) 234.5678",
        "051/2345678",
        "٥١٢٣٤٥٦٧٨",
        "٠٥١ ٢٣٤ ٥٦٧٨",
        "۰۵۱۲۳۴۵۶۷۸",
        "+966512345678",
        "+966 51 234 5678",
        "+966 (0) 51 234 5678",
        "00966512345678",
        "00966 0512345678",
        "٠٠٩٦٦٥١٢٣٤٥٦٧٨",
        "966512345678",
        "9660512345678",
        "0966512345678",
        "966966512345678",
        "+966966966512345678",
        "00966 00966 512345678",
        "966 0966 0512345678",
        "\u202a+966\u00a051\u2011234\u20135678\u202c",
        "\u200f051\u2212234 5678",
    ],
)
def test_a_saudi_number_may_be_written_in_any_way(phone: str) -> None:
    """All of these are one customer, and none of them makes a second one."""
    assert sent("966", phone) == SAUDI


@pytest.mark.parametrize(
    ("country_code", "written", "expected"),
    [
        ("971", "050 123 4567", "501234567"),
        ("971", "04 123 4567", "41234567"),
        ("971", "97141234567", "41234567"),
        ("971", "+971501234567", "501234567"),
        ("973", "97336001234", "36001234"),
        ("965", "96599887766", "99887766"),
        ("965", "96512345", "96512345"),
        ("965", "96596512345", "96512345"),
        ("965", "96596596512345", "96512345"),
        ("971", "971971501234567", "501234567"),
        ("966", "966966512", "966966512"),
        ("44", "44447700900123", "44447700900123"),
        ("974", "+974 3312 3456", "33123456"),
        ("968", "0096892123456", "92123456"),
        ("966", "96651234", "96651234"),
        ("968", "96892123456", "92123456"),
        ("974", "97433123456", "33123456"),
        ("20", "01001234567", "01001234567"),
        ("44", "0044 7700 900123", "7700900123"),
        ("44", "447700900123", "447700900123"),
        ("44", "+447700900123", "7700900123"),
    ],
)
def test_only_an_unmistakable_dial_code_or_zero_is_removed(
    country_code: str, written: str, expected: str
) -> None:
    """A number of Kuwait may begin with 965, and zeros count in other countries."""
    assert sent(country_code, written) == {"country_code": country_code, "phone": expected}


@pytest.mark.parametrize(
    ("phone", "rule"),
    [
        ("1234", "must have 5 to 15 digits, and has 4 (1234)"),
        ("١٢٣٤", "must have 5 to 15 digits, and has 4 (1234)"),
        ("1" * 16, f"must have 5 to 15 digits, and has 16 ({'1' * 16})"),
        ("1" * 99, f"must have 5 to 15 digits, and has 99 ({'1' * 20})"),
        ("", "must have 5 to 15 digits, and has none"),
        ("+966", "must have 5 to 15 digits, and has none"),
        ("+971501234567", "must have the dial code 966 after + or 00, and has 971"),
        ("0512345678 ext 5", "must have digits only, and has 'e'"),
        ("++966512345678", "must have digits only, and has '+'"),
        ("+00966512345678", "must have the dial code 966 after + or 00, and has 009"),
        ("5X12345678", "must have digits only, and has 'X'"),
        ("51234567²", "must have digits only, and has '\\xb2'"),
        (512345678, "must be a string of 5 to 15 digits"),
        (None, "must be a string of 5 to 15 digits"),
    ],
)
def test_a_refused_number_names_the_digits_that_were_found(phone: object, rule: str) -> None:
    """The caller sees at a glance what was understood."""
    assert refusal("966", phone) == {"phone": (rule,)}


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("", "must have 1 to 5 digits, and has none"),
        ("+", "must have 1 to 5 digits, and has none"),
        ("966123", "must have 1 to 5 digits, and has 6 (966123)"),
        ("0966", "must not begin with a zero, and is 0966"),
        (0, "must not begin with a zero, and is 0"),
        ("966+", "must have digits only, and has '+'"),
        (-966, "must be a string or an integer of 1 to 5 digits"),
        (-1, "must be a string or an integer of 1 to 5 digits"),
        (True, "must be a string or an integer of 1 to 5 digits"),
        (None, "must be a string or an integer of 1 to 5 digits"),
        (9.66, "must be a string or an integer of 1 to 5 digits"),
    ],
)
def test_a_refused_dial_code_names_the_digits_that_were_found(code: object, rule: str) -> None:
    """The number beside it is checked all the same."""
    assert refusal(code, "512345678") == {"country_code": (rule,)}


@pytest.mark.parametrize("code", ["1", 1, "12345"])
def test_a_dial_code_has_one_to_five_digits(code: object) -> None:
    """Both ends are within the rule."""
    assert sent(code, "5123456789")["country_code"] == str(code)


@pytest.mark.parametrize("phone", ["1" * 5, "1" * 15])
def test_a_number_has_five_to_fifteen_digits(phone: str) -> None:
    """Both ends are within the rule."""
    assert sent("44", phone)["phone"] == phone


def test_a_number_with_a_plus_needs_its_country_code() -> None:
    """RMZ stores the two parts apart, so one of them finds no customer."""
    check = Validation(operations.STORE_GET)

    assert check.phone("phone", "051 234 5678", None) == "0512345678"
    assert check.phone("phone", "+966512345678", None) is None
    with pytest.raises(
        InvalidRequestError, match="unless a country code is given as well"
    ) as caught:
        check.finish()
    assert caught.value.errors["phone"][0].endswith("as well")


@pytest.mark.parametrize(
    ("text", "region", "country_code", "phone"),
    [
        ("+966 51 234 5678", None, "966", "512345678"),
        ("+966 (0)51 234 5678", None, "966", "512345678"),
        ("٠٠٩٦٦ ٥١ ٢٣٤ ٥٦٧٨", None, "966", "512345678"),
        (" 00971-50-123-4567", None, "971", "501234567"),
        ("050 123 4567", "AE", "971", "501234567"),
        ("00966512345678", "AE", "966", "512345678"),
        ("+39 06 1234 5678", None, "39", "0612345678"),
        ("\u200f00966 51 234 5678", None, "966", "512345678"),
        ("051 234 5678", "sa", "966", "512345678"),
    ],
)
def test_free_text_is_read_as_a_phone_number(
    text: str, region: str | None, country_code: str, phone: str
) -> None:
    """The rules of every country are known, and a zero that belongs to the number stays."""
    number = PhoneNumber.parse(text, region=region)

    assert number == PhoneNumber(country_code=country_code, phone=phone)
    assert sent(number.country_code, number.phone) == {"country_code": country_code, "phone": phone}


@pytest.mark.parametrize("value", [None, 966512345678])
def test_free_text_that_is_no_string_is_refused(value: Any) -> None:
    """As any other argument that breaks a rule."""
    with pytest.raises(InvalidRequestError, match="no digits: it is no string"):
        PhoneNumber.parse(value)


def test_a_refusal_of_free_text_shows_the_digits_found() -> None:
    """So that a person sees the one that is missing."""
    with pytest.raises(InvalidRequestError, match=r"has 7 digits \(9665123\)"):
        PhoneNumber.parse("+966 5123")


@pytest.mark.parametrize("text", ["", "hello", "051 234 5678", "+966 51", "+999 12345678"])
def test_free_text_without_a_phone_number_is_refused(text: str) -> None:
    """A number without a country, or with too few digits, is no number."""
    with pytest.raises(InvalidRequestError, match="must be a phone number, and has") as caught:
        PhoneNumber.parse(text)

    assert list(caught.value.errors) == ["phone"]


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the command that installs it."""
    monkeypatch.setitem(sys.modules, "phonenumbers", None)

    with pytest.raises(MissingExtraError, match=r'pip install "rmz\[phone\]"'):
        PhoneNumber.parse("+966512345678")
