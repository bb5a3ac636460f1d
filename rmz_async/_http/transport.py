"""The transport below our own AsyncClient: the last step before a connection.

Mocks, instrumentation and httpx's own log line see requests above this module. The token and the
query, which may hold a customer's e-mail address, are added here, below all of them.
"""

from __future__ import annotations

from typing import Any, Final, Protocol, cast

import httpcore
import httpx

from rmz_async._calls.token import Secret

SENDING = "rmz"
"""The name of the request's extension that holds a `Sending`."""


class Connection(Protocol):
    """A connection to RMZ, for one request at a time."""

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send *request*, and return the head of its answer; the body is read from its stream."""
        ...

    def is_reusable(self) -> bool:
        """Say whether another request may go over it: it is open, and nothing is left to read."""
        ...

    def failed_to_open(self) -> bool:
        """Say whether a request has attempted to open it, and no byte of a request was sent.

        False if no request has attempted that: a mock above it may have taken the request.
        """
        ...

    async def aclose(self) -> None:
        """Close the connection, even while a request is under way."""
        ...


class Sending:
    """The connection and token with which one attempt is sent.

    Attributes:
        connection: The connection that carries the request.
        token: The token for the request's head.
        query: The query for the request's address; empty if there is none.
    """

    def __init__(self, connection: Connection, token: Secret, query: str) -> None:
        self.connection: Final = connection
        self.token: Final = token
        self.query: Final = query


class ConnectionTransport(httpx.AsyncHTTPTransport):
    """Sends each request over the connection that its extension names.

    The base class translates between httpx and httpcore. Mocks and instrumentation replace its
    methods for the whole process, so they see these requests too.
    """

    def __init__(self) -> None:
        # In place of a pool of httpcore's, which loses the slots of cancelled requests for good,
        # and walks the list of all its connections at each request.
        self._pool = cast("httpcore.AsyncConnectionPool", _OverNamedConnections())


class _OverNamedConnections:
    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        # httpcore does not say of what type extensions are.
        sending: Sending = cast("Any", request).extensions[SENDING]
        if sending.query:
            request.url.target += b"?" + sending.query.encode("ascii")
        # In no variable: an error may pass through this frame.
        request.headers.append((b"Authorization", f"Bearer {sending.token.reveal()}".encode()))
        return await sending.connection.handle_async_request(request)
