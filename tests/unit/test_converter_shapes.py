"""Whole objects: what is unknown, what is missing, and what an error says."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from rmz_async import from_dict
from rmz_async._decoding import converter as _converter
from rmz_async._decoding.converter import decode
from rmz_async.models import (
    CheckoutSession,
    Customer,
    JSONObject,
    Price,
    Subscription,
    SubscriptionLookup,
)
from rmz_async.pagination import Page
from tests.seams import Part, inside

ROOT = Path(__file__).parents[2]
MINIMAL = {"id": 501, "status": "active"}
PAGE = {
    "current_page": 2,
    "data": [MINIMAL, {"id": 502, "status": "paused"}],
    "first_page_url": "https://elsewhere.example/?page=1",
    "from": 16,
    "next_page_url": "https://elsewhere.example/?page=3",
    "path": "https://elsewhere.example/",
    "per_page": 15,
    "prev_page_url": None,
    "to": 17,
}


def refusal(data: object, into: Any) -> str:
    """Return the message of the error."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the caller compares the message
        decode(data, into)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    return str(caught.value)


def test_only_id_and_status_are_needed() -> None:
    """Lists, lookups and changes leave other keys out; they are then None."""
    found = decode(MINIMAL, Subscription)

    assert found == Subscription(id=501, status="active")
    assert found.current_period_end is None
    assert found.extra == {}


@pytest.mark.parametrize("missing", ["id", "status"])
def test_an_id_and_a_status_are_required(missing: str) -> None:
    """A subscription without its id or its status is no subscription."""
    data = {key: value for key, value in MINIMAL.items() if key != missing}

    assert refusal(data, Subscription) == f"required field missing @ data.{missing}"


@pytest.mark.parametrize("data", [None, [], "x", 5, True, [MINIMAL]])
@pytest.mark.parametrize("into", [Subscription, Page[Subscription]])
def test_an_answer_that_is_no_object_is_refused(data: object, into: Any) -> None:
    """An answer of another kind is refused as a whole."""
    assert refusal(data, into) == "expected an object @ data"


def test_every_fault_is_named_with_its_path() -> None:
    """The error names all faults, however deep they lie, also those that would cost no answer."""
    data = {"id": "x", "price": {"amount": "much", "currency": 5.5}, "order_id": 7}

    assert sorted(refusal(data, Subscription).split("; ")) == [
        "expected a string @ data.price.currency",
        "expected an amount @ data.price.amount",
        "expected an integer @ data.id",
        "required field missing @ data.status",
    ]


def test_faults_in_lists_are_named() -> None:
    """The first of several objects that is wrong is named by its place."""
    wrong = [MINIMAL, {"id": "x", "status": "a"}, {"id": "y"}]
    data = {"count": 1, "has_active": True, "subscriptions": wrong}

    assert refusal(data, SubscriptionLookup) == "expected an integer @ data.subscriptions[1].id"


def test_no_value_is_shown() -> None:
    """An answer may hold personal data, and an error lands in logs."""
    data = {"id": "sara@example.com", "status": {"sara": 1}, "price": {"amount": "sara"}}

    assert "sara" not in refusal(data, Subscription)


def test_unknown_keys_are_kept() -> None:
    """At every level, as they came."""
    found = decode(
        {
            **MINIMAL,
            "color": {"deep": [1]},
            "price": {"amount": 49, "vat": 7},
            "customer": {"id": 1, "vip": True},
        },
        Subscription,
    )

    assert found.extra == {"color": {"deep": [1]}}
    assert found.price is not None
    assert found.price.extra == {"vat": 7}
    assert found.customer is not None
    assert found.customer.extra == {"vip": True}


def test_unknown_keys_are_read_only() -> None:
    """The keys that came cannot be changed."""
    extra = decode({**MINIMAL, "color": "red"}, Subscription).extra

    assert type(extra) is JSONObject
    with pytest.raises(TypeError):
        extra["color"] = "blue"  # type: ignore[index] # pyright: ignore[reportIndexIssue] # the very mistake


def test_unknown_keys_keep_their_order() -> None:
    """As they came, whatever stood between them."""
    found = decode({"z": 1, **MINIMAL, "a": None, "price": None, "m": 2}, Subscription)

    assert list(found.extra.items()) == [("z", 1), ("a", None), ("m", 2)]


def test_decoding_does_not_change_its_argument() -> None:
    """An event keeps the data that its subscription was made of."""
    data: dict[str, Any] = {**MINIMAL, "variant": {"id": 1, "new": 2}, "color": "red"}

    decode(data, Subscription)

    assert data == {**MINIMAL, "variant": {"id": 1, "new": 2}, "color": "red"}


@pytest.mark.parametrize("into", [Subscription, CheckoutSession, Price])
def test_a_required_field_must_not_be_null(into: Any) -> None:
    """Null is refused if the field always has a value."""
    (name, *_) = (field.name for field in attrs.fields(into) if field.default is attrs.NOTHING)
    data = {"id": 1, "status": "x", "session_id": "x", "checkout_url": "x", "amount": 1}

    assert refusal({**data, name: None}, into).endswith(f" @ data.{name}")


@pytest.mark.parametrize(
    ("code", "loaded"),
    [
        ("import rmz_async", set[str]()),
        ("import rmz_async; rmz_async.from_dict(rmz_async.Customer, {})", {"cattrs"}),
        ("import rmz_sync", {"anyio.lowlevel", "anyio.to_thread", "cattrs"}),
    ],
)
def test_libraries_come_with_the_first_call_or_with_the_sync_package(
    code: str, loaded: set[str]
) -> None:
    """A child of a process that forks during the import would hang."""
    code += "; import sys; print(*{'anyio.lowlevel', 'anyio.to_thread', 'cattrs'} & {*sys.modules})"

    process = subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True
    )

    assert set(process.stdout.decode().split()) == loaded


@pytest.mark.parametrize("value", ["text", 5, None, {"a": 1}, []])
def test_a_key_named_extra_is_an_unknown_key(value: object) -> None:
    """RMZ may call a key as this project calls its own attribute: it is unknown like others."""
    found = decode({**MINIMAL, "extra": value, "unreadable": value}, Subscription)

    assert found.extra == {"extra": value, "unreadable": value}
    assert not found.unreadable
    assert from_dict(Subscription, found.to_dict()) == found


def test_a_key_named_extra_is_no_fault() -> None:
    """If something else is wrong, that key is not blamed."""
    assert refusal({"id": "x", "status": "a", "extra": 5}, Subscription) == (
        "expected an integer @ data.id"
    )


def test_wire_names() -> None:
    """RMZ's own spelling is read."""
    found = decode({"id": 1, "firstName": "Sara", "lastName": "Omar"}, Customer)

    assert (found.first_name, found.last_name) == ("Sara", "Omar")


def test_pythons_names_are_not_the_wires() -> None:
    """A key that RMZ does not document is unknown, even if Python's field is called so."""
    found = decode({"id": 1, "first_name": "Sara"}, Customer)

    assert found.first_name is None
    assert found.extra == {"first_name": "Sara"}


def test_a_fault_names_the_wires_field() -> None:
    """Paths are those of the answer, which RMZ's support can read too."""
    data = {"current_page": 1, "data": [], "next_page_url": 5}

    assert refusal(data, Page[Subscription]) == ("expected an address or null @ data.next_page_url")


FULL: dict[str, Any] = {
    **MINIMAL,
    "price": {"amount": 49, "extra": 1},
    "variant": {"id": 3, "price": 49},
    "metadata": {"a": 1},
    "features": ["x"],
    "ends_at": "2026-01-01",
    "color": "red",
}


@pytest.mark.parametrize(
    ("data", "into"),
    [
        (FULL, Subscription),
        ({"count": 1, "has_active": "1", "subscriptions": [FULL], "x": 1}, SubscriptionLookup),
        (PAGE, Page[Subscription]),
        ({"id": 1, "firstName": "Sara", "extra": {}}, Customer),
    ],
    ids=["subscription", "lookup", "page", "customer"],
)
def test_both_converters_agree(data: object, into: Any) -> None:
    """The explaining converter reads what the fast one reads."""
    fast = inside(_converter, Part.STRUCTURE)(into, False)(data, into)

    assert fast == inside(_converter, Part.STRUCTURE)(into, True)(data, into) == decode(data, into)
    assert type(fast) is type(decode(data, into))


def test_a_page_has_its_numbers_and_items() -> None:
    """Number, items, size, and whether there is more."""
    found = decode(PAGE, Page[Subscription])

    assert found.number == 2
    assert [item.id for item in found.items] == [501, 502]
    assert found.per_page == 15
    assert found.has_next


def test_the_last_page_has_no_next() -> None:
    """A null address of the next page ends the list."""
    assert not decode({**PAGE, "next_page_url": None}, Page[Subscription]).has_next


@pytest.mark.parametrize(
    ("address", "has_next"), [("", False), (" ", False), ("javascript:x", True), ("?page=3", True)]
)
def test_any_address_says_that_a_page_follows(address: str, has_next: bool) -> None:
    """The address itself may point anywhere, and is not read."""
    assert decode({**PAGE, "next_page_url": address}, Page[Subscription]).has_next is has_next


@pytest.mark.parametrize("key", ["current_page", "data", "next_page_url"])
def test_a_page_without_a_documented_key_is_refused(key: str) -> None:
    """A cut frame would look like the end of the list."""
    data = {name: value for name, value in PAGE.items() if name != key}

    assert refusal(data, Page[Subscription]) == f"required field missing @ data.{key}"


@pytest.mark.parametrize("last", [3, "3"])
def test_a_page_that_ends_before_the_last_one_is_refused(last: object) -> None:
    """Nothing follows, and a later page is named as the last: one of both is wrong."""
    data = {**PAGE, "next_page_url": None, "last_page": last}

    assert refusal(data, Page[Subscription]) == (
        "no page follows, and last_page names a later one @ data"
    )
    assert not decode({**data, "last_page": 2}, Page[Subscription]).has_next
    assert decode({**PAGE, "last_page": 3}, Page[Subscription]).has_next


@pytest.mark.parametrize("last", [None, "x", [], {}, True, Decimal("3.5")])
def test_a_last_page_that_is_no_number_says_nothing(last: object) -> None:
    """RMZ documents no such key."""
    data = {**PAGE, "next_page_url": None, "last_page": last}

    assert not decode(data, Page[Subscription]).has_next


def test_numbers_of_a_page_may_be_strings() -> None:
    """MySQL's strings are numbers here too."""
    found = decode({**PAGE, "current_page": "2", "per_page": "15"}, Page[Subscription])

    assert (found.number, found.per_page) == (2, 15)


@pytest.mark.parametrize("per_page", [None, ..., "x", [], {}, True, Decimal("12.5")])
def test_a_page_may_lack_its_size(per_page: object) -> None:
    """No decision depends on the size, so that a strange one costs no page."""
    data = {**PAGE, "per_page": per_page}
    if per_page is ...:
        del data["per_page"]

    assert decode(data, Page[Subscription]).per_page is None


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"current_page": None}, "expected an integer @ data.current_page"),
        ({"current_page": "x"}, "expected an integer @ data.current_page"),
        ({"data": None}, "expected a list @ data.data"),
        ({"data": "x"}, "expected a list @ data.data"),
        ({"data": [MINIMAL, 5]}, "expected an object @ data.data[1]"),
        ({"data": [{"id": 1}]}, "required field missing @ data.data[0].status"),
    ],
)
def test_a_wrong_part_of_a_page_is_named(change: dict[str, Any], rule: str) -> None:
    """A page with a wrong part is refused, and the part is named."""
    assert refusal({**PAGE, **change}, Page[Subscription]) == rule


def test_from_dict_reads_floats_exactly() -> None:
    """A float that ``json.loads`` made becomes the Decimal that it shows."""
    found = from_dict(Price, {"amount": 199.99, "vat": {"rates": [0.15]}})

    assert str(found.amount) == "199.99"
    assert str(found.extra["vat"]["rates"][0]) == "0.15"


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), "NaN"])
def test_from_dict_refuses_what_is_no_amount(amount: object) -> None:
    """``json.loads`` lets NaN through, and an amount must not be that."""
    with pytest.raises(ValueError, match=r"expected an amount @ data\.amount"):
        from_dict(Price, {"amount": amount})


def test_from_dict_does_not_change_its_argument() -> None:
    """The caller's data stays as it was."""
    data: dict[str, Any] = {"amount": 1.5, "vat": {"rates": [0.15]}}

    from_dict(Price, data)

    assert data == {"amount": 1.5, "vat": {"rates": [0.15]}}
    assert type(data["amount"]) is float


def test_from_dict_takes_any_mapping() -> None:
    """A read-only mapping is data as well."""
    assert from_dict(Price, JSONObject({"amount": 5})).amount == 5


def test_from_dict_names_faults() -> None:
    """Data of no such model are refused with their path."""
    with pytest.raises(ValueError, match=r"required field missing @ data\.checkout_url"):
        from_dict(CheckoutSession, {"session_id": "cs_1"})


@pytest.mark.parametrize("data", [[1], [("id", 1)], "x", 5, None])
def test_from_dict_takes_no_other(data: Any) -> None:
    """A value that is no mapping is refused as other data are."""
    with pytest.raises(ValueError, match=r"^expected an object @ data$"):
        from_dict(CheckoutSession, data)
