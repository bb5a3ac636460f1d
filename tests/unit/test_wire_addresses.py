from __future__ import annotations

import pytest

from rmz_async import operations
from rmz_async._calls.wire import encode_body, target
from rmz_async._http.base_url import checked_base_url
from rmz_async.errors import ConfigurationError


@pytest.mark.parametrize(
    "value",
    [
        "https://merchant-api.rmz.gg/shawarma",
        "https://merchant-api.rmz.gg",
        "HTTPS://merchant-api.rmz.gg",
        "https://merchant-api.rmz.gg:8443/a/b",
        "https://[2001:db8::1]:8443",
        "https://host/@path",
        "https://a_b.c-d.example",
        f"https://{'a' * 63}.example",
        "https://1.2.3.4:443",
        "https://1.2.3",
        "http://127.0.0.1:8000",
        "http://127.8.9.1",
        "http://localhost:65535/shawarma",
        "http://LOCALHOST",
        "http://[::1]:8000",
    ],
)
def test_addresses_that_a_token_may_go_to(value: str) -> None:
    """Https to anywhere, and http to this machine, as they were written."""
    assert checked_base_url(value) == value


@pytest.mark.parametrize("ending", ["/", "//"])
def test_the_trailing_slash_goes(ending: str) -> None:
    """Paths begin with a slash, and so the base does not end with one."""
    assert checked_base_url(f"https://host/shawarma{ending}") == "https://host/shawarma"


REFUSED = {
    "must be visible ASCII without spaces and backslashes": [
        "https://münchen.example",
        "https://ho st",
        " https://host",
        "https://host\n",
        "https://host\\@evil.example",
        "https://host/\x00",
        "https://host/\x7f",
    ],
    "must begin with https://": ["", "host", "//host", "/shawarma", "ftp://host", "file:///etc"],
    "must not hold a user name or password": [
        "https://merchant-api.rmz.gg@evil.example",
        "https://user:word@host",
        "https://@host",
        "http://127.0.0.1@evil.example",
    ],
    "must have a valid host and a port from 1 to 65535": [
        "https://",
        "https:///shawarma",
        "https://:443",
        "https://host:",
        "https://host:0",
        "https://host:65536",
        "https://host:99999",
        "https://host:port",
        "https://host:-1",
        "https://[::1",
        "https://[nonsense]",
        "https://[v1.x]",
        "https://[v1.a:b]",
        "https://[::1]x",
        "https://[::1]x:443",
        "https://999.1.1.1",
        "https://1.2.3.04",
        "https://a..b",
        "https://-a.example",
        "https://a-.example",
        "https://a%62c",
        "https://a*b",
        f"https://{'a' * 64}.example",
    ],
    "must not have a query or a fragment": [
        "https://host?",
        "https://host?x=1",
        "https://host#",
        "https://host/path#part",
    ],
    "must be https: plain http would show the token to the network": [
        "http://merchant-api.rmz.gg",
        "http://0.0.0.0",
        "http://192.168.0.1",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://2130706433",
        "http://[2001:db8::1]",
    ],
}


@pytest.mark.parametrize(
    ("value", "rule"), [(value, rule) for rule, values in REFUSED.items() for value in values]
)
def test_addresses_that_no_token_may_go_to(value: str, rule: str) -> None:
    """Each refusal names the rule, and not the address with what it may hold."""
    with pytest.raises(ConfigurationError) as caught:
        checked_base_url(value)

    assert str(caught.value) == f"base_url: {rule}"


def test_the_id_stands_in_the_path() -> None:
    """``{id}`` becomes the object's id."""
    assert target(operations.SUBSCRIPTIONS_PAUSE, 501, {}) == "/subscriptions/501/pause"


def test_a_path_without_an_id_stays() -> None:
    """A call on no object has its path as the table has it."""
    assert target(operations.SUBSCRIPTIONS_LIST, None, {}) == "/subscriptions"


def test_what_is_none_is_not_asked_for() -> None:
    """None values are left out of the query, and zero and an empty text are not."""
    query = {"page": 2, "a": None, "zero": 0, "empty": ""}

    assert target(operations.SUBSCRIPTIONS_LIST, None, query) == (
        "/subscriptions?page=2&zero=0&empty="
    )


def test_a_query_of_nothing_is_none() -> None:
    """Where all values are None there is no question mark."""
    assert target(operations.SUBSCRIPTIONS_LIST, None, {"page": None}) == "/subscriptions"


def test_booleans_are_digits() -> None:
    """PHP reads the text ``False`` as true: booleans are written 1 and 0."""
    assert target(operations.SUBSCRIPTIONS_LOOKUP, None, {"yes": True, "no": False}) == (
        "/subscriptions/lookup?yes=1&no=0"
    )


def test_a_value_cannot_add_parameters() -> None:
    """What a value holds stays in the value."""
    query = {"email": "a+b@c.sa&page=9#x", "name": "أ"}

    assert target(operations.SUBSCRIPTIONS_LOOKUP, None, query) == (
        "/subscriptions/lookup?email=a%2Bb%40c.sa%26page%3D9%23x&name=%D8%A3"
    )


def test_no_body() -> None:
    """A call without fields has no body at all."""
    assert encode_body(None) == b""


def test_an_empty_body() -> None:
    """A call whose fields are all left out has an empty object."""
    assert encode_body({"days": None}) == b"{}"


def test_none_is_left_out_of_a_body() -> None:
    """RMZ's default holds for what the caller leaves out; false and zero are not left out."""
    assert encode_body({"days": None, "months": 1, "a": False, "b": 0}) == (
        b'{"months":1,"a":false,"b":0}'
    )
