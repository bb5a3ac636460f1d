"""A request: as data, without the token, and as httpx sends it."""

from __future__ import annotations

import functools
import math
import platform
from typing import Final

import httpx

from rmz_async._calls.token import Secret
from rmz_async._calls.upload import Upload
from rmz_async._http.body import Body
from rmz_async._http.upload_body import UploadBody
from rmz_async._version import __version__

CONNECT_TIMEOUT = 10.0


class PreparedRequest:
    """The bytes that every attempt of one call sends, without the token.

    Attributes:
        dedicated: Over a connection of its own. A server may close an idle connection just as a
            request is sent, and then it would be unknown whether the request arrived.
        upload: A file that is sent in place of *content*.
        silence: The most seconds in which nothing is sent and nothing comes.
    """

    def __init__(
        self,
        method: str,
        url: str,
        headers: httpx.Headers,
        content: bytes,
        dedicated: bool = False,
        upload: UploadBody | None = None,
        silence: float = math.inf,
    ) -> None:
        self.method: Final = method
        self.url: Final = url
        self.headers: Final = headers
        self.content: Final = content
        self.dedicated: Final = dedicated
        self.upload: Final = upload
        self.silence: Final = silence

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


class Request(httpx.Request):
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
            # A whole address is not kept: its query may have an e-mail address.
            prepared.url if is_whole else _parsed(prepared.url.partition("?")[0]),
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
        # Read here, so that an event hook of the caller's own client can see the content.
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


# httpx looks at each character of an address, and calls go to few addresses.
_parsed = functools.lru_cache(maxsize=256)(httpx.URL)


def authorize(request: httpx.Request, token: Secret) -> None:
    """Add the token to the head of *request*."""
    # A function of its own, so that no frame through which an error can pass has the token among
    # its variables.
    request.headers["Authorization"] = f"Bearer {token.reveal()}"
