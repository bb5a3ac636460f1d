"""The same requests over aiohttp, for those who ask for it: the only importer of aiohttp.

One of its habits would break a promise of this library, and is prevented here: where a connection
is lost, it sends a GET or PUT again by itself.
"""

from __future__ import annotations

import asyncio
import ssl
from types import SimpleNamespace
from typing import Any

import aiohttp
import httpx_aiohttp

from rmz_async._pool import KEPT
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
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            ssl=tls,
            # How many requests are under way is bound elsewhere.
            limit=0,
            keepalive_timeout=KEPT,
            # It is of no use to a single connection, and one that is closed while it asks for an
            # address would cancel a call that nobody has cancelled.
            use_dns_cache=False,
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        # It would call the body that a request does not have a stream of bytes.
        skip_auto_headers=["Content-Type"],
        trace_configs=[_sent_once()],
    )
    # There is no public way to switch its second sending off. Should this one be gone some day, the
    # hooks still prevent it, but may leave a connection open.
    vars(session).update(_retry_connection=False)
    return httpx_aiohttp.AiohttpTransport(verify=tls, trust_env=False, client=session)


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
