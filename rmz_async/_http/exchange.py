"""One request and its answer: the only place that decides what a failure of it means."""

from __future__ import annotations

import platform
from collections.abc import Callable
from traceback import walk_tb

import attrs
import httpx

from rmz_async._calls import retry as _retry
from rmz_async._calls.outcome import Answer, Failed, Failure, UnreadableBodyError
from rmz_async._calls.token import Secret
from rmz_async._http.body import Body, answer_at_hand, read
from rmz_async._http.pool import Pool
from rmz_async._http.transport import SENDING, Connection, Sending
from rmz_async._version import __version__

CONNECT_TIMEOUT = 10.0

_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)

# By name: a caller may pass in a client over aiohttp, which is not imported here.
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
    """Return the headers of every request to *base_url*, without the token."""
    return httpx.Headers(
        {
            "Host": httpx.URL(base_url).netloc.decode("ascii"),
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": f"rmz-python/{__version__} python/{platform.python_version()}",
        }
    )


async def exchange(
    client: httpx.AsyncClient,
    pool: Pool[Connection] | None,
    prepared: PreparedRequest,
    token: Secret,
    limit: float,
    clock: Callable[[], float],
) -> Answer | Failed:
    """Send one request and read its answer; a failure is returned, not raised.

    An error of the HTTP library holds the request, and so the token: none may become the context of
    an error of ours.

    Args:
        client: Carries the request.
        pool: The connections below the client; None if the client is the caller's own.
        prepared: The request.
        token: For its head.
        limit: Seconds that it may take.
        clock: Seconds, monotonic.

    Raises:
        Exception: An event hook of the caller's own client raised it, and nothing was sent.
    """
    until = clock() + limit
    request = _Request(prepared, limit, is_whole=pool is None)
    try:
        if pool is None:
            _authorize(request, token)
            return await _sent(client, request, lambda: clock() > until)
        async with pool.borrowed(dedicated=prepared.dedicated) as connection:
            query = prepared.url.partition("?")[2]
            request.extensions[SENDING] = Sending(connection, token, query)
            return await _sent(client, request, lambda: clock() > until)
    except Exception as error:
        answered = _response_in(error, request)
        if answered is not None:
            return answer_at_hand(answered)
        if not request.is_handed_over:
            raise
        return Failed(_failure_of(error, request), _reason(error))
    except BaseException as cut_off:
        # A cancelled request has passed frames of the HTTP library whose variables are its
        # head: a tracker of errors shows these.
        cut_off.__traceback__ = cut_off.__context__ = None
        raise


async def _sent(
    client: httpx.AsyncClient, request: httpx.Request, is_late: Callable[[], bool]
) -> Answer:
    response = await client.send(request, stream=True, auth=None, follow_redirects=False)
    return await read(response, is_late)


class _Request(httpx.Request):
    """A request that knows whether httpx has handed it to a transport, so that it may be sent.

    Args:
        prepared: The request as data.
        limit: Seconds that it may take.
        is_whole: Whether the query is in its address. Our own transport adds it otherwise, below
            all that logs addresses.
    """

    def __init__(self, prepared: PreparedRequest, limit: float, *, is_whole: bool) -> None:
        connect = min(CONNECT_TIMEOUT, limit)
        timeout = {"connect": connect, "read": limit, "write": limit, "pool": limit}
        super().__init__(
            prepared.method,
            prepared.url if is_whole else prepared.url.partition("?")[0],
            headers=prepared.headers,
            stream=Body(prepared.content),
            extensions={"timeout": timeout},
        )
        if prepared.method != "GET":
            self.headers["Content-Length"] = str(len(prepared.content))
        if prepared.content:
            self.headers["Content-Type"] = "application/json"
        # So that an event hook of the caller's own client can look at its content.
        self.read()
        self.is_handed_over = False

    @property
    def stream(self) -> httpx.SyncByteStream | httpx.AsyncByteStream:
        # httpx looks at it when the event hooks have run, just before it calls the transport.
        self.is_handed_over = True
        return self._stream

    @stream.setter
    def stream(self, stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> None:
        self._stream = stream


def _authorize(request: httpx.Request, token: Secret) -> None:
    # Apart, so that no frame that an error can pass through has the token among its variables.
    request.headers["Authorization"] = f"Bearer {token.reveal()}"


def _response_in(error: BaseException | None, request: httpx.Request) -> httpx.Response | None:
    """Return the answer that the error of an event hook holds, as that of `raise_for_status`."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        response = vars(error).get("response")
        if isinstance(response, httpx.Response) and response.request is request:
            return response
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


def _failure_of(error: Exception, request: _Request) -> Failure:
    if isinstance(error, RuntimeError):
        # A name cannot be resolved, as the interpreter starts no thread any more.
        return Failure.NOT_SENT if "shutdown" in str(error) else Failure.AMBIGUOUS
    if not isinstance(error, _NOT_SENT) or not _is_about(error, request):
        return Failure.AMBIGUOUS
    cause = error.__cause__
    # httpx-aiohttp says "connect time-out" of a connection that was lost after all was sent.
    if _is_of_aiohttp(cause) and not _NOT_SENT_OF_AIOHTTP & {
        kind.__name__ for kind in type(cause).__mro__
    }:
        return Failure.AMBIGUOUS
    return Failure.NEVER_SENT if _retry.is_certificate_error(error) else Failure.NOT_SENT


def _is_about(error: httpx.RequestError, request: httpx.Request) -> bool:
    """Say whether *error* comes from the transport of *request*, so that no answer had begun.

    An event hook of the caller's own client may make requests of its own once RMZ has answered, and
    these may fail. httpx names the request in each error of a transport.
    """
    steps = {frame.f_code.co_name for frame, _ in walk_tb(error.__traceback__)}
    return "_send_single_request" in steps and error.request is request


def _is_of_aiohttp(error: BaseException | None) -> bool:
    return type(error).__module__.partition(".")[0] == "aiohttp"


def _reason(error: Exception) -> str:
    told = error.__cause__ if _is_of_aiohttp(error.__cause__) else error
    # Only the texts of these are known to show no header and no body.
    is_known = isinstance(told, httpx.ConnectError | UnreadableBodyError) or (
        "ClientConnectorError" in {kind.__name__ for kind in type(told).__mro__}
    )
    return str(told) if is_known and str(told) else type(told).__name__
