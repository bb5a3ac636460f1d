from __future__ import annotations

import copy
import pickle
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import MagicMock, create_autospec

import httpx
import pytest

from rmz_async import Client, ConfigurationError, RetryPolicy, operations
from rmz_async.options import PRODUCTION_URL
from rmz_async.sandbox.tokens import new_token
from rmz_async.sandbox.worlds import token_of_world
from tests.seams import Part, connections_of, inside, transport_of

TOKEN = "1|AbCdEf"


def answering(request: httpx.Request) -> httpx.Response:
    """Answer every call with one subscription."""
    return httpx.Response(200, json={"data": {"id": 501, "status": "active"}}, request=request)


@pytest.fixture
async def http(anyio_backend: str) -> AsyncIterator[httpx.AsyncClient]:
    """A caller's own connections."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(answering)) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RMZ_BASE_URL", raising=False)
    monkeypatch.delenv("RMZ_API_TOKEN", raising=False)


def test_a_clients_repr_shows_no_token() -> None:
    """The repr says which server, and nothing of the token."""
    assert repr(Client(TOKEN)) == f"<Client of {PRODUCTION_URL}>"


def test_the_environments_settings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without arguments a client reads its token and its server from the environment."""
    monkeypatch.setenv("RMZ_API_TOKEN", TOKEN)
    monkeypatch.setenv("RMZ_BASE_URL", "https://staging.example/")

    assert repr(Client()) == "<Client of https://staging.example>"


@pytest.mark.parametrize(
    "token", [new_token(), token_of_world("1|local", "gw0")], ids=["sandbox", "world"]
)
def test_a_sandboxs_token_is_not_sent_to_rmz(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """Somebody has forgotten RMZ_BASE_URL, and would be told that the token is wrong."""
    with pytest.raises(ConfigurationError, match="set RMZ_BASE_URL as the sandbox has printed it"):
        Client(token)
    monkeypatch.setenv("RMZ_BASE_URL", "http://127.0.0.1:8787/shawarma")
    Client(token)


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_client_is_not_copied(take: Any) -> None:
    """A pickle would hold the token."""
    with pytest.raises(TypeError, match="cannot be pickled or copied"):
        take(Client(TOKEN))


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"token": ""}, "token: is missing"),
        ({"token": TOKEN, "base_url": "http://shop.example"}, "base_url: must be https"),
        ({"token": TOKEN, "timeout": 0}, "timeout: must be a finite number"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], rule: str) -> None:
    """Options that cannot work are refused in the constructor, before any call."""
    with pytest.raises(ConfigurationError, match=rule):
        Client(**options)


def test_a_client_that_was_refused_has_a_repr() -> None:
    """A traceback that shows variables must not fail on the half-made client."""
    assert repr(object.__new__(Client)) == "<Client>"


def test_a_copy_keeps_the_other_options() -> None:
    """A copy has what is given and keeps the rest."""
    patient = RetryPolicy(max_attempts=5)
    client = Client(TOKEN, timeout=10, retry=patient, base_url="https://shop.example")

    slow = client.with_options(timeout=99)
    eager = client.with_options(retry=RetryPolicy())

    assert transport_of(slow).options.timeout == 99
    assert transport_of(slow).options.retry is patient
    assert transport_of(eager).options.timeout == 10
    assert transport_of(eager).options.retry == RetryPolicy()
    assert transport_of(eager).options.base_url == "https://shop.example"
    assert transport_of(client).options.timeout == 10


def test_the_options_of_a_copy_are_checked() -> None:
    """A copy obeys the rules of the constructor."""
    with pytest.raises(ConfigurationError, match="timeout: "):
        Client(TOKEN).with_options(timeout=-1)


def test_a_copy_is_of_the_same_class() -> None:
    """A caller's own subclass stays one."""

    class Mine(Client):
        pass

    assert type(Mine(TOKEN).with_options()) is Mine


def test_a_copy_shares_the_connections() -> None:
    """A copy costs no connections, and all its resources use its own options."""
    client = Client(TOKEN)
    copied = client.with_options(timeout=5)

    assert transport_of(copied) is not transport_of(client)
    assert connections_of(copied) is connections_of(client)
    for resource in (copied.subscriptions, copied.checkout_sessions, copied.portal_sessions):
        assert inside(resource, Part.TRANSPORT) is transport_of(copied)


RESOURCES = {row.name.partition(".")[0] for row in operations.OPERATIONS}


@pytest.mark.parametrize("name", sorted(RESOURCES))
def test_a_mock_of_the_client_has_its_resources(name: str) -> None:
    """A test that mocks the client gets the methods and their signatures."""
    method = next(
        row.name.partition(".")[2]
        for row in operations.OPERATIONS
        if row.name.startswith(f"{name}.")
    )
    strict = create_autospec(Client)

    assert hasattr(getattr(strict, name), method)
    assert hasattr(MagicMock(spec=Client), name)
    with pytest.raises(TypeError):
        getattr(getattr(strict, name), method)(501, no_such_option=True)


def test_a_copy_builds_no_resource_that_nobody_asks_for() -> None:
    """A resource is made at its first use, and kept."""
    copied = Client(TOKEN).with_options(timeout=5)
    before = set(vars(copied))

    assert copied.orders is copied.orders
    assert set(vars(copied)) - before == {"orders"}


@pytest.mark.anyio
async def test_a_client_without_a_token_says_so_at_its_first_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So a module can make one when it is imported."""
    monkeypatch.delenv("RMZ_API_TOKEN", raising=False)
    async with Client() as client:
        with pytest.raises(ConfigurationError, match="token: is missing"):
            await client.store.get()


@pytest.mark.anyio
async def test_leaving_the_block_closes(http: httpx.AsyncClient) -> None:
    """After ``async with`` the client is closed, and the caller's connections are not."""
    async with Client(TOKEN, http=http) as client:
        assert (await client.subscriptions.get(501)).id == 501

    with pytest.raises(ConfigurationError, match="this client was closed"):
        await client.subscriptions.get(501)
    assert not http.is_closed


@pytest.mark.anyio
async def test_closing_twice_is_allowed(http: httpx.AsyncClient) -> None:
    """Closing again does nothing."""
    client = Client(TOKEN, http=http)
    await client.aclose()

    await client.aclose()


@pytest.mark.anyio
async def test_closing_a_copy_closes_nothing(http: httpx.AsyncClient) -> None:
    """A copy need not be closed; closing it leaves the client at work."""
    client = Client(TOKEN, http=http)
    async with client.with_options(timeout=5) as copied:
        await copied.subscriptions.get(501)

    assert (await client.subscriptions.get(501)).id == 501


@pytest.mark.anyio
async def test_a_copy_ends_with_its_client(http: httpx.AsyncClient) -> None:
    """A copy of a closed client sends nothing."""
    client = Client(TOKEN, http=http)
    copied = client.with_options(timeout=5)
    await client.aclose()

    with pytest.raises(ConfigurationError, match="this client was closed"):
        await copied.subscriptions.get(501)


@pytest.mark.anyio
async def test_an_error_leaves_the_block() -> None:
    """The block does not swallow what is raised in it."""
    with pytest.raises(LookupError):
        async with Client(TOKEN):
            raise LookupError
