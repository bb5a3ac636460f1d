from __future__ import annotations

import traceback
from enum import Enum
from typing import Any

import httpx
import pydantic
import pytest
import yarl

import rmz_async
import rmz_sync
from rmz_async import Client, operations
from rmz_async._calls.wire import encode_body, target
from rmz_async._http.base_url import Address
from rmz_async.errors import ConfigurationError
from rmz_async.options import PRODUCTION_URL
from tests.seams import transport_of


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
    assert Address(value).checked() == value


@pytest.mark.parametrize("ending", ["/", "//"])
def test_the_trailing_slash_goes(ending: str) -> None:
    """Paths begin with a slash, and so the base does not end with one."""
    assert Address(f"https://host/shawarma{ending}").checked() == "https://host/shawarma"


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
    "must be https: plain http would show the token to the network, which "
    "send_token_unencrypted=True allows": [
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
        Address(value).checked()

    assert str(caught.value) == f"base_url: {rule}"


@pytest.mark.parametrize("client", [rmz_async.Client, rmz_sync.Client])
def test_plain_http_goes_to_another_machine_if_the_caller_says_so(client: Any) -> None:
    """A sandbox in another container is such a machine."""
    rmz = client("1|t", base_url="http://rmz:8787/shawarma", send_token_unencrypted=True)

    assert "http://rmz:8787/shawarma" in repr(rmz)


@pytest.mark.parametrize("client", [rmz_async.Client, rmz_sync.Client])
@pytest.mark.parametrize("leave", ["false", "0", 1, None])
def test_only_true_is_leave_to_send_unencrypted(client: Any, leave: Any) -> None:
    """An environment variable that says no is a string, and each string is true."""
    with pytest.raises(ConfigurationError, match=r"^send_token_unencrypted: must be True or"):
        client("1|t", base_url="http://rmz:8787/shawarma", send_token_unencrypted=leave)


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("ftp://rmz", "must begin with https://"),
        ("http://user:word@rmz", "must not hold a user name or password"),
        ("http://rmz:0", "a valid host and a port"),
    ],
)
def test_leave_to_send_unencrypted_changes_no_other_rule(value: str, rule: str) -> None:
    with pytest.raises(ConfigurationError, match=rule):
        Client("1|t", base_url=value, send_token_unencrypted=True)


def test_the_address_that_is_passed_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment does not replace what the caller wrote."""
    monkeypatch.setenv("RMZ_BASE_URL", "https://environment")

    assert Address("https://mine").checked() == "https://mine"
    # An empty setting is a mistake, and no wish for production.
    with pytest.raises(ConfigurationError, match="must begin with https://"):
        Address("").checked()


def test_the_environments_address_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """If no address is passed, the environment's is used."""
    monkeypatch.setenv("RMZ_BASE_URL", "https://environment")

    assert Address(None).checked() == "https://environment"


@pytest.mark.parametrize("environment", [None, ""])
def test_productions_address_is_the_default(
    environment: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If no caller names an address, it is production's."""
    monkeypatch.delenv("RMZ_BASE_URL", raising=False)
    if environment is not None:
        monkeypatch.setenv("RMZ_BASE_URL", environment)

    assert Address(None).checked() == PRODUCTION_URL


URLS = {
    "httpx": httpx.URL("https://host.example/shawarma/"),
    "pydantic": pydantic.HttpUrl("https://host.example/shawarma/"),
    "yarl": yarl.URL("https://host.example/shawarma/"),
}


@pytest.mark.parametrize("name", URLS)
def test_a_url_object_is_an_address(name: str) -> None:
    """As settings of pydantic have it, for one."""
    address: Any = URLS[name]
    assert transport_of(Client("1|t", base_url=address)).options.base_url == (
        "https://host.example/shawarma"
    )


@pytest.mark.parametrize("value", [b"https://host.example", 5, object(), ["https://host.example"]])
def test_nothing_else_is_an_address(value: Any) -> None:
    """Not even what could be written as one."""
    with pytest.raises(ConfigurationError, match="base_url: must be a string or a URL"):
        Client("1|t", base_url=value)


PASSWORD = "hunter2-in-an-address"


@pytest.mark.parametrize("client", [rmz_async.Client, rmz_sync.Client])
@pytest.mark.parametrize("kind", [str, httpx.URL, pydantic.HttpUrl, yarl.URL])
def test_a_password_in_an_address_stands_in_no_frame(client: Any, kind: Any) -> None:
    """The address is refused, and a tracker of errors shows the variables of each frame."""
    with pytest.raises(ConfigurationError, match="user name or password") as caught:
        client("1|t", base_url=kind(f"https://user:{PASSWORD}@host.example"))
    frames = caught.tb
    assert frames.tb_next is not None  # The first frame is this test's.
    summary = traceback.StackSummary.extract(traceback.walk_tb(frames.tb_next), capture_locals=True)
    assert len(summary) > 1
    assert PASSWORD not in "".join(summary.format())


def test_a_password_in_the_environments_address_stands_in_no_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There it is as likely."""
    monkeypatch.setenv("RMZ_BASE_URL", f"https://user:{PASSWORD}@host.example")
    with pytest.raises(ConfigurationError, match="user name or password") as caught:
        Client("1|t")
    summary = traceback.StackSummary.extract(traceback.walk_tb(caught.tb), capture_locals=True)
    assert PASSWORD not in "".join(summary.format())


def test_the_id_stands_in_the_path() -> None:
    """``{id}`` becomes the object's id."""
    assert target(operations.SUBSCRIPTIONS_PAUSE, 501, {}) == "/subscriptions/501/pause"


def test_a_path_without_an_id_stays() -> None:
    """A call on no object has its path as the table has it."""
    assert target(operations.SUBSCRIPTIONS_LIST, None, {}) == "/subscriptions"


def test_none_values_are_left_out_of_a_query() -> None:
    """None values are left out of the query, and zero and an empty string are not."""
    query = {"page": 2, "a": None, "zero": 0, "empty": ""}

    assert target(operations.SUBSCRIPTIONS_LIST, None, query) == (
        "/subscriptions?page=2&zero=0&empty="
    )


def test_a_query_of_nothing_is_none() -> None:
    """If all values are None there is no question mark."""
    assert target(operations.SUBSCRIPTIONS_LIST, None, {"page": None}) == "/subscriptions"


def test_booleans_are_digits() -> None:
    """PHP reads the string ``False`` as true: booleans are written 1 and 0."""
    assert target(operations.SUBSCRIPTIONS_LOOKUP, None, {"yes": True, "no": False}) == (
        "/subscriptions/lookup?yes=1&no=0"
    )


def test_a_value_cannot_add_parameters() -> None:
    """Separators inside a value stay in the value."""
    query = {"email": "a+b@c.sa&page=9#x", "name": "أ"}

    assert target(operations.SUBSCRIPTIONS_LOOKUP, None, query) == (
        "/subscriptions/lookup?email=a%2Bb%40c.sa%26page%3D9%23x&name=%D8%A3"
    )


def test_unset_fields_leave_an_empty_object() -> None:
    """A call whose fields are all left out has an empty object."""
    assert encode_body({"days": None}) == b"{}"


def test_none_is_left_out_of_a_body() -> None:
    """RMZ's default holds for what the caller leaves out; false and zero are not left out."""
    assert encode_body({"days": None, "months": 1, "a": False, "b": 0}) == (
        b'{"months":1,"a":false,"b":0}'
    )


class Colour(str, Enum):  # noqa: UP042 - its str() is its name, which is the point
    """A caller's own strings."""

    RED = "red one"


def test_a_query_has_the_string_of_an_enum() -> None:
    """The enum's name would find no customer."""
    path = target(operations.SUBSCRIPTIONS_LIST, None, {"customerEmail": Colour.RED, "page": 1})

    assert path == "/subscriptions?customerEmail=red+one&page=1"
