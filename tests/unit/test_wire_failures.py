"""Errors by what a caller may do next, and those that somebody in between sent."""

from __future__ import annotations

import json

import pytest

from rmz_async import errors, operations
from rmz_async._calls.outcome import Answer, Failure
from rmz_async._calls.wire import error_of, failure_of, is_documented, refuses_token
from rmz_async.operations import Operation
from tests.unit.refusals import EXTEND, GET, NOW, answer, error


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
