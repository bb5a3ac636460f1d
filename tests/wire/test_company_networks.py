"""Networks with a certificate authority or a proxy of their own: what the errors say."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from rmz_async import Client, ConnectionFailedError, RetryPolicy
from tests.wire.conftest import TOKEN, Server, keeps, their_client

pytestmark = pytest.mark.anyio

QUICK = RetryPolicy(max_attempts=3, backoff=0.001)


class Inspecting(Server):
    """Speaks TLS with a certificate of an authority that only the test knows."""

    def __init__(self, authority: trustme.CA) -> None:
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(self._tls)
        super().__init__([keeps()])
        self.base_url = self.base_url.replace("http:", "https:")

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            connection.settimeout(10)
            super()._serve(self._tls.wrap_socket(connection, server_side=True))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """The company's own."""
    return trustme.CA()


@pytest.fixture
def inspecting(authority: trustme.CA) -> Iterator[Inspecting]:
    """A server that is reached through the company's proxy."""
    server = Inspecting(authority)
    yield server
    server.stop()


async def test_an_unknown_certificate_is_named_with_both_ways_to_trust_it(
    inspecting: Inspecting, http: Any
) -> None:
    """A single attempt is enough to know, and nothing was sent."""
    async with Client(TOKEN, base_url=inspecting.base_url, http=http, retry=QUICK) as rmz:
        with pytest.raises(ConnectionFailedError) as caught:
            await rmz.subscriptions.extend(501, days=7)
    said = str(caught.value)
    assert "after 1 attempt" in said
    assert "the certificate is not trusted: unable to get local issuer certificate" in said
    assert "SSL_CERT_FILE" in said
    assert "http=httpx.AsyncClient(verify=...)" in said
    assert not inspecting.requests


async def test_the_environment_names_a_certificate_to_trust(
    inspecting: Inspecting,
    authority: trustme.CA,
    http: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As for httpx itself, before a client is made."""
    file = tmp_path / "company.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    async with Client(TOKEN, base_url=inspecting.base_url, http=http) as rmz:
        assert (await rmz.subscriptions.get(501)).id == 501


@their_client
async def test_a_client_of_the_callers_own_trusts_what_it_is_told(
    inspecting: Inspecting, authority: trustme.CA
) -> None:
    """By its own context."""
    tls = ssl.create_default_context()
    authority.configure_trust(tls)
    async with httpx.AsyncClient(verify=tls) as own:
        rmz = Client(TOKEN, base_url=inspecting.base_url, http=own)
        assert (await rmz.subscriptions.get(501)).id == 501


def proxy_that_says(status: str) -> Any:
    """Refuse to connect to anything."""

    def behave(connection: socket.socket, _: bytes) -> None:
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    return behave


@their_client
@pytest.mark.parametrize(
    ("status", "attempts", "reason"),
    [
        (
            "407 Proxy Authentication Required",
            1,
            "the proxy answered 407: write its user name and password into its address",
        ),
        ("502 Bearer 1|token-of-another", 3, "the proxy answered 502"),
    ],
)
async def test_the_refusal_of_a_proxy_is_named_by_its_status(
    serving: Any, status: str, attempts: int, reason: str
) -> None:
    """The message has only the proxy's status, and nothing was sent to RMZ."""
    with serving(proxy_that_says(status)) as proxy:
        async with httpx.AsyncClient(proxy=f"http://127.0.0.1:{proxy.port}") as own:
            rmz = Client(TOKEN, base_url="https://rmz.invalid", http=own, retry=QUICK)
            with pytest.raises(ConnectionFailedError) as caught:
                await rmz.subscriptions.extend(501, days=7)
    assert len(proxy.requests) == attempts
    assert f"({reason})" in str(caught.value)


@their_client
async def test_the_refusal_of_a_socks_proxy_has_no_number() -> None:
    """Its kind is named."""

    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ProxyError("Invalid username/password")

    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as own:
        with pytest.raises(ConnectionFailedError, match=r"after 3 attempts \(ProxyError\)"):
            await Client(TOKEN, http=own, retry=QUICK).subscriptions.extend(501, days=7)
