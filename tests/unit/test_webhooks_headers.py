"""The headers of a delivery, in each form in which a framework has them."""

from __future__ import annotations

from email.message import Message
from typing import Any

import pytest

from rmz_async import ConfigurationError
from rmz_async.webhooks import verify
from tests.unit.signing import BODY, SECRET, accepted, refused, sign


@pytest.mark.parametrize("name", ["Signature", "signature", "SIGNATURE", "sIgNaTuRe"])
def test_the_headers_name_may_be_in_any_case(name: str) -> None:
    """Frameworks write header names as they like."""
    accepted(BODY, {name: sign()}, secrets=[SECRET])


@pytest.mark.parametrize(
    "headers",
    [
        [(b"signature", sign().encode())],
        [(b"Signature", sign())],
        [("Signature", sign().encode())],
        [("x-other", "é"), ("signature", sign())],
    ],
)
def test_headers_may_be_pairs(headers: Any) -> None:
    """ASGI has pairs of bytes; other frameworks have pairs of strings."""
    accepted(BODY, headers, secrets=[SECRET])


def test_headers_of_the_standard_library_are_read() -> None:
    """Its class has names and values, and is no Mapping."""
    headers: Any = Message()
    headers["Signature"] = sign()
    headers["X-RMZ-Request-ID"] = "7"

    assert verify(BODY, headers, secrets=[SECRET]).request_id == "7"


@pytest.mark.parametrize(
    "pairs",
    [
        [("signature", sign()), ("x-rmz-request-id", "7")],
        [(b"signature", sign().encode()), (b"x-rmz-request-id", b"7")],
    ],
)
def test_headers_that_can_be_read_once(pairs: Any) -> None:
    """An iterator is read for the signature and for the request id."""
    assert verify(BODY, iter(pairs), secrets=[SECRET]).request_id == "7"


@pytest.mark.parametrize(
    "headers",
    [
        {"Signature": sign(), "signature": sign()},
        [("Signature", sign()), ("Signature", sign())],
        [(b"signature", sign().encode()), ("SIGNATURE", "x")],
        [("signature", ""), ("signature", sign())],
    ],
)
def test_a_doubled_signature_is_refused(headers: Any) -> None:
    """Two signatures are refused, in whatever case and even if both fit."""
    assert refused(headers) == "the signature header occurs more than once"


@pytest.mark.parametrize(
    "headers", [sign(), f"Signature: {sign()}", [("a", "b", "c")], [5], 5], ids=str
)
def test_headers_of_another_form_are_the_callers_mistake(headers: Any) -> None:
    """The signature alone, for example."""
    with pytest.raises(
        ConfigurationError, match=r"^headers: .*pass all headers .* alone$"
    ) as caught:
        verify(BODY, headers, secrets=[SECRET])

    assert caught.value.__cause__ is None


def test_headers_of_api_gateway_have_lists_of_values() -> None:
    """A list of one value is one header."""
    headers = {"signature": [sign()], "x-rmz-request-id": ("7",), "cookie": ["a", "b"]}

    assert verify(BODY, headers, secrets=[SECRET]).request_id == "7"


@pytest.mark.parametrize("values", [[sign(), sign()], [sign(), "x"]])
def test_a_list_of_two_signatures_is_a_doubled_header(values: list[str]) -> None:
    """Nothing says which of the two counts."""
    assert refused({"Signature": values}) == "the signature header occurs more than once"


def test_a_list_without_a_value_is_a_missing_header() -> None:
    """There is nothing to compare."""
    assert refused({"Signature": []}).startswith("there is no Signature header")


def test_the_environment_of_wsgi_has_the_headers_under_other_names() -> None:
    """Flask and Django pass it on; most of its values are no headers at all."""
    environ: Any = {
        "HTTP_SIGNATURE": sign(),
        "HTTP_X_RMZ_REQUEST_ID": "7",
        "wsgi.input": object(),
        "wsgi.version": (1, 0),
        5: "a key that is no string",
    }
    assert verify(BODY, environ, secrets=[SECRET]).request_id == "7"


@pytest.mark.parametrize("value", [None, 5, object(), [None], [[sign()]]])
def test_a_signature_that_is_no_string_is_refused(value: object) -> None:
    """A header of any type is refused, without another exception."""
    assert refused({"Signature": value}) == "the signature header must be a string"
