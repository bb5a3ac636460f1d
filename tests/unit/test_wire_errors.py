"""Errors that RMZ's answers become: the class, the message and what is kept of the answer."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from rmz_async import errors
from rmz_async._calls.wire import error_of
from rmz_async.errors import APIError
from tests.unit.refusals import EXTEND, NOW, answer, error


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


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("line\nERROR forged", "(line\\nERROR forged)"),
        ("\x1b[2J\u202e\ud800", "(\\x1b[2J\\u202e\\ud800)"),
        ("غير موجود \u200c", "(غير موجود \u200c)"),
        ("x" * 500, f"({'x' * 500})"),
        ("x" * 501, f"({'x' * 500}…)"),
        ("\n" + "x" * 499, f"(\\n{'x' * 499})"),
        ("\n" + "x" * 500, f"(\\n{'x' * 499}…)"),
    ],
)
def test_a_message_quotes_rmz_in_one_short_printable_line(written: str, shown: str) -> None:
    """A line break could forge a line of a log; the attribute has the words as they came."""
    found = error(404, {"message": written})

    assert found.message == written
    assert f"RMZ answered 404 {shown}: " in str(found)


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
        "10 seconds ago is refused like this; read the subscription before you extend it again"
    )
