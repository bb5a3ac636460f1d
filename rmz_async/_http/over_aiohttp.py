"""The same requests over aiohttp, for those who ask for it: the only importer of aiohttp.

Two of its habits would break promises of this library, and are prevented here. Where a connection
is lost, it sends a GET or PUT again by itself. And it closes with a farewell of TLS, to which a
server that has gone silent gives no answer: the connection would stay open for half a minute.
"""

from __future__ import annotations

import asyncio
import ssl
from types import SimpleNamespace
from typing import Any

import aiohttp
import httpx_aiohttp
from aiohttp.connector import Connection

from rmz_async._http.pool import IDLE_EXPIRY
from rmz_async.errors import ConfigurationError


def open_transport(tls: ssl.SSLContext) -> httpx_aiohttp.AiohttpTransport:
    """Return a transport for the running event loop.

    Args:
        tls: Shared by all connections.

    Raises:
        ConfigurationError: The event loop is not asyncio's.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError('http: "aiohttp" works on asyncio only') from None
    connector = _Connector(
        ssl=tls,
        # How many requests are under way is bound elsewhere.
        limit=0,
        keepalive_timeout=IDLE_EXPIRY,
        # It is of no use to a single connection, and one that is closed while it asks for an
        # address would cancel a call that nobody has cancelled.
        use_dns_cache=False,
    )
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        # It would call the body that a request does not have a stream of bytes.
        skip_auto_headers=["Content-Type"],
        trace_configs=[_sent_once()],
    )
    # There is no public way to switch its second sending off. Should this one be gone some day, the
    # hooks still prevent it, but may leave a connection open.
    vars(session).update(_retry_connection=False)
    return _Transport(connector, session, tls)


class _Transport(httpx_aiohttp.AiohttpTransport):
    """One connection, which is gone at once when it is closed."""

    def __init__(
        self, connector: _Connector, session: aiohttp.ClientSession, tls: ssl.SSLContext
    ) -> None:
        super().__init__(verify=tls, trust_env=False, client=session)
        self._connector = connector

    async def aclose(self) -> None:
        self._connector.abort()
        await super().aclose()


class _Connector(aiohttp.TCPConnector):
    """A connector that still knows its connection when aiohttp has let go of it.

    aiohttp has an option for this, which came late, is deprecated already, and does not hold for a
    request that is cancelled or takes too long.
    """

    _last: asyncio.Transport | None = None

    async def connect(self, *args: Any, **options: Any) -> Connection:
        connection = await super().connect(*args, **options)
        self._last = connection.transport
        return connection

    def abort(self) -> None:
        """Close the connection, with no farewell; again, too."""
        if self._last is not None:
            self._last.abort()


class ConnectionLostError(Exception):
    """aiohttp was about to send a request for the second time."""


def _sent_once() -> aiohttp.TraceConfig:
    async def note(_: aiohttp.ClientSession, seen: SimpleNamespace, __: Any) -> None:
        if vars(seen).setdefault("connected", False):
            raise ConnectionLostError("the connection was lost")
        seen.connected = True

    config = aiohttp.TraceConfig()
    # One of the two comes before each sending.
    config.on_connection_create_start.append(note)
    config.on_connection_reuseconn.append(note)
    return config
