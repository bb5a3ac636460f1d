from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from rmz_async import errors, operations
from rmz_async._calls.outcome import Answer, Failure
from rmz_async._calls.wire import error_of, failure_of, is_documented, refuses_token
from rmz_async.errors import APIError
from rmz_async.operations import Operation

GET = operations.SUBSCRIPTIONS_GET
EXTEND = operations.SUBSCRIPTIONS_EXTEND
NOW = 1445412480.0


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    """An answer with RMZ's JSON, to which a body adds; or with the bytes given."""
    if body is None or isinstance(body, dict):
        marked = {"error": True} if status in (403, 404) else {}
        body = {"message": None, **marked, **(body or {})}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, {"content-type": "application/json", **given}, raw)


def error(
    status: int,
    body: Any = None,
    operation: Operation = GET,
    sent: tuple[str, ...] = (),
    **headers: str,
) -> APIError:
    """The error for such an answer."""
    return error_of(operation, answer(status, body, **headers), sent=sent, now=NOW)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (300, errors.UnexpectedAnswerError),
        (302, errors.UnexpectedAnswerError),
        (399, errors.UnexpectedAnswerError),
        (400, errors.BadRequestError),
        (401, errors.AuthenticationError),
        (403, errors.PermissionDeniedError),
        (404, errors.NotFoundError),
        (405, errors.APIError),
        (408, errors.APIError),
        (409, errors.ConflictError),
        (418, errors.APIError),
        (422, errors.UnprocessableEntityError),
        (429, errors.RateLimitError),
        (499, errors.APIError),
        (500, errors.ServerError),
        (502, errors.ServerError),
        (503, errors.ServerError),
        (504, errors.ServerError),
        (599, errors.ServerError),
    ],
)
def test_each_status_has_its_class(status: int, expected: type[APIError]) -> None:
    """Each status has its own class, and no other."""
    found = error(status)

    assert type(found) is expected
    assert found.status == status
    assert found.operation == "subscriptions.get"


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, "a rule of the shop forbids this"),
        (401, "check the token"),
        (403, "RMZ+"),
        (404, "there is no such object in this store"),
        (409, "read it first"),
        (418, "this status is not documented"),
        (422, "no field is named, so RMZ's message is all there is"),
        (429, "wait before the next call"),
        (500, "retry later"),
    ],
)
def test_each_status_has_its_advice(status: int, advice: str) -> None:
    """Each message says what to do next."""
    assert str(error(status)).startswith(f"subscriptions.get: RMZ answered {status}: ")
    assert advice in str(error(status))


def test_a_redirect_says_that_it_was_not_followed() -> None:
    """The token goes nowhere else."""
    assert "a redirect, which is never followed with a token" in str(error(302))


def test_an_error_envelope_is_read() -> None:
    """Message and time are what RMZ wrote."""
    found = error(
        404,
        {
            "message": "Subscription not found",
            "data": None,
            "error": True,
            "api": "rmz.shawarma",
            "timestamp": 1700000000,
        },
    )

    assert found.message == "Subscription not found"
    assert found.timestamp == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert found.errors == {}
    assert str(found) == (
        "subscriptions.get: RMZ answered 404 (Subscription not found): "
        "there is no such object in this store"
    )


def test_a_bare_401_is_read() -> None:
    """The answer to a wrong token has a message and nothing else."""
    found = error(401, {"message": "Unauthenticated."})

    assert (found.message, found.timestamp, found.errors) == ("Unauthenticated.", None, {})


def test_refused_fields() -> None:
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
    [{"id": 5}, {"slug": "taken"}, {"a": [1]}, {"slug": ["taken"], "id": 5}, {}, [], None],
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


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("line\nERROR forged", "(line\\nERROR forged)"),
        ("\x1b[2J\u202e\ud800", "(\\x1b[2J\\u202e\\ud800)"),
        ("غير موجود \u200c", "(غير موجود \u200c)"),
        ("x" * 500, f"({'x' * 500})"),
        ("x" * 501, f"({'x' * 500}…)"),
    ],
)
def test_a_message_quotes_rmz_in_one_short_printable_line(written: str, shown: str) -> None:
    """A line break could forge a line of a log; the attribute has the words as they came."""
    found = error(404, {"message": written})

    assert found.message == written
    assert f"RMZ answered 404 {shown}: " in str(found)


def test_a_message_quotes_field_errors_in_one_short_printable_line() -> None:
    """Reasons are RMZ's words as well, and a field's name may be anything."""
    found = error(422, {"errors": {"a\nb": ["x\r" + "y" * 600]}})

    assert found.errors == {"a\nb": ("x\r" + "y" * 600,)}
    assert "(a\\nb: x\\ry" in str(found)
    assert len(str(found)) < 600


@pytest.mark.parametrize("body", [{}, {"message": None}, {"message": ["x"]}])
def test_an_error_without_a_message_says_what_to_do(body: object) -> None:
    """An error without a message of RMZ's own still says what to do."""
    found = error(404, body)

    assert found.message == ""
    assert str(found) == (
        "subscriptions.get: RMZ answered 404: there is no such object in this store"
    )


@pytest.mark.parametrize("stamp", [None, "1700000000", 1.5, True, -1, 2**33, [], 10**30])
def test_a_senseless_timestamp_counts_as_missing(stamp: object) -> None:
    """A number that is no Unix time of our days counts as missing."""
    assert error(500, {"timestamp": stamp}).timestamp is None


@pytest.mark.parametrize("stamp", [0, 2**33 - 1])
def test_the_ends_of_a_timestamp(stamp: int) -> None:
    """Times from 1970 on are read."""
    assert error(500, {"timestamp": stamp}).timestamp == datetime.fromtimestamp(stamp, UTC)


def test_a_proxys_html_is_kept_in_part() -> None:
    """A page in place of JSON is kept as its first 2,000 characters."""
    found = error(502, b"<html>" + b"x" * 5_000)

    assert type(found) is errors.ServerError
    assert found.body == "<html>" + "x" * 1_994
    assert found.message == ""


def test_bytes_that_are_not_utf_8_are_shown_in_part() -> None:
    """Bytes that are not UTF-8 are shown as far as they can be."""
    assert error(502, b"\xffabc").body == "\ufffdabc"


def test_a_json_body_is_kept_decoded() -> None:
    """The whole answer is there for callers that need more of it, with exact numbers."""
    assert error(400, b'{"balance": 99.00}').body == {"balance": Decimal("99.00")}


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


def test_retry_after_is_told() -> None:
    """The time to wait stands in the message and beside it."""
    found = error(429, {"message": "Too Many Requests"}, retry_after="7")

    assert found.retry_after == 7.0
    assert str(found) == "subscriptions.get: RMZ answered 429 (Too Many Requests): wait 7 s"


def test_retry_after_may_be_a_date() -> None:
    """A date is counted from now."""
    assert error(503, retry_after="Wed, 21 Oct 2015 07:29:00 GMT").retry_after == 60.0


def test_retry_after_does_not_replace_the_advice() -> None:
    """A time to wait does not replace the advice of an error that is no rate limit."""
    found = error(503, retry_after="7")

    assert found.retry_after == 7.0
    assert "RMZ failed; retry later" in str(found)


@pytest.mark.parametrize("headers", [{}, {"retry_after": "7"}])
def test_a_429_of_an_extension_never_says_to_retry(headers: dict[str, str]) -> None:
    """The answer may be the echo of a success: the message must never say to wait and retry."""
    limited = answer(429, {"message": "Too Many Requests"}, **headers)
    found = error_of(EXTEND, limited, sent=("days",), now=NOW)

    assert type(found) is errors.RateLimitError
    assert str(found) == (
        "subscriptions.extend: RMZ answered 429 (Too Many Requests): an equal extension less than "
        "10 seconds ago is refused like this; read the subscription before another attempt"
    )


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (301, Failure.UNREADABLE),
        (399, Failure.UNREADABLE),
        (400, Failure.CONFLICT),
        (401, Failure.FINAL),
        (403, Failure.FINAL),
        (404, Failure.FINAL),
        (408, Failure.AMBIGUOUS),
        (409, Failure.CONFLICT),
        (410, Failure.FINAL),
        (422, Failure.CONFLICT),
        (425, Failure.AMBIGUOUS),
        (499, Failure.FINAL),
        (500, Failure.AMBIGUOUS),
        (502, Failure.AMBIGUOUS),
        (504, Failure.AMBIGUOUS),
        (599, Failure.AMBIGUOUS),
    ],
)
def test_each_status_is_one_kind_of_failure(status: int, failure: Failure) -> None:
    """Each status is one kind of failure."""
    assert failure_of(GET, answer(status)) is failure


@pytest.mark.parametrize(
    ("headers", "failure"),
    [
        ({"retry_after": "7", "x_ratelimit_remaining": "0"}, Failure.THROTTLED),
        ({"retry_after": "7", "x_ratelimit_remaining": "41"}, Failure.REFUSED),
        ({"retry_after": "7"}, Failure.REFUSED),
        ({"x_ratelimit_remaining": "0"}, Failure.REFUSED),
        ({}, Failure.REFUSED),
    ],
)
def test_the_throttle_needs_both_its_marks(headers: dict[str, str], failure: Failure) -> None:
    """The throttle's marks stand on the duplicate guard's answers too, but never both."""
    assert failure_of(GET, answer(429, **headers)) is failure


FOREIGN = {
    "nginx": (b"<html><h1>404 Not Found</h1></html>", "text/html"),
    "no body": (b"", "application/json"),
    "no type": (b'{"message": "Not Found"}', ""),
    "a list": (b"[]", "application/json"),
    "another API": (b'{"error": {"code": 404}}', "application/json"),
    "cut": (b'{"message": "Not Fo', "application/json"),
}
every_foreign = pytest.mark.parametrize("name", FOREIGN)
CLIENT_ERRORS = [400, 401, 403, 404, 405, 409, 418, 422, 429]


def foreign(status: int, name: str) -> Answer:
    """An answer of somebody in between."""
    body, content_type = FOREIGN[name]
    return Answer(status, {"content-type": content_type}, body)


@every_foreign
@pytest.mark.parametrize("status", CLIENT_ERRORS)
def test_an_error_of_somebody_in_between_is_not_rmzs(status: int, name: str) -> None:
    """A payer is not refused because a proxy has a page for 404, or a firewall one for 403."""
    found = error_of(GET, foreign(status, name), sent=(), now=NOW)

    assert type(found) is errors.UnexpectedAnswerError
    assert found.status == status
    assert "between this machine and RMZ" in str(found)
    assert not is_documented(foreign(status, name))
    assert not refuses_token(foreign(status, name))


@every_foreign
@pytest.mark.parametrize("status", CLIENT_ERRORS)
@pytest.mark.parametrize("operation", operations.OPERATIONS, ids=lambda row: row.name)
def test_a_change_that_somebody_in_between_answered_may_have_been_applied(
    operation: Operation, status: int, name: str
) -> None:
    """A read is given up; only after a 429 another attempt may help it."""
    found = failure_of(operation, foreign(status, name))

    again = status == 429 and operation.method == "GET"
    assert found is (Failure.REFUSED if again else Failure.UNREADABLE)


def test_an_error_whose_body_cannot_be_read_is_told_by_its_head() -> None:
    """A broken compression hides neither the status nor the type of the body."""
    cut = Answer(401, {"content-type": "application/json; charset=utf-8"}, b"", is_whole=False)

    assert is_documented(cut)
    assert refuses_token(cut)
    assert not refuses_token(Answer(404, cut.headers, b"", is_whole=False))
    assert type(error_of(GET, cut, sent=(), now=NOW)) is errors.AuthenticationError


@pytest.mark.parametrize("status", [500, 502, 503, 599])
@every_foreign
def test_a_server_error_is_one_whoever_sends_it(status: int, name: str) -> None:
    """A proxy says with it that RMZ could not be asked."""
    assert type(error_of(GET, foreign(status, name), sent=(), now=NOW)) is errors.ServerError


def test_a_route_that_rmz_does_not_have_means_a_wrong_base_url() -> None:
    """The object may well exist: the address of the API is wrong."""
    message = "The route api/subscriptions/501 could not be found."

    found = error(404, {"message": message, "error": None})

    assert type(found) is errors.UnexpectedAnswerError
    assert "the base URL is wrong" in str(found)
    assert "/shawarma" in str(found)
    assert type(error(404, {"message": "The route is long."})) is errors.NotFoundError


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize(
    "body",
    [
        {"message": "no Route matched with those values"},
        {"message": None},
        {"message": "No such page", "error": "Not Found", "path": "/"},
    ],
)
def test_the_json_of_a_gateway_says_nothing_about_the_store(
    status: int, body: dict[str, object]
) -> None:
    """RMZ marks these two as errors of its own; an object of a paying customer may well exist."""
    theirs = answer(status, json.dumps(body).encode())

    assert type(error_of(GET, theirs, sent=(), now=NOW)) is errors.UnexpectedAnswerError
    assert failure_of(EXTEND, theirs) is Failure.UNREADABLE


def test_an_error_with_the_name_of_rmzs_api_is_rmzs() -> None:
    """An envelope need not have all of its keys."""
    theirs = answer(404, json.dumps({"message": "no", "api": "rmz.shawarma"}).encode())

    assert type(error_of(GET, theirs, sent=(), now=NOW)) is errors.NotFoundError


@pytest.mark.parametrize(
    ("status", "believed"), [(401, True), (403, False), (404, True), (422, True), (429, True)]
)
def test_the_head_alone_of_a_403_is_not_believed(status: int, believed: bool) -> None:
    """Gateways answer 403 in JSON, too, also after RMZ has applied a change."""
    head = Answer(status, {"content-type": "application/json"}, b"", is_whole=False)

    assert is_documented(head) is believed
