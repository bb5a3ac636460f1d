"""A connection over aiohttp, for callers who ask for it: the only importer of aiohttp.

Two habits of aiohttp would break promises of this library, and are prevented here. If a connection
is lost, aiohttp sends a GET or PUT again by itself. And aiohttp closes a connection with TLS's
close_notify, which a server that has gone silent does not answer: the connection would stay open
for half a minute.
"""

from __future__ import annotations

import asyncio
import selectors
import socket
import ssl
from types import SimpleNamespace
from typing import Any, cast

import anyio
import httpcore
from httpx import ByteStream

from rmz_async._extras import extra
from rmz_async._http.pool import IDLE_EXPIRY
from rmz_async._http.resolver import addresses_of
from rmz_async.errors import ConfigurationError

with extra("aiohttp", needed_by='the client with http="aiohttp"'):
    import aiohttp
    import aiohttp.abc
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection
    from httpx_aiohttp.transport import AiohttpResponseStream, map_aiohttp_exceptions
    from yarl import URL

# The limit of httpx, so that no answer is readable over one of the two only.
_MAX_HEAD = 100 * 1024

# The quickest for one socket; there is no poll on Windows.
_Selector: type[selectors.BaseSelector] = getattr(
    selectors, "PollSelector", selectors.SelectSelector
)


class AiohttpConnection:
    """A connection that can be closed at any moment of its life.

    Args:
        tls: Shared by all connections.

    Raises:
        ConfigurationError: The event loop is not asyncio's.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise ConfigurationError('http: "aiohttp" works on asyncio only') from None
        self._connector = _Connector(
            ssl=tls,
            # `Slots` limits the requests under way.
            limit=0,
            keepalive_timeout=IDLE_EXPIRY,
            # The cache is of no use to a single connection. A session that is closed while it
            # resolves a name for the cache would cancel a call that its caller has not cancelled.
            use_dns_cache=False,
            resolver=_Resolver(),
        )
        self._session = _session(self._connector)
        self._answer: aiohttp.ClientResponse | None = None

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """See `Connection.handle_async_request`."""
        timeout = cast("Any", request).extensions["timeout"]
        stream = request.stream
        with map_aiohttp_exceptions():
            response = await self._session.request(
                request.method.decode("ascii"),
                URL(bytes(request.url).decode("ascii"), encoded=True),
                headers=[
                    (name.decode(), value.decode())
                    for name, value in request.headers
                    # aiohttp adds it by itself, and refuses one of ours.
                    if name.lower() != b"transfer-encoding"
                ],
                data=b"".join(stream) or None if isinstance(stream, ByteStream) else stream,
                allow_redirects=False,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(
                    sock_connect=timeout["connect"],
                    sock_read=timeout["read"],
                    connect=timeout["pool"],
                ),
            )
        self._answer = response
        reason = (response.reason or "").encode("latin-1", "replace")
        return httpcore.Response(
            response.status,
            headers=list(response.raw_headers),
            content=AiohttpResponseStream(response),
            extensions={"http_version": b"HTTP/1.1", "reason_phrase": reason},
        )

    def is_reusable(self) -> bool:
        """See `Connection.is_reusable`."""
        return self._connector.is_reusable()

    def failed_to_open(self) -> bool:
        """See `Connection.failed_to_open`."""
        return self._connector.failed_to_open()

    async def aclose(self) -> None:
        """See `Connection.aclose`."""
        self._connector.abort()
        if self._answer is not None:
            # aiohttp would let a task that reads the body wait on.
            self._answer.close()
        await self._session.close()


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    sent_once = _sent_once()
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        # aiohttp would name a type for the body that a request does not have.
        skip_auto_headers=["Content-Type"],
        trace_configs=[sent_once],
        max_line_size=_MAX_HEAD,
        max_field_size=_MAX_HEAD,
        max_headers=_MAX_HEAD,
    )
    # Instrumentation of aiohttp adds its own, which would see the query. Instrumentation of httpx
    # has seen the same request already, above.
    session.trace_configs[:] = [sent_once]
    # aiohttp has no public way to switch its second sending off. If this attribute is gone one day,
    # the trace still prevents a second sending, but may leave a connection open.
    vars(session).update(_retry_connection=False)
    return session


class _Resolver(aiohttp.abc.AbstractResolver):
    async def resolve(
        self, host: str, port: int = 0, family: int = socket.AF_UNSPEC
    ) -> list[aiohttp.abc.ResolveResult]:
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
                "proto": socket.IPPROTO_TCP,
                "flags": socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            }
            for address in await addresses_of(host, port)
        ]

    async def close(self) -> None:
        """Nothing is open."""


class _Connector(aiohttp.TCPConnector):
    """A connector that still knows its connection after aiohttp has let go of it.

    aiohttp has an option for this, which came late, is deprecated already, and does not hold for a
    request that is cancelled or takes too long.
    """

    _opening: anyio.CancelScope | None = None
    _protocol: ResponseHandler | None = None
    _transport: asyncio.Transport | None = None
    # Made once for a connection: a look takes a third of the time then.
    _incoming: selectors.BaseSelector | None = None

    async def connect(self, *args: Any, **options: Any) -> Connection:
        with anyio.CancelScope() as self._opening:
            connection = await super().connect(*args, **options)
            transport = connection.transport
            if transport is not None and transport is not self._transport:
                self._protocol, self._transport = connection.protocol, transport
                self._incoming = _Selector()
                self._incoming.register(transport.get_extra_info("socket"), selectors.EVENT_READ)
            if not self._opening.cancel_called:
                return connection
            connection.close()
        self.abort()
        raise httpcore.ConnectError("the client was closed")

    def is_reusable(self) -> bool:
        protocol, incoming = self._protocol, self._incoming
        if protocol is None or incoming is None:
            return True
        if not protocol.is_connected() or protocol.should_close:
            return False
        # aiohttp knows what the event loop has read, and the event loop may not have run since.
        return not incoming.select(0)

    def failed_to_open(self) -> bool:
        # aiohttp sends a request over the connection that `connect` returns, and not before.
        return self._opening is not None and self._transport is None

    def abort(self) -> None:
        """Close the connection without TLS's close_notify; any number of times."""
        if self._opening is not None:
            self._opening.cancel()
        if self._transport is not None:
            self._transport.abort()

    @property
    def closed(self) -> bool:
        """Whether it is closed, or its event loop has ended.

        Nothing can close it then, and aiohttp would print a line for it and one for its session.
        """
        return super().closed or self._loop.is_closed()

    def __del__(self, *_: object) -> None:
        if not self.closed:
            super().__del__()


class ConnectionLostError(Exception):
    """aiohttp was about to send a request for the second time."""


def _sent_once() -> aiohttp.TraceConfig:
    async def note(_: aiohttp.ClientSession, seen: SimpleNamespace, __: Any) -> None:
        if vars(seen).setdefault("connected", False):
            raise ConnectionLostError("the connection was lost")
        seen.connected = True

    config = aiohttp.TraceConfig()
    # aiohttp reports either of the two before it sends.
    config.on_connection_create_start.append(note)
    config.on_connection_reuseconn.append(note)
    return config
