from __future__ import annotations

import copy
import pickle
from decimal import Decimal

import pytest

from rmz_async._decoding import strict_json as _json


@pytest.mark.parametrize("written", ["199.99", "99.00", "0.1", "1e3", "-0.5"])
def test_a_number_with_a_fraction_is_exact(written: str) -> None:
    """A fraction or an exponent gives the Decimal of the very digits."""
    value = _json.parse(written.encode())

    assert type(value) is Decimal
    assert str(value) == str(Decimal(written))


def test_a_whole_number_is_an_int() -> None:
    """A number without a fraction stays an int."""
    assert type(_json.parse(b"49")) is int


@pytest.mark.parametrize("body", [b"NaN", b"Infinity", b"-Infinity", b'{"a": NaN}'])
@pytest.mark.parametrize("unique_keys", [False, True])
def test_nan_and_infinity_are_refused(body: bytes, unique_keys: bool) -> None:
    """NaN and Infinity are not JSON, with either decoder."""
    with pytest.raises(ValueError, match="NaN and Infinity are not JSON"):
        _json.parse(body, unique_keys=unique_keys)


def test_fractions_are_exact_with_unique_keys_too() -> None:
    """The decoder for webhooks makes Decimal as well."""
    assert _json.parse(b'{"a": 99.00}', unique_keys=True) == {"a": Decimal("99.00")}
    assert isinstance(_json.parse(b"99.00", unique_keys=True), Decimal)


def test_a_doubled_key_is_refused_on_request() -> None:
    """With unique keys no object may say two things."""
    with pytest.raises(ValueError, match="a key occurs twice in one object"):
        _json.parse(b'{"a": {"status": 1, "status": 2}}', unique_keys=True)


def test_a_doubled_key_is_taken_otherwise() -> None:
    """RMZ's answers are read as PHP would: the last one counts."""
    assert _json.parse(b'{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize("body", [b"\xff", "{}".encode("utf-16"), b'"\xc3"'])
def test_only_utf_8_is_read(body: bytes) -> None:
    """Other encodings are refused and not guessed."""
    with pytest.raises(ValueError, match="not UTF-8"):
        _json.parse(body)


@pytest.mark.parametrize("unique_keys", [False, True])
def test_white_space_around_a_value_is_skipped(unique_keys: bool) -> None:
    """White space that JSON allows around a value is skipped."""
    assert _json.parse(b' \t\r\n{"a": 1}\n\r\t ', unique_keys=unique_keys) == {"a": 1}


@pytest.mark.parametrize("space", ["\v", "\f", "\xa0", "\u2028", "\0"])
def test_other_white_space_is_refused(space: str) -> None:
    """White space that only Python knows is refused, before and behind."""
    for text in (space + "{}", "{}" + space):
        with pytest.raises(ValueError, match="not JSON"):
            _json.parse(text.encode())


@pytest.mark.parametrize("rest", ["{}", "1", "]", "x", ","])
def test_a_second_value_is_refused(rest: str) -> None:
    """A body holds one value."""
    with pytest.raises(ValueError, match="not JSON: more follows the end of the value"):
        _json.parse(b"{} " + rest.encode())


@pytest.mark.parametrize("body", [b"", b" ", b"\n"])
def test_nothing_is_refused(body: bytes) -> None:
    """An empty body is no JSON."""
    with pytest.raises(ValueError, match="not JSON"):
        _json.parse(body)


def test_a_byte_order_mark_is_refused() -> None:
    """UTF-8 with a mark in front is not JSON."""
    with pytest.raises(ValueError, match="not JSON"):
        _json.parse(b"\xef\xbb\xbf{}")


@pytest.mark.parametrize("body", [b" {}", b"{}\n", b"\r\n\t {} \t\r\n"])
def test_blanks_around_a_value_are_allowed(body: bytes) -> None:
    """JSON's own four blanks may stand on both sides."""
    assert _json.parse(body) == {}


@pytest.mark.parametrize(
    "body", [b"{} {}", b"{}x", b"{},", b"\x0b{}", b"{}\x0c", "{}\u00a0".encode(), b"1 2"]
)
def test_anything_else_around_a_value_is_refused(body: bytes) -> None:
    """Anything else before or behind it makes it another body, of which nothing is read."""
    with pytest.raises(ValueError, match="not JSON"):
        _json.parse(body)


def test_deep_nesting_is_refused() -> None:
    """A body that would exhaust the stack is a ValueError like any other."""
    with pytest.raises(ValueError, match="nested too deeply"):
        _json.parse(b"[" * 100_000)


@pytest.mark.parametrize(("open", "close"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_a_value_that_could_not_be_printed_is_refused(open: bytes, close: bytes) -> None:  # noqa: A002 - of a bracket
    """Printing, pickling and copying fail at less depth than reading does."""
    deepest = open * (_json.MAX_DEPTH - 1) + b"[1]" + close * (_json.MAX_DEPTH - 1)
    value = _json.parse(b" " + deepest)

    assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value)  # noqa: S301 - our own bytes
    assert repr(value)
    with pytest.raises(ValueError, match="nested too deeply"):
        _json.parse(open + deepest + close)


def test_brackets_in_a_string_are_no_depth() -> None:
    """A wide value, or one with many brackets in its strings, is not deep."""
    wide = b"[" + b"[]," * (2 * _json.MAX_DEPTH) + b'"' + b"[" * 1000 + b'"]'

    assert _json.parse(wide)


@pytest.mark.parametrize("number", ["1e99999999999999999999", "-" + "1" * 5000])
@pytest.mark.parametrize("unique_keys", [False, True])
def test_a_number_that_python_cannot_hold_stays_the_string_that_was_written(
    number: str, unique_keys: bool
) -> None:
    """All else is read as ever, and an integer of thousands of digits takes no time."""
    body = f'{{"a": {number}, "b": -9, "c": 0.10, "d": 1E2}}'.encode()

    value = _json.parse(body, unique_keys=unique_keys)

    assert repr(value) == repr({"a": number, "b": -9, "c": Decimal("0.10"), "d": Decimal("1E2")})


def test_a_doubled_key_is_refused_beside_such_a_number() -> None:
    """The tolerance is for numbers alone."""
    long = b"1" * 5000
    with pytest.raises(ValueError, match="a key occurs twice in one object"):
        _json.parse(b'{"n": ' + long + b', "a": 1, "a": 2}', unique_keys=True)
    with pytest.raises(ValueError, match="NaN and Infinity are not JSON"):
        _json.parse(b"[" + long + b", NaN]")
    with pytest.raises(ValueError, match="not JSON"):
        _json.parse(b"[" + long + b", x]")


def test_a_fault_shows_nothing_of_the_body() -> None:
    """The error says where the body breaks and not what it holds, in its message and its parts."""
    with pytest.raises(ValueError, match=r"not JSON: .* line 1") as caught:
        _json.parse(b'{"email": "sara@example.com" oops')

    assert "sara" not in repr(caught.value.args)
    assert not hasattr(caught.value, "doc")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_bodies_are_written_as_compact_utf_8() -> None:
    """Bodies have no spaces and no escapes."""
    assert _json.dump({"name": "أحمد", "n": [1, True, None]}) == (
        '{"name":"أحمد","n":[1,true,null]}'.encode()
    )


def test_nan_is_never_written() -> None:
    """A number that RMZ could not read is not sent."""
    with pytest.raises(ValueError, match="JSON compliant"):
        _json.dump({"a": float("nan")})


@pytest.mark.parametrize("value", [b"[],", b"{},", b"1,"])
def test_too_many_values_are_refused(value: bytes) -> None:
    """A body of tiny values, each a hundred times its bytes in memory, is not parsed."""
    few, many = _json.MAX_VALUES // value.count(b",") // 3, _json.MAX_VALUES + 1
    assert _json.parse(b"[" + few * value + b"0]")

    with pytest.raises(ValueError, match=r"^too many values$"):
        _json.parse(b"[" + many * value + b"0]")
