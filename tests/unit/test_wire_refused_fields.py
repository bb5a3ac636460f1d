"""The fields that RMZ refuses, in each form in which an answer names them."""

from __future__ import annotations

import pytest

from rmz_async import errors, operations
from rmz_async.operations import Operation
from tests.unit.refusals import error


def test_the_reasons_of_refused_fields_are_kept_in_order() -> None:
    """Each field's reasons are kept in order, and stand in the message in place of RMZ's own."""
    found = error(
        422,
        {
            "message": "The given data was invalid.",
            "errors": {"customer.phone": ["too short", "no digits"], "days": ["too many"]},
        },
    )

    assert isinstance(found, errors.InvalidRequestError)
    assert found.errors == {"customer.phone": ("too short", "no digits"), "days": ("too many",)}
    assert "(customer.phone: too short, no digits; days: too many)" in str(found)
    assert found.message == "The given data was invalid."


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ([], {}),
        (None, {}),
        ("x", {}),
        ({"a": "alone"}, {"a": ("alone",)}),
        ({"a": [1, True, 1.5, None]}, {"a": ("1", "true", '"1.5"')}),
        ({"a": []}, {"a": ()}),
        ({"a": [["x"], {"b": ["y"]}]}, {"a": ("x",), "a.b": ("y",)}),
        ({"a": [{"b": ["x", "y"]}]}, {"a.b": ("x", "y")}),
        ({"a": {"0": {"b": ["x", "y"]}}, "c": "z"}, {"a.0.b": ("x", "y"), "c": ("z",)}),
    ],
)
def test_each_form_of_errors_is_read(written: object, expected: object) -> None:
    """PHP's empty list, a single string and a missing map are all read."""
    assert error(422, {"message": "no", "errors": written}).errors == expected


@pytest.mark.parametrize("status", [400, 422])
def test_fields_under_data_are_refused_fields(status: int) -> None:
    """The pages about products document the reasons there."""
    found = error(status, {"message": "no", "data": {"slug": ["is taken"]}, "error": True})

    assert isinstance(found, errors.InvalidRequestError)
    assert found.errors == {"slug": ("is taken",)}
    assert "(slug: is taken): correct the fields named" in str(found)


def test_fields_under_data_count_beside_errors_that_name_none() -> None:
    """An empty map of errors is no reason to drop the fields."""
    found = error(422, {"message": "no", "errors": {}, "data": {"slug": ["is taken"]}})

    assert found.errors == {"slug": ("is taken",)}


@pytest.mark.parametrize(
    "data",
    [
        {"id": 5},
        {"slug": "taken"},
        {"a": [1]},
        {"slug": ["taken", 1]},
        {"slug": ["taken"], "id": 5},
        {},
        [],
        None,
    ],
)
def test_an_object_under_data_is_no_refused_field(data: object) -> None:
    """An error may have an object of the shop beside it."""
    assert error(400, {"message": "no", "data": data}).errors == {}


def test_data_of_another_status_names_no_field() -> None:
    """Only a 400 or a 422 is about fields."""
    assert error(404, {"message": "no", "data": {"slug": ["x"]}}).errors == {}


def test_a_400_that_names_fields_is_a_bad_request_and_an_invalid_one() -> None:
    """RMZ documents refused fields as 400 or 422."""
    found = error(400, {"message": "The given data was invalid.", "errors": {"days": ["no"]}})

    assert type(found) is errors.RefusedFieldsError
    assert isinstance(found, errors.BadRequestError)
    assert isinstance(found, errors.InvalidRequestError)


def test_a_422_without_fields_says_that_the_message_is_all_there_is() -> None:
    """The message must not send the caller to fields that are not named."""
    assert str(error(422, {"message": "At least one of email or phone."})) == (
        "subscriptions.get: RMZ answered 422 (At least one of email or phone.): "
        "no field is named, so RMZ's message is all there is"
    )


def test_a_message_quotes_field_errors_in_one_short_printable_line() -> None:
    """Reasons are RMZ's words as well, and a field's name may be anything."""
    found = error(422, {"errors": {"a\nb": ["x\r" + "y" * 600]}})

    assert found.errors == {"a\nb": ("x\r" + "y" * 600,)}
    assert "(a\\nb: x\\ry" in str(found)
    assert len(str(found)) < 600


CHANGES = [row for row in operations.OPERATIONS if row.refuses_states]


def test_which_calls_change_a_state() -> None:
    """The four calls whose 422 may be about the object's state."""
    assert [row.name for row in CHANGES] == [
        "subscriptions.cancel",
        "subscriptions.pause",
        "subscriptions.unpause",
        "subscriptions.extend",
    ]


@pytest.mark.parametrize("operation", CHANGES, ids=lambda row: row.name)
@pytest.mark.parametrize("fields", [None, [], {"subscription": ["is canceled"]}])
def test_a_422_about_the_state_is_a_conflict(operation: Operation, fields: object) -> None:
    """If no field that was sent is named, the object's state forbids it."""
    found = error(422, {"message": "no", "errors": fields}, operation, ("days", "effective"))

    assert type(found) is errors.ConflictError
    assert found.status == 422
    assert "the object's state does not allow this" in str(found)


@pytest.mark.parametrize("operation", CHANGES, ids=lambda row: row.name)
def test_a_422_about_a_field_is_not(operation: Operation) -> None:
    """If a field that was sent is named, the caller can correct it."""
    found = error(422, {"errors": {"days": ["no"], "x": ["no"]}}, operation, ("months", "days"))

    assert type(found) is errors.UnprocessableEntityError


def test_other_calls_have_no_state() -> None:
    """A refused session stays a refused request, whatever it names."""
    found = error(422, {"errors": []}, operations.CHECKOUT_SESSIONS_CREATE, ("product_id",))

    assert type(found) is errors.UnprocessableEntityError
