"""The HTTP clients of one RMZ client: opened for each event loop, and closed with it."""

from __future__ import annotations

import functools
import os
import ssl
import time
from collections.abc import Callable
from typing import Final, Literal, NoReturn, TypeAlias

import anyio
import httpx

from rmz_async._calls.outcome import Answer, Failed, History
from rmz_async._calls.token import Secret, Tokens
from rmz_async._http.body import answer_at_hand, read
from rmz_async._http.failures import answer_in, failure_of, reason_of
from rmz_async._http.over_httpx import HTTPXConnection
from rmz_async._http.pool import Pool
from rmz_async._http.request import PreparedRequest, Request, authorize
from rmz_async._http.transport import SENDING, Connection, ConnectionTransport, Sending
from rmz_async._per_loop import PerLoop
from rmz_async.errors import ConfigurationError

HTTPClient: TypeAlias = httpx.AsyncClient
"""The one class of the HTTP library that a caller may pass in."""

# RMZ allows one call a second: more at the same time only open more connections.
MAX_CONCURRENT = 32


class LoopState:
    """The parts of a client that belong to one event loop.

    Attributes:
        client: Carries each request.
        pool: The connections below the client; None if the client is the caller's own.
        concurrency: How many requests may be under way.
        token_lock: Lets one task at a time ask for another token.
    """

    def __init__(self, client: httpx.AsyncClient, pool: Pool[Connection] | None) -> None:
        self.client: Final = client
        self.pool: Final = pool
        self.concurrency: Final[anyio.Semaphore] = anyio.Semaphore(
            MAX_CONCURRENT, fast_acquire=True
        )
        self.token_lock: Final[anyio.Lock] = anyio.Lock(fast_acquire=True)


class Connections:
    """The token, and the HTTP client of each event loop; all copies of a client share them."""

    def __init__(self, tokens: Tokens, http: HTTPClient | Literal["aiohttp"] | None) -> None:
        self.tokens = tokens
        self._theirs = http if isinstance(http, httpx.AsyncClient) else None
        self._open = _opener_for(http)
        self._states = PerLoop(self._new_state)
        self._closed = False
        if self._theirs is None:
            # Made here: the first call would block its event loop for 25 ms, and a process that is
            # forked meanwhile would inherit OpenSSL's locks as they are.
            _tls()

    def open(self) -> LoopState:
        """Return the parts that belong to the running event loop, in this process.

        Raises:
            ConfigurationError: The client was closed.
        """
        if self._closed:
            raise ConfigurationError("this client was closed: create another one")
        if self._theirs is not None and self._theirs.is_closed:
            raise ConfigurationError("http: the httpx.AsyncClient that was passed in is closed")
        return self._states.for_running_loop()

    def _new_state(self) -> LoopState:
        pool = None if self._theirs is not None else Pool(self._open, time.monotonic)
        client = self._theirs or _Client(transport=ConnectionTransport(), trust_env=False)
        return LoopState(client, pool)

    async def exchange(
        self,
        prepared: PreparedRequest,
        token: Secret,
        limit: float,
        clock: Callable[[], float],
        history: History,
    ) -> Answer | Failed:
        """Send one request and read its answer; a failure is returned, not raised.

        An error of the HTTP library holds the request, and so the token: none may become the
        context of an error of ours.

        Args:
            prepared: The request.
            token: For its head.
            limit: Seconds that it may take.
            clock: Seconds, monotonic.
            history: Of the call. If the request is cut off before it was sent, `under_way` becomes
                false, because a request that is cut off can return nothing.

        Raises:
            ConfigurationError: The client was closed meanwhile; nothing was sent.
            Exception: An event hook of the caller's own client raised it, and nothing was sent. Or
                the source of an upload raised it.
        """
        # A pool that was closed would open connections again, and nothing would close those.
        state = self.open()
        until = clock() + limit
        request = Request(prepared, limit, is_whole=state.pool is None)
        connection, reusable = None, False
        try:
            try:
                if state.pool is None:
                    authorize(request, token)
                else:
                    connection = state.pool.borrow(dedicated=prepared.dedicated)
                    query = prepared.url.partition("?")[2]
                    request.extensions[SENDING] = Sending(connection, token, query)
                response = await state.client.send(
                    request, stream=True, auth=None, follow_redirects=False
                )
                answer = await read(response, until, clock)
                # If it failed or was cancelled, the answer to it may still come.
                reusable = not prepared.dedicated
                return answer
            finally:
                if state.pool is not None and connection is not None:
                    await state.pool.give_back(connection, reusable=reusable)
        except Exception as error:
            if prepared.upload is not None and prepared.upload.error is not None:
                _raise_again(prepared.upload.error)
            answered = answer_in(error, request)
            if answered is not None:
                return answer_at_hand(answered)
            if not request.is_handed_over:
                raise
            return Failed(failure_of(error, request), reason_of(error, request))
        except BaseException as cut_off:
            # A tracker of errors would show the variables of the HTTP library's frames, which hold
            # the request's head, and so the token.
            cut_off.__traceback__ = cut_off.__context__ = None
            if connection is not None and connection.failed_to_open():
                history.under_way = False
            raise
        finally:
            if prepared.upload is not None:
                await prepared.upload.aclose()

    async def aclose(self) -> None:
        """Close the connections; the caller's own client stays open."""
        self._closed = True
        state = self._states.pop_current()
        if state is not None and state.pool is not None:
            await state.pool.aclose()


def _raise_again(error: BaseException) -> NoReturn:
    """Raise an error of the caller's own, which has passed frames that hold the token."""
    context = error.__context__
    try:
        raise error.with_traceback(None)
    finally:
        # The context would otherwise be the HTTP library's error, whose frames hold the token, too.
        error.__context__ = context


class _NoCookies(httpx.Cookies):
    """A cookie jar that keeps nothing, and spends no time on a search for cookies."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Keep none."""


class _Client(httpx.AsyncClient):
    """The client that carries the requests, unless the caller passes in another."""

    _none = _NoCookies()

    @property
    def cookies(self) -> httpx.Cookies:
        return self._none

    @cookies.setter
    def cookies(self, cookies: object) -> None:
        """Keep none."""


def _opener_for(http: object) -> Callable[[], Connection]:
    if http is None or isinstance(http, httpx.AsyncClient):
        return lambda: HTTPXConnection(_tls())
    if http != "aiohttp":
        raise ConfigurationError('http: must be an httpx.AsyncClient, "aiohttp" or None')
    from rmz_async._http.over_aiohttp import AiohttpConnection

    return lambda: AiohttpConnection(_tls())


def _tls() -> ssl.SSLContext:
    return _tls_for(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@functools.cache
def _tls_for(file: str | None, folder: str | None) -> ssl.SSLContext:
    # Building one reads the whole list of authorities, which takes 25 ms: all clients share it.
    return httpx.create_ssl_context()
