from __future__ import annotations

from typing import Any

import httpx
import pytest

import rmz_async
from rmz_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio


class NoClient:
    """Stands in for the client and keeps what it was made with."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.http: httpx.AsyncClient = options["http"]


@pytest.fixture(autouse=True)
def no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what the sandbox hands over is looked at here."""
    monkeypatch.setattr(rmz_async, "Client", NoClient, raising=False)


async def test_client_reaches_the_sandbox(sandbox: Sandbox) -> None:
    """The client gets the token, the base URL, and connections that lead into the sandbox."""
    made: Any = sandbox.client(timeout=5)
    assert made.options["token"] == sandbox.token
    assert made.options["base_url"] == sandbox.base_url
    assert made.options["timeout"] == 5
    answer = await made.http.get(
        f"{sandbox.base_url}/subscriptions/501",
        headers={"Authorization": f"Bearer {sandbox.token}"},
    )
    assert answer.status_code == 200


async def test_token_can_be_another(sandbox: Sandbox) -> None:
    """A test of a refused token can pass one."""
    made: Any = sandbox.client(token="1|wrong")
    assert made.options["token"] == "1|wrong"


async def test_sandbox_closes_its_clients_connections(anyio_backend: str) -> None:
    """The client closes no connections that it was given, so the sandbox does."""
    async with Sandbox() as sandbox:
        made: list[Any] = [sandbox.client(), sandbox.client()]
        assert not any(client.http.is_closed for client in made)
    assert all(client.http.is_closed for client in made)
