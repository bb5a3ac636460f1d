"""The one way to RMZ, and the only importer of httpx: authorise, send, read, repeat, settle.

What a failure means and what to do next is decided in :mod:`rmz_async._retry`; what the bytes mean,
in :mod:`rmz_async._wire`. This module does what they say.
"""

from __future__ import annotations

import functools
import logging
import os
import platform
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar

import anyio
import httpx
from anyio.lowlevel import current_token

from rmz_async import _retry, _wire
from rmz_async._call import Call, Failed, Settlement, Waiting, error_of
from rmz_async._converter import decode
from rmz_async._retry import Failure, History, Step
from rmz_async._token import Secret, Tokens
from rmz_async._version import __version__
from rmz_async._wire import Answer, UnreadableBodyError
from rmz_async.errors import ConfigurationError, RMZError
from rmz_async.options import Options

T = TypeVar("T")

HTTPClient: TypeAlias = httpx.AsyncClient
"""The one class of the HTTP library that a caller may hand in."""

logger = logging.getLogger("rmz_async")

CONNECT_TIMEOUT = 10.0

# More at once are slower, as the HTTP library walks the list of its connections at each request:
# with 50 a call costs half as much again. RMZ allows one call a second.
MAX_CONCURRENT = 32

# How much later than httpx's own time-outs the fence falls, which holds a slow drip too.
FENCE = 0.2

# How much longer than the call's deadline a read-back may take: to know is worth the wait.
SETTLE_GRACE = 10.0

_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)

# Opened on another event loop, or by the parent of this process: neither may be closed from here,
# as the garbage collector would.
_abandoned: list[object] = []


class Connections:
    """The HTTP client, the token, and the turns before them; all copies of a client share them."""

    def __init__(self, tokens: Tokens, http: HTTPClient | None) -> None:
        self.tokens = tokens
        self._theirs = http
        self._ours: httpx.AsyncBaseTransport | None = None
        self._owner: object = None
        self._closed = False
        if http is None:
            # Now, not at the first call: it would stop the event loop for 25 ms, and a process that
            # is forked meanwhile would inherit the locks of OpenSSL as they are.
            _tls()

    def open(self) -> None:
        """Make sure that the connections belong to the running event loop, in this process.

        Raises:
            ConfigurationError: The client was closed.
        """
        if self._closed:
            raise ConfigurationError("this client was closed: create another one")
        if self._theirs is not None and self._theirs.is_closed:
            raise ConfigurationError("http: the httpx.AsyncClient that was passed in is closed")
        owner = (current_token(), os.getpid())
        if owner == self._owner:
            return
        if self._ours is not None:
            _abandoned.append(self._ours)
        self._owner = owner
        self._ours = _open_transport() if self._theirs is None else None
        self.turns: anyio.Semaphore = anyio.Semaphore(MAX_CONCURRENT, fast_acquire=True)
        self.token_turn: anyio.Lock = anyio.Lock(fast_acquire=True)

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Send *request* once, and follow nothing."""
        if self._ours is not None:
            return await self._ours.handle_async_request(request)
        assert self._theirs is not None
        return await self._theirs.send(request, stream=True, auth=None, follow_redirects=False)

    async def aclose(self) -> None:
        """Close the connections; the caller's own client stays open."""
        self._closed = True
        if self._ours is not None and self._owner == (current_token(), os.getpid()):
            await self._ours.aclose()


def _open_transport() -> httpx.AsyncBaseTransport:
    # Without the layer of httpx.AsyncClient, which writes each address, and with it a customer's
    # e-mail address, into its log. Our own turns bound the number of connections: httpx loses a
    # place in its pool for good when a call is cancelled.
    return httpx.AsyncHTTPTransport(
        verify=_tls(),
        trust_env=False,
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=MAX_CONCURRENT),
    )


@functools.cache
def _tls() -> ssl.SSLContext:
    # Building one reads the whole list of authorities, which takes 25 ms: all clients share it.
    return httpx.create_ssl_context(trust_env=False)


class Transport:
    """Makes calls over connections, within the options of one client."""

    def __init__(
        self, connections: Connections, options: Options, waiting: Waiting | None = None
    ) -> None:
        self.options = options
        self._connections = connections
        self._waiting = Waiting() if waiting is None else waiting
        self._headers = httpx.Headers(
            {
                "Host": httpx.URL(options.base_url).netloc.decode("ascii"),
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                "User-Agent": f"rmz-python/{__version__} python/{platform.python_version()}",
            }
        )

    def with_options(self, options: Options) -> Transport:
        """Return a transport over the same connections."""
        return Transport(self._connections, options, self._waiting)

    async def aclose(self) -> None:
        """Close the connections, for all copies."""
        await self._connections.aclose()

    async def call(self, call: Call[T]) -> T:
        """Make *call*, repeat it where that is safe, and return its decoded answer.

        Raises:
            RMZError: As its tree says.
        """
        return await self._call_until(call, self._waiting.clock() + self.options.timeout)

    async def _call_until(self, call: Call[T], deadline: float) -> T:
        self._connections.open()
        policy, clock = self.options.retry, self._waiting.clock
        history = History()
        while True:
            history.attempts += 1
            result = await self._try(call, history, deadline)
            if not isinstance(result, Failed):
                return result
            step = _retry.next_step(
                call.operation,
                result.failure,
                history,
                policy,
                can_settle=call.settlement is not None,
            )
            history.ambiguous |= result.failure is Failure.AMBIGUOUS
            wait = self._wait_after(result, history)
            unread = False
            if step is Step.SETTLE and call.settlement is not None:
                await self._waiting.sleep(min(wait, SETTLE_GRACE))
                found = await self._read_back(call.settlement, deadline + SETTLE_GRACE)
                if found is not None and call.settlement.applied(found):
                    logger.warning("%s: settled by reading back: applied", call.operation.name)
                    return found
                wait, unread = 0.0, found is None
                if not unread and _retry.may_resend(
                    call.operation, result.failure, history, policy, clock()
                ):
                    step = Step.REPEAT
            if step is not Step.REPEAT or clock() + wait >= deadline:
                raise error_of(call, result, history, unread=unread)
            logger.info("%s: repeated in %.1f s (%s)", call.operation.name, wait, result.reason)
            await self._waiting.sleep(wait)

    def _wait_after(self, failed: Failed, history: History) -> float:
        if failed.error is not None and failed.error.retry_after is not None:
            return failed.error.retry_after
        wait = _retry.backoff(self.options.retry, history.attempts, self._waiting.draw)
        return max(wait, _retry.REFUSED_WAIT) if failed.failure is Failure.REFUSED else wait

    async def _read_back(self, settlement: Settlement[T], deadline: float) -> T | None:
        try:
            return await self._call_until(settlement.read, deadline)
        except RMZError as error:
            logger.warning("could not be read back: %s", type(error).__name__)
            return None

    async def _try(self, call: Call[T], history: History, deadline: float) -> T | Failed:
        began = self._waiting.clock()
        tokens = self._connections.tokens
        token = tokens.current or await self._renewed(None, deadline)
        answer = await self._exchange(call, token, history, deadline)
        if isinstance(answer, Answer) and answer.status == 401 and tokens.renewable:
            # Refused before anything was done: even what may be sent once only can be sent again.
            token = await self._renewed(token, deadline)
            answer = await self._exchange(call, token, history, deadline)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug(
                "%s %s: %s, try %d, %.3f s",
                call.operation.method,
                call.operation.path,
                answer.status if isinstance(answer, Answer) else answer.reason,
                history.attempts,
                self._waiting.clock() - began,
            )
        if isinstance(answer, Failed):
            return answer
        assert token is not None  # or nothing would have been sent
        return self._result(call, answer, token)

    async def _renewed(self, refused: Secret | None, deadline: float) -> Secret | None:
        """Ask for another token; None where the source did not give one in time."""
        with anyio.move_on_after(deadline - self._waiting.clock()):
            return await self._connections.tokens.renew(refused, self._connections.token_turn)
        return None

    async def _exchange(
        self, call: Call[T], token: Secret | None, history: History, deadline: float
    ) -> Answer | Failed:
        """Send one request and read its answer; what goes wrong is returned, not raised.

        An error of the HTTP library holds the request, and so the token: none may become the
        context of an error of ours.
        """
        if token is None:
            return Failed(Failure.NOT_SENT, "the token source gave no token in time")
        clock = self._waiting.clock
        sent = False
        with anyio.move_on_after(deadline - clock() + FENCE):
            async with self._connections.turns:
                limit = min(deadline - clock(), self.options.retry.attempt_timeout)
                if limit <= 0:
                    return Failed(Failure.NOT_SENT, "no time was left to send it")
                request = self._request(call, limit)
                _authorize(request, token)
                if history.first_sent is None:
                    history.first_sent, history.sent_at = clock(), datetime.now(UTC)
                sent = True
                until = clock() + limit
                try:
                    response = await self._connections.send(request)
                    return await _read(response, lambda: clock() > until)
                except _NOT_SENT as error:
                    permanent = _retry.is_certificate_error(error)
                    failure = Failure.NEVER_SENT if permanent else Failure.NOT_SENT
                    return Failed(failure, _reason(error))
                except Exception as error:  # noqa: BLE001 - httpx lets others through
                    return Failed(Failure.AMBIGUOUS, _reason(error))
        failure = Failure.AMBIGUOUS if sent else Failure.NOT_SENT
        return Failed(failure, f"no answer within {self.options.timeout:g} s")

    def _request(self, call: Call[T], limit: float) -> httpx.Request:
        body = _Body(_wire.encode_body(call.body))
        request = httpx.Request(
            call.operation.method,
            self.options.base_url + _wire.target(call.operation, call.object_id, call.query),
            headers=self._headers,
            stream=body,
            extensions={
                "timeout": {
                    "connect": min(CONNECT_TIMEOUT, limit),
                    "read": limit,
                    "write": limit,
                    "pool": limit,
                }
            },
        )
        if call.operation.method != "GET":
            request.headers["Content-Length"] = str(len(body.content))
        if body.content:
            request.headers["Content-Type"] = "application/json"
        # So that an event hook of the caller's own client can look at its content.
        request.read()
        return request

    def _result(self, call: Call[T], answer: Answer, token: Secret) -> T | Failed:
        if 200 <= answer.status < 300:
            try:
                return decode(_wire.data_of(answer), call.into)
            except UnreadableBodyError as error:
                failure, reason = Failure.AMBIGUOUS, str(error)
            except ValueError as error:
                failure, reason = Failure.UNREADABLE, str(error)
        else:
            failure, reason = _wire.failure_of(answer), ""
        shown = Answer(answer.status, answer.headers, token.hidden_in(answer.body))
        if reason:
            return Failed(failure, reason, _wire.unexpected(call.operation, shown, reason))
        sent = tuple(call.body or ())
        answered = _wire.error_of(call.operation, shown, sent=sent, now=time.time())
        return Failed(failure, f"RMZ answered {answer.status}", answered)


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
    chunks: list[bytes] = []
    size = 0
    fault = None
    stream = response.aiter_raw()
    try:
        async for chunk in stream:
            chunks.append(chunk)
            size += len(chunk)
            if size > _wire.MAX_BODY:
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
    body = _wire.decompress(b"".join(chunks), headers.get("content-encoding", ""))
    return Answer(response.status_code, headers, body)


def _reason(error: Exception) -> str:
    # Only the texts of these are known to show no header and no body.
    if isinstance(error, httpx.ConnectError | UnreadableBodyError) and str(error):
        return str(error)
    return type(error).__name__
