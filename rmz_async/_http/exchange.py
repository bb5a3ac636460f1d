"""The connections to RMZ, and one request over them: the only importer of httpx."""

from __future__ import annotations

import functools
import platform
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, Literal, TypeAlias

import anyio
import attrs
import httpx

from rmz_async._calls import retry as _retry
from rmz_async._calls import wire as _wire
from rmz_async._calls.call import Failed
from rmz_async._calls.retry import Failure
from rmz_async._calls.token import Secret, Tokens
from rmz_async._calls.wire import Answer, UnreadableBodyError
from rmz_async._http.per_loop import PerLoop
from rmz_async._http.pool import Pool
from rmz_async._version import __version__
from rmz_async.errors import ConfigurationError, MissingExtraError

HTTPClient: TypeAlias = httpx.AsyncClient
"""The one class of the HTTP library that a caller may hand in."""

CONNECT_TIMEOUT = 10.0

# RMZ allows one call a second: more at once only opens more connections.
MAX_CONCURRENT = 32

_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)

# By name: a caller may hand in a client over aiohttp, which is not imported here.
_NOT_SENT_OF_AIOHTTP = {
    "ClientConnectorError",
    "ConnectionTimeoutError",
    "InvalidUrlClientError",
    "NonHttpUrlClientError",
}


@attrs.frozen(eq=False, repr=False)
class PreparedRequest:
    """The bytes that every attempt of one call sends, without the token.

    Attributes:
        dedicated: Over a connection of its own. A server may close an idle connection just as a
            request is sent, and then nobody could tell whether the request arrived.
    """

    method: str
    url: str
    headers: httpx.Headers
    content: bytes
    dedicated: bool = False


def headers_for(base_url: str) -> httpx.Headers:
    """Return what every request to *base_url* has in its head, but for the token."""
    return httpx.Headers(
        {
            "Host": httpx.URL(base_url).netloc.decode("ascii"),
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": f"rmz-python/{__version__} python/{platform.python_version()}",
        }
    )


@attrs.frozen(eq=False, repr=False)
class LoopState:
    """What belongs to one event loop.

    Attributes:
        pool: Its connections; None where the caller's own client has them.
        at_once: How many requests may be under way.
        token_turn: Who asks for another token.
    """

    pool: Pool[httpx.AsyncBaseTransport] | None
    at_once: anyio.Semaphore
    token_turn: anyio.Lock


class Connections:
    """The HTTP client, the token, and the turns before them; all copies of a client share them."""

    def __init__(self, tokens: Tokens, http: HTTPClient | Literal["aiohttp"] | None) -> None:
        self.tokens = tokens
        self._theirs = http if isinstance(http, httpx.AsyncClient) else None
        self._open = _opener_for(http)
        self._states = PerLoop(self._new_state)
        self._closed = False
        if self._theirs is None:
            # Now, not at the first call: it would stop the event loop for 25 ms, and a process that
            # is forked meanwhile would inherit the locks of OpenSSL as they are.
            _tls()

    def open(self) -> LoopState:
        """Return what belongs to the running event loop, in this process.

        Raises:
            ConfigurationError: The client was closed.
        """
        self._check()
        return self._states.for_running_loop()

    def _new_state(self) -> LoopState:
        return LoopState(
            Pool(self._open, time.monotonic) if self._theirs is None else None,
            anyio.Semaphore(MAX_CONCURRENT, fast_acquire=True),
            anyio.Lock(fast_acquire=True),
        )

    def _check(self) -> None:
        if self._closed:
            raise ConfigurationError("this client was closed: create another one")
        if self._theirs is not None and self._theirs.is_closed:
            raise ConfigurationError("http: the httpx.AsyncClient that was passed in is closed")

    async def exchange(
        self,
        state: LoopState,
        prepared: PreparedRequest,
        token: Secret,
        limit: float,
        clock: Callable[[], float],
    ) -> Answer | Failed:
        """Send one request and read its answer; what goes wrong is returned, not raised.

        An error of the HTTP library holds the request, and so the token: none may become the
        context of an error of ours.

        Args:
            state: What `open` returned.
            prepared: What to send.
            token: For its head.
            limit: Seconds that it may take.
            clock: Seconds, monotonic.

        Raises:
            ConfigurationError: The client was closed meanwhile; nothing was sent.
        """
        # A pool that was closed would open connections again, and nobody would close those.
        self._check()
        request = _request(prepared, limit)
        _authorize(request, token)
        until = clock() + limit
        try:
            if self._theirs is not None:
                response = await self._theirs.send(
                    request, stream=True, auth=None, follow_redirects=False
                )
                return await _read(response, lambda: clock() > until)
            assert state.pool is not None  # as the client is our own
            async with state.pool.borrowed(dedicated=prepared.dedicated) as connection:
                response = await connection.handle_async_request(request)
                return await _read(response, lambda: clock() > until)
        except Exception as error:  # noqa: BLE001 - httpx lets others through
            return Failed(_failure_of(error), _reason(error))
        except BaseException as cut_off:
            # A cancelled request has passed frames of the HTTP library whose variables are its
            # head: a tracker of errors shows these.
            cut_off.__traceback__ = cut_off.__context__ = None
            raise

    async def aclose(self) -> None:
        """Close the connections; the caller's own client stays open."""
        self._closed = True
        state = self._states.pop_current()
        if state is not None and state.pool is not None:
            await state.pool.aclose()


def _opener_for(http: object) -> Callable[[], httpx.AsyncBaseTransport]:
    if http is None or isinstance(http, httpx.AsyncClient):
        return _OverHTTPX
    if http != "aiohttp":
        raise ConfigurationError('http: must be an httpx.AsyncClient, "aiohttp" or None')
    try:
        from rmz_async._http.over_aiohttp import open_transport
    except ImportError:
        raise MissingExtraError(
            'http: "aiohttp" needs its extra: pip install "rmz[aiohttp]"'
        ) from None
    return lambda: open_transport(_tls())


class _OverHTTPX(httpx.AsyncBaseTransport):
    """One connection over httpx.

    It is a transport without the layer of httpx.AsyncClient, which writes each address, and with it
    a customer's e-mail address, into its log.
    """

    def __init__(self) -> None:
        self._transport = httpx.AsyncHTTPTransport(
            verify=_tls(),
            trust_env=False,
            # The pool above this says how long it is kept.
            limits=httpx.Limits(max_connections=1, keepalive_expiry=None),
        )
        self._opened: Any = None
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        # httpx forgets a connection that is cancelled, or closed, while it opens: it stays open.
        # To be told of each step takes its time, so this asks only where one will be opened.
        if self._opened is None or self._opened.get_extra_info("is_readable"):
            request.extensions["trace"] = self._note
        return await self._transport.handle_async_request(request)

    async def _note(self, event: str, told: dict[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            self._opened = told["return_value"]
            if self._closed:
                await self._opened.aclose()

    async def aclose(self) -> None:
        self._closed = True
        try:
            await self._transport.aclose()
        finally:
            if self._opened is not None:
                await self._opened.aclose()


@functools.cache
def _tls() -> ssl.SSLContext:
    # Building one reads the whole list of authorities, which takes 25 ms: all clients share it.
    return httpx.create_ssl_context(trust_env=False)


def _request(prepared: PreparedRequest, limit: float) -> httpx.Request:
    request = httpx.Request(
        prepared.method,
        prepared.url,
        headers=prepared.headers,
        stream=_Body(prepared.content),
        extensions={
            "timeout": {
                "connect": min(CONNECT_TIMEOUT, limit),
                "read": limit,
                "write": limit,
                "pool": limit,
            }
        },
    )
    if prepared.method != "GET":
        request.headers["Content-Length"] = str(len(prepared.content))
    if prepared.content:
        request.headers["Content-Type"] = "application/json"
    # So that an event hook of the caller's own client can look at its content.
    request.read()
    return request


class _Body(httpx.ByteStream):
    """A body whose iterator need not be closed: httpx's own warns on trio when a write fails."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.content = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Once(self.content)


class _Once(AsyncIterator[bytes]):
    def __init__(self, content: bytes) -> None:
        self._left = [content] if content else []

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()


def _authorize(request: httpx.Request, token: Secret) -> None:
    # Apart, so that no frame that an error can pass through has the token among its variables.
    request.headers["Authorization"] = f"Bearer {token.reveal()}"


async def _read(response: httpx.Response, is_late: Callable[[], bool]) -> Answer:
    """Read an answer to its end, but no more of it than any answer of RMZ has, and no later.

    httpx has no limit for the whole of an answer: one byte in each read time-out would keep it
    reading.
    """
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1")
        for name, value in response.headers.raw
    }
    if response.is_stream_consumed:
        # An event hook of the caller's own client has read it, and httpx decompressed it.
        return Answer(response.status_code, headers, response.content)
    # Not a list: of a body that comes byte by byte it would be forty times as large.
    received = bytearray()
    fault = None
    stream = response.aiter_raw()
    try:
        async for chunk in stream:
            received += chunk
            if len(received) > _wire.MAX_BODY:
                fault = f"an answer of more than {_wire.MAX_BODY} bytes"
            elif is_late():
                fault = "the answer came too slowly"
            if fault is not None:
                break
    finally:
        await response.aclose()
    if fault is not None:
        # Reading what is closed ends the generators below this one, which trio wants to see ended.
        with suppress(Exception):
            async for _ in stream:
                pass
        raise UnreadableBodyError(fault)
    body = _wire.decompress(bytes(received), headers.get("content-encoding", ""))
    return Answer(response.status_code, headers, body)


def _failure_of(error: Exception) -> Failure:
    if not isinstance(error, _NOT_SENT):
        return Failure.AMBIGUOUS
    cause = error.__cause__
    # httpx-aiohttp says "connect time-out" of a connection that was lost after all was sent.
    if _is_of_aiohttp(cause) and not _NOT_SENT_OF_AIOHTTP & {
        kind.__name__ for kind in type(cause).__mro__
    }:
        return Failure.AMBIGUOUS
    return Failure.NEVER_SENT if _retry.is_certificate_error(error) else Failure.NOT_SENT


def _is_of_aiohttp(error: BaseException | None) -> bool:
    return type(error).__module__.partition(".")[0] == "aiohttp"


def _reason(error: Exception) -> str:
    told = error.__cause__ if _is_of_aiohttp(error.__cause__) else error
    # Only the texts of these are known to show no header and no body.
    is_known = isinstance(told, httpx.ConnectError | UnreadableBodyError) or (
        "ClientConnectorError" in {kind.__name__ for kind in type(told).__mro__}
    )
    return str(told) if is_known and str(told) else type(told).__name__
