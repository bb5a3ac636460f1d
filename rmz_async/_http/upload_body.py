"""The body of an upload: read piece by piece while it is sent, so that memory holds one piece."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import BinaryIO, cast

import anyio
import httpx

from rmz_async._calls.upload import Upload
from rmz_async.errors import InvalidRequestError

PIECE = 128 * 1024


class UploadBody(httpx.AsyncByteStream):
    """Reads an upload from its beginning for each attempt, as long as its source allows that.

    Attributes:
        upload: The file and its form.
        error: The error of the source while it was read.
    """

    def __init__(self, upload: Upload) -> None:
        self.upload = upload
        self.error: BaseException | None = None
        self._began = False
        self._opened: BinaryIO | None = None

    @property
    def can_be_read(self) -> bool:
        """Whether an attempt would send the whole file."""
        source = self.upload.source
        again = isinstance(source, bytes | os.PathLike) or self.upload.start is not None
        return again or not self._began

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Pieces(self)

    async def open(self) -> Callable[[], AsyncIterator[bytes]]:
        """Open the source at its beginning, and return what iterates over its pieces."""
        # Opened here and not earlier: aiohttp asks for an iterator before it has a connection.
        self._began = True
        source = self.upload.source
        if isinstance(source, bytes):
            return lambda: _OfBytes(source)
        if isinstance(source, os.PathLike):
            await self.aclose()
            opened = await anyio.to_thread.run_sync(open, source, "rb")
            self._opened = cast("BinaryIO", opened)
            return lambda: _OfFile(cast("BinaryIO", opened))
        if isinstance(source, AsyncIterable):
            return lambda: aiter(source)
        if self.upload.start is not None:
            await anyio.to_thread.run_sync(source.seek, self.upload.start)
        return lambda: _OfFile(source)

    async def aclose(self) -> None:
        """Close the file, if it was opened here."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None


# Classes and not generators: trio warns of a generator that is dropped when a write fails.
class _Pieces(AsyncIterator[bytes]):
    def __init__(self, body: UploadBody) -> None:
        self._body = body
        self._inner: AsyncIterator[bytes] | None = None
        self._ended = False

    async def __anext__(self) -> bytes:
        if self._ended:
            raise StopAsyncIteration
        try:
            if self._inner is None:
                self._inner = (await self._body.open())()
                return self._body.upload.head
            return _checked(await anext(self._inner))
        except StopAsyncIteration:
            self._ended = True
            return self._body.upload.tail
        except Exception as error:
            self._body.error = error
            raise


class _OfBytes(AsyncIterator[bytes]):
    def __init__(self, content: bytes) -> None:
        self._left = memoryview(content)

    async def __anext__(self) -> bytes:
        piece, self._left = self._left[:PIECE], self._left[PIECE:]
        if not piece:
            raise StopAsyncIteration
        return bytes(piece)


class _OfFile(AsyncIterator[bytes]):
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    async def __anext__(self) -> bytes:
        piece = await anyio.to_thread.run_sync(self._file.read, PIECE)
        # A file that does not block returns None if it has no more yet, and that is not its end.
        if piece == b"":
            raise StopAsyncIteration
        return piece


def _checked(piece: object) -> bytes:
    """Return a piece of a source, if it is one: the HTTP library would blame the connection.

    Raises:
        InvalidRequestError: The source gave a string, or nothing.
    """
    if isinstance(piece, bytes | bytearray | memoryview):
        return cast("bytes", piece)
    rule = f"must give bytes, and gave {type(piece).__name__}"
    raise InvalidRequestError(
        f"products.upload was broken off: file {rule}", errors={"file": (rule,)}
    )
