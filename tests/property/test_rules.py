"""Rules that hold for all inputs, not for those that somebody thought of."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from hypothesis import example, given
from hypothesis import strategies as st

from rmz_async import Client, ConfigurationError, InvalidRequestError, RetryPolicy, operations
from rmz_async._calls.headers import retry_after
from rmz_async._calls.retry import backoff
from rmz_async._calls.wire import encode_body
from rmz_async._http.base_url import Address
from rmz_async.resources._validation import Validation

SECONDS = st.floats(0.001, 1e9)


@given(st.text() | st.from_regex(r"[A-Za-z]{3}, ?\d+ [A-Za-z]{3} \d+ [\d:.]+ [A-Z+\-\d]*"))
@example("Wed, 21 Oct 2015 07:28:00 +99999999999")
@example("Wed, 21 Oct 2015 07:28:00 -9999")
@example("1 Jan 0001 00:00:00 +2359")
@example("0")
@example("nan")
def test_retry_after_is_a_wait_or_nothing(written: str) -> None:
    """For any header, the wait is a number of seconds that is not negative, or none."""
    found = retry_after(written, 1e9)

    assert found is None or (type(found) is float and 0 <= found < math.inf)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - its zone is beside it
def test_retry_after_reads_every_date(moment: datetime) -> None:
    """An HTTP date is the time until then."""
    whole = moment.replace(microsecond=0)

    found = retry_after(format_datetime(whole, usegmt=True), whole.timestamp() - 30)

    assert found == 30


@given(SECONDS, SECONDS, st.integers(1, 10**6), st.floats(0, 1))
def test_backoff_stays_within_its_bounds(
    first: float, longest: float, attempts: int, drawn: float
) -> None:
    """A wait is never negative, never longer than the cap, and never shorter for more attempts."""
    policy = RetryPolicy(backoff=first, max_backoff=longest)

    wait = backoff(policy, attempts, lambda: drawn)

    assert 0 <= wait <= longest
    assert wait <= backoff(policy, attempts + 1, lambda: drawn)


PARTS = st.text(alphabet="abc.:@/?#[]\\% \t\n1é%-_", max_size=12)
URLS = st.text() | st.builds(
    lambda scheme, rest: f"{scheme}{rest}",
    st.sampled_from(
        ["https://", "http://", "HTTPS://", "ftp://", "https:", "//", "", "http://[::1]"]
    ),
    st.text()
    | PARTS
    | st.builds(lambda name, rest: f"{name}{rest}", st.sampled_from(["a.sa", "127.0.0.1"]), PARTS),
)


@given(URLS)
@example("https://[v1.x]")
@example("https://[v1.a:b]")
@example("https://[::1]x")
@example("https://999.1.1.1")
@example("https://a%62c")
@example("https://xn--")
@example("https://a..b")
@example("https://-")
@example("https://" + "a" * 300)
def test_base_urls_are_safe_or_refused(value: str) -> None:
    """A token goes to a plain https address, or to this machine, or the client is not made."""
    try:
        accepted = Address(value).checked()
    except ConfigurationError:
        return
    parts = urlsplit(accepted)
    assert parts.scheme == "https" or parts.hostname in {"localhost", "127.0.0.1", "::1"}
    assert parts.hostname
    assert (parts.username, parts.password, parts.query, parts.fragment) == (None, None, "", "")
    assert not accepted.endswith("/")
    # A URL that one library accepts must not raise an exception of the other library.
    assert repr(Client("token", base_url=value)) == f"<Client of {accepted}>"


IDS = st.integers() | st.booleans() | st.text() | st.none() | st.floats() | st.binary()


@given(IDS)
@example(2**63 - 1)
@example(2**63)
def test_ids_are_positive_integers_or_refused(value: object) -> None:
    """An id is a positive integer of the database's, or refused."""
    check = Validation(operations.STORE_GET)
    check.identifier("id", value)
    try:
        check.finish()
    except InvalidRequestError:
        assert not (type(value) is int and 1 <= value < 2**63)
    else:
        assert type(value) is int
        assert 1 <= value < 2**63


@given(IDS | st.dictionaries(st.text() | st.integers(), st.text() | IDS, max_size=3))
def test_no_value_breaks_a_check(value: object) -> None:
    """For any argument of a caller, the only error is the documented one."""
    check = Validation(operations.STORE_GET)
    check.integer("integer", value, 1, 5)
    check.text("text", value)
    check.email("email", value)
    check.url("url", value)
    check.metadata("metadata", value)
    check.phone_number("", value, value)
    check.customer("customer", value, int)
    check.count("count", value)
    check.choice("choice", value, ("a", "b"))
    check.day("day", value)
    check.options("options", value)
    try:
        check.finish()
    except InvalidRequestError as error:
        assert error.errors  # noqa: PT017 - either is fine


@given(st.text())
def test_an_accepted_string_can_be_sent(value: str) -> None:
    """A string that is not refused can be written as UTF-8."""
    check = Validation(operations.STORE_GET)
    if check.text("text", value):
        assert value.encode()
    check = Validation(operations.STORE_GET)
    check.metadata("metadata", {value: value})
    try:
        check.finish()
    except InvalidRequestError:
        return
    assert value.encode() is not None


CHOICES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.decimals()
    | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), CHOICES, max_size=3))
def test_options_arrive_as_they_are_or_not_at_all(options: dict[str, Any]) -> None:
    """An option that is not refused can be sent, and says there what it says here."""
    check = Validation(operations.ORDERS_CREATE)
    copy = check.options("options", options)
    try:
        check.finish()
    except InvalidRequestError:
        assert copy is None
        return
    sent = json.loads(encode_body({"options": copy}))["options"]
    assert sent == copy
    assert json.loads(json.dumps(options)) == sent
