"""For any bytes that come, the error is a documented one."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rmz_async import operations
from rmz_async._calls.outcome import Answer, Failure, UnreadableBodyError
from rmz_async._calls.wire import decompress, envelope_of, error_of, failure_of
from rmz_async._decoding import strict_json as _json

JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
CONTENT_TYPES = st.sampled_from(["application/json", "text/html", "", "application/problem+json"])


@given(st.binary(), st.booleans())
@example(b"[" * 100_000, False)
@example(b'{"a":' * 100_000, True)
@example(b"1" * 5_000, False)
@example(b"1e99999999999999999999", False)
@example(b'"\\ud800"', False)
def test_parsing_raises_only_value_errors(body: bytes, unique_keys: bool) -> None:
    """Any bytes are JSON or a ValueError."""
    try:
        _json.parse(body, unique_keys=unique_keys)
    except ValueError as error:
        assert not isinstance(error, json.JSONDecodeError | UnicodeError)  # noqa: PT017 - either is fine


@given(st.text(alphabet='{}[]",:0123456789eE.-+ntfuls\\ '))
def test_nearly_json_is_parsed_or_refused(text: str) -> None:
    """Strings of JSON's own characters are JSON or a ValueError too."""
    try:
        _json.parse(text.encode())
    except ValueError as error:
        assert text not in str(error) or len(text) < 5  # noqa: PT017 - either is fine


@given(JSON_VALUES)
def test_a_written_body_can_be_read(value: Any) -> None:
    """A body that is sent says what the caller meant."""
    parsed = _json.parse(_json.dump(value), unique_keys=True)

    assert parsed == json.loads(json.dumps(value), parse_float=Decimal)


@given(st.binary(), st.sampled_from(["gzip", "identity", "", "br", "GZIP"]))
def test_decompressing_raises_only_its_error(raw: bytes, encoding: str) -> None:
    """Any bytes under any encoding are a body or unreadable."""
    try:
        decompress(raw, encoding)
    except UnreadableBodyError:
        return


@given(st.binary(max_size=300), st.data())
def test_damaged_gzip_is_never_another_body(body: bytes, data: st.DataObject) -> None:
    """A stream that is cut or changed is refused, or gives the body that was packed."""
    packed = bytearray(gzip.compress(body, mtime=0))
    if data.draw(st.booleans()):
        del packed[data.draw(st.integers(0, len(packed) - 1)) :]
    else:
        packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))

    try:
        found = decompress(bytes(packed), "gzip")
    except UnreadableBodyError:
        return
    assert found == body


@given(st.binary() | JSON_VALUES.map(lambda value: json.dumps(value).encode()), CONTENT_TYPES)
def test_an_envelope_is_read_or_refused(body: bytes, content_type: str) -> None:
    """Any success is data, unreadable or a ValueError."""
    try:
        envelope_of(Answer(200, {"content-type": content_type}, body))
    except (UnreadableBodyError, ValueError):
        return


@given(
    st.integers(300, 599),
    st.binary()
    | JSON_VALUES.map(lambda value: json.dumps(value).encode())
    | st.fixed_dictionaries(
        {}, optional={"message": JSON_VALUES, "errors": JSON_VALUES, "timestamp": JSON_VALUES}
    ).map(lambda value: json.dumps(value).encode()),
    st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-remaining"]),
        st.text(max_size=5) | st.integers().map(str),
    ),
    st.sampled_from(operations.OPERATIONS),
)
def test_every_failure_is_an_error(
    status: int, body: bytes, headers: dict[str, str], operation: operations.Operation
) -> None:
    """Any answer of a server has an error, and the error has its status."""
    answer = Answer(status, {"content-type": "application/json", **headers}, body)

    error = error_of(operation, answer, sent=("days",), now=1e9)

    assert error.status == status
    assert error.operation == operation.name
    assert str(error)
    assert isinstance(failure_of(operation, answer), Failure)


@pytest.mark.parametrize("depth", [50, 100])
def test_ordinary_depth_is_read(depth: int) -> None:
    """Nesting that a document may have is no fault."""
    assert _json.parse(b"[" * depth + b"]" * depth) is not None
