"""A request and its answer."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable

import attrs
import httpx

from rmz_async._calls.outcome import Answer, Failed
from rmz_async._calls.token import Secret
from rmz_async._calls.upload import Upload
from rmz_async._http.body import Body, answer_at_hand, read
from rmz_async._http.failures import answer_in, failure_of, reason_of
from rmz_async._http.pool import Pool
from rmz_async._http.transport import SENDING, Connection, Sending
from rmz_async._http.upload_body import UploadBody
from rmz_async._version import __version__

CONNECT_TIMEOUT = 10.0


@attrs.frozen(eq=False, repr=False)
class PreparedRequest:
    """The bytes that every attempt of one call sends, without the token.

    Attributes:
        dedicated: Over a connection of its own. A server may close an idle connection just as a
            request is sent, and then it would be unknown whether the request arrived.
        upload: A file that is sent in place of *content*.
        silence: The most seconds in which nothing is sent and nothing comes.
    """

    method: str
    url: str
    headers: httpx.Headers
    content: bytes
    dedicated: bool = False
    upload: UploadBody | None = None
    silence: float = math.inf

    @property
    def can_be_sent(self) -> bool:
        """Whether an attempt would send all of it: a stream cannot be read twice."""
        return self.upload is None or self.upload.can_be_read


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
        Exception: An event hook of the caller's own client raised it, and nothing was sent. Or the
            source of an upload raised it.
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
        if prepared.upload is not None and prepared.upload.error is not None:
            # Its traceback has passed frames that hold the token.
            raise prepared.upload.error.with_traceback(None) from None
        answered = answer_in(error, request)
        if answered is not None:
            return answer_at_hand(answered)
        if not request.is_handed_over:
            raise
        return Failed(failure_of(error, request), reason_of(error))
    except BaseException as cut_off:
        # A cancelled request has passed frames of the HTTP library whose variables are its
        # head: a tracker of errors shows these.
        cut_off.__traceback__ = cut_off.__context__ = None
        raise
    finally:
        if prepared.upload is not None:
            await prepared.upload.aclose()


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
        silence = min(limit, prepared.silence)
        timeout = {"connect": connect, "read": silence, "write": silence, "pool": limit}
        super().__init__(
            prepared.method,
            prepared.url if is_whole else prepared.url.partition("?")[0],
            headers=prepared.headers,
            stream=prepared.upload or Body(prepared.content),
            extensions={"timeout": timeout},
        )
        self.is_handed_over = False
        if prepared.upload is not None:
            self._describe(prepared.upload.upload)
            return
        if prepared.method != "GET":
            self.headers["Content-Length"] = str(len(prepared.content))
        if prepared.content:
            self.headers["Content-Type"] = "application/json"
        # So that an event hook of the caller's own client can look at its content.
        self.read()
        self.is_handed_over = False

    def _describe(self, upload: Upload) -> None:
        self.headers["Content-Type"] = upload.content_type
        if upload.length is None:
            self.headers["Transfer-Encoding"] = "chunked"
        else:
            self.headers["Content-Length"] = str(upload.length)

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
