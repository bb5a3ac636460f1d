from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any

import pytest

from rmz_async import InvalidRequestError, NewCustomer, PhoneNumber, operations
from rmz_async.resources._validation import Validation

TEXT_RULE = "must be a string of 1 to 191 characters"
URL_RULE = "must be an absolute http or https URL"
ID_RULE = "must be a positive integer"


def faults(check: Callable[[Validation], object]) -> Mapping[str, Any]:
    """Run *check* and return what it found."""
    validation = Validation(operations.STORE_GET)
    check(validation)
    try:
        validation.finish()
    except InvalidRequestError as error:
        return error.errors
    return {}


def test_a_call_without_faults_goes_on() -> None:
    """A call without faults goes on."""
    Validation(operations.STORE_GET).finish()


def test_require_says_what_holds() -> None:
    """The caller of a check learns its result."""
    validation = Validation(operations.STORE_GET)

    assert validation.require("a", True, "rule")
    assert not validation.require("a", False, "rule")


def test_the_error_names_the_call_and_every_fault() -> None:
    """The error names the call and every fault, in the order of the checks."""
    validation = Validation(operations.STORE_GET)
    validation.require("a", False, "must be b")
    validation.require("c", False, "must be d")
    validation.require("a", False, "must not be e")

    with pytest.raises(InvalidRequestError) as caught:
        validation.finish()

    assert str(caught.value) == "store.get was not sent: a must be b, must not be e; c must be d"
    assert caught.value.errors == {"a": ("must be b", "must not be e"), "c": ("must be d",)}


def test_a_field_that_a_caller_names_forges_no_line_of_a_log() -> None:
    """The keys of metadata are the caller's, and perhaps a customer's."""
    validation = Validation(operations.STORE_GET)
    validation.metadata("metadata", {"a\nERROR: paid": 5})

    with pytest.raises(InvalidRequestError) as caught:
        validation.finish()

    assert "metadata.a\\nERROR: paid must be" in str(caught.value)
    assert list(caught.value.errors) == ["metadata.a\nERROR: paid"]


@pytest.mark.parametrize("value", [1, 501, 2**63 - 1])
def test_positive_integers_are_ids(value: int) -> None:
    """Positive integers up to the database's largest are ids."""
    assert faults(lambda check: check.identifier("id", value)) == {}


@pytest.mark.parametrize(
    "value", [0, -1, 2**63, True, False, "501", "../store", 501.0, None, [501], b"501"]
)
def test_anything_but_a_positive_integer_is_no_id(value: object) -> None:
    """Anything else could change the address that the call goes to."""
    assert faults(lambda check: check.identifier("id", value)) == {"id": (ID_RULE,)}


@pytest.mark.parametrize("value", [300, 301, 86_400])
def test_the_ends_of_a_range_are_accepted(value: int) -> None:
    """Both ends of a range belong to it."""
    assert faults(lambda check: check.integer("n", value, 300, 86_400)) == {}


@pytest.mark.parametrize("value", [299, 86_401, 0, -300, True, "300", 300.0, None])
def test_numbers_out_of_range_are_refused(value: object) -> None:
    """Anything else is refused with the range."""
    assert faults(lambda check: check.integer("n", value, 300, 86_400)) == {
        "n": ("must be an integer from 300 to 86400",)
    }


def test_a_boolean_is_no_number() -> None:
    """A boolean is refused even if one is in range."""
    assert faults(lambda check: check.integer("n", True, 1, 24)) != {}


@pytest.mark.parametrize("value", ["x", "x" * 191, "أحمد", " a ", "a\nb", "😀" * 191])
def test_strings_of_any_script_are_accepted(value: str) -> None:
    """1 to 191 characters, in any script."""
    assert faults(lambda check: check.text("t", value)) == {}


@pytest.mark.parametrize(
    "value", ["", " ", "\t\n", "\u00a0", "x" * 192, None, 5, b"x", ["x"], "\ud800", "a\udfff"]
)
def test_a_bad_string_is_refused(value: object) -> None:
    """Nothing, blanks, too much, and half a character are refused."""
    assert faults(lambda check: check.text("t", value)) == {"t": (TEXT_RULE,)}


@pytest.mark.parametrize("value", ["\ud7ff", "\ue000"])
def test_only_surrogates_are_refused(value: str) -> None:
    """Only the halves of a pair are refused."""
    assert faults(lambda check: check.text("t", value)) == {}


def test_a_text_says_whether_it_holds() -> None:
    """Further checks of a string depend on it."""
    validation = Validation(operations.STORE_GET)

    assert validation.text("t", "x")
    assert not validation.text("t", "")


def test_the_limit_of_a_string_can_be_set() -> None:
    """A string's limit can be set."""
    assert faults(lambda check: check.text("t", "abc", 2)) == {
        "t": ("must be a string of 1 to 2 characters",)
    }


@pytest.mark.parametrize("value", ["a@b", "a.b+c@d.sa", "م@مثال.السعودية", "x" * 189 + "@y"])
def test_plausible_emails_are_accepted(value: str) -> None:
    """Whether an address exists is for RMZ to say."""
    assert faults(lambda check: check.email("email", value)) == {}


@pytest.mark.parametrize(
    "value", ["a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\n", "a @b", "\u200fa@b", "a@b\0"]
)
def test_a_bad_email_is_refused(value: str) -> None:
    """An email has one at sign, something around it, and neither blanks nor invisible marks."""
    assert faults(lambda check: check.email("email", value)) == {
        "email": ("must be an e-mail address",)
    }


@pytest.mark.parametrize("value", ["", None, 5, "x" * 190 + "@y"])
def test_an_email_that_is_no_string_gets_one_reason(value: object) -> None:
    """A value that is no string gets that single reason."""
    assert faults(lambda check: check.email("email", value)) == {"email": (TEXT_RULE,)}


@pytest.mark.parametrize(
    "value",
    [
        "https://app.example/ok",
        "http://localhost:3000/ok?a=1#b",
        "HTTPS://app.example",
        "https://متجر.السعودية/ok",
        "https://[::1]/ok",
    ],
)
def test_absolute_web_addresses_are_accepted(value: str) -> None:
    """Absolute web addresses, a developer's own machine included."""
    assert faults(lambda check: check.url("u", value)) == {}


@pytest.mark.parametrize(
    "value",
    [
        "",
        "/ok",
        "ok",
        "//app.example/ok",
        "app.example/ok",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://app.example",
        "https://",
        "https:///ok",
        "https://:443/ok",
        "https://app.example:0/",
        "https://app.example:99999/",
        "https://app.example:x/",
        "https://[::1/ok",
        "https://app.example/a b",
        "https://app.example/\r\nX: y",
        "java\tscript:alert(1)",
        "https://app.example/\ud800",
        None,
        5,
        b"https://app.example",
    ],
)
def test_a_bad_url_is_refused(value: object) -> None:
    """A URL that a browser would not open as a page of the shop is refused."""
    assert faults(lambda check: check.url("u", value)) == {"u": (URL_RULE,)}


@pytest.mark.parametrize("count", [0, 20])
def test_up_to_20_keys_are_accepted(count: int) -> None:
    """Up to 20 keys."""
    metadata = {f"k{number}": "v" for number in range(count)}

    assert faults(lambda check: check.metadata("metadata", metadata)) == {}


def test_the_21st_key_is_refused() -> None:
    """The 21st key is refused."""
    metadata = {f"k{number}": "v" for number in range(21)}

    assert faults(lambda check: check.metadata("metadata", metadata)) == {
        "metadata": ("must have at most 20 keys",)
    }


@pytest.mark.parametrize("value", ["", "x" * 500, "ع" * 500])
def test_strings_of_500_characters_are_metadata(value: object) -> None:
    """Strings of up to 500 characters, not bytes."""
    assert faults(lambda check: check.metadata("m", {"k": value})) == {}


@pytest.mark.parametrize(
    "value",
    ["x" * 501, 1, True, 1.5, None, [], {}, b"x", "\ud800"],
)
def test_a_bad_metadata_value_is_named_by_its_key(value: object) -> None:
    """Anything else is refused under its own key."""
    assert faults(lambda check: check.metadata("m", {"good": "1", "bad": value})) == {
        "m.bad": ("must be a string of at most 500 characters",)
    }


@pytest.mark.parametrize("key", [1, None, True, b"k", "\ud800"])
def test_metadata_keys_are_texts(key: object) -> None:
    """A key that cannot be sent is refused, and its value is not looked at."""
    assert faults(lambda check: check.metadata("m", {key: object(), "k": None})) == {
        "m": ("must have strings as keys",),
        "m.k": ("must be a string of at most 500 characters",),
    }


@pytest.mark.parametrize("value", [None, [], "x", 5, [("k", "v")]])
def test_metadata_is_a_mapping(value: object) -> None:
    """A list of pairs is no metadata."""
    assert faults(lambda check: check.metadata("m", value)) == {"m": ("must be a mapping",)}


SARA = NewCustomer(
    country_code="+965", phone="99887766", first_name="Sara", last_name="Omar", email="s@o.kw"
)


@pytest.mark.parametrize("described_as", [NewCustomer, PhoneNumber])
def test_a_known_customer_is_named_by_the_id_only(described_as: type) -> None:
    """A known customer is named only by the id."""
    validation = Validation(operations.STORE_GET)

    assert validation.customer("customer", 4501, described_as) == {"id": 4501}
    validation.finish()


def test_a_new_customer_is_sent_by_rmzs_names() -> None:
    """A new customer is sent under RMZ's names, without the plus."""
    validation = Validation(operations.STORE_GET)

    assert validation.customer("customer", SARA, NewCustomer) == {
        "country_code": "965",
        "phone": "99887766",
        "firstName": "Sara",
        "lastName": "Omar",
        "email": "s@o.kw",
    }
    validation.finish()


def test_a_phone_number_names_a_customer() -> None:
    """The portal needs a number and nothing else."""
    number = PhoneNumber(country_code="966", phone="512345678")
    validation = Validation(operations.STORE_GET)

    assert validation.customer("customer", number, PhoneNumber) == {
        "country_code": "966",
        "phone": "512345678",
    }
    validation.finish()


def test_a_fault_of_a_new_customer_is_named_by_its_path() -> None:
    """Each part of a customer is checked, under the path that RMZ would name."""
    nobody = NewCustomer(country_code="", phone="", first_name="", last_name="", email="x")

    assert faults(lambda check: check.customer("customer", nobody, NewCustomer)) == {
        "customer.firstName": (TEXT_RULE,),
        "customer.lastName": (TEXT_RULE,),
        "customer.email": ("must be an e-mail address",),
        "customer.country_code": ("must have 1 to 5 digits, and has none",),
        "customer.phone": ("must have 5 to 15 digits, and has none",),
    }


def test_a_fault_of_a_phone_number_is_refused() -> None:
    """A number that is given without a customer is checked too."""
    nobody = PhoneNumber(country_code="x", phone="1")

    assert set(faults(lambda check: check.customer("customer", nobody, PhoneNumber))) == {
        "customer.country_code",
        "customer.phone",
    }


@pytest.mark.parametrize("value", [0, -1, True, "4501", 2**63, None, {"id": 1}])
@pytest.mark.parametrize("described_as", [NewCustomer, PhoneNumber])
def test_the_refusal_of_a_customer_says_what_is_accepted(value: object, described_as: type) -> None:
    """The refusal names what the call takes."""
    assert faults(lambda check: check.customer("customer", value, described_as)) == {
        "customer": (f"must be a positive integer or a {described_as.__name__}",)
    }


@pytest.mark.parametrize(
    ("value", "described_as"),
    [(SARA, PhoneNumber), (PhoneNumber(country_code="966", phone="512345678"), NewCustomer)],
)
def test_each_call_takes_its_own_customer(value: object, described_as: type) -> None:
    """A number is not enough for a checkout, and the portal creates no customer."""
    assert set(faults(lambda check: check.customer("customer", value, described_as))) == {
        "customer"
    }


def test_the_fields_of_a_phone_number_have_its_place_in_their_names() -> None:
    """The place of a number is part of the fields' names."""
    assert set(faults(lambda check: check.phone_number("", None, None))) == {
        "country_code",
        "phone",
    }


class Number(IntEnum):
    """A caller's own name for an id."""

    GOLD = 501


class Index:
    """An integer of another library, as numpy's are."""

    def __index__(self) -> int:
        return 501


class Truth:
    """A truth value of another library, as numpy's are: it only seems to be an integer."""

    def __index__(self) -> int:
        raise TypeError


@pytest.mark.parametrize("value", [501, Number.GOLD, Index()])
def test_an_integer_of_any_kind_is_taken_as_a_plain_one(value: object) -> None:
    """The value that is sent is an int, so that it can be written as JSON."""
    check = Validation(operations.ORDERS_CREATE)

    numbers = [
        check.identifier("id", value),
        check.integer("days", value, 1, 501),
        check.count("quantity", value),
        check.customer("customer", value, NewCustomer)["id"],
    ]
    check.finish()

    assert numbers == [501] * 4
    assert {type(number) for number in numbers} == {int}


@pytest.mark.parametrize("value", [True, Truth(), 501.0, "501", None])
def test_an_integer_lookalike_is_refused(value: object) -> None:
    """A bool, a string and a float are mistakes."""
    check = Validation(operations.ORDERS_CREATE)

    check.identifier("id", value)
    check.integer("days", value, 1, 501)
    check.count("quantity", value)

    with pytest.raises(InvalidRequestError) as caught:
        check.finish()
    assert set(caught.value.errors) == {"id", "days", "quantity"}
