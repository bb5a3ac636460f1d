"""Files to upload: checked before anything is sent."""

from __future__ import annotations

import inspect
import io
import mimetypes
import os
from collections.abc import AsyncIterable
from pathlib import Path, PurePath
from typing import BinaryIO, cast

import anyio

from rmz_async._calls.upload import Source, Upload, form
from rmz_async.models import MediaKind
from rmz_async.resources._validation import Validation

IMAGES = ("jpg", "jpeg", "png", "gif")
FILES = ("jpg", "mp4", "jpeg", "png", "gif", "pdf", "zip", "docx", "txt")

# RMZ's own limits, in bytes: 10 and 117 MiB.
MAX_IMAGE = 10 * 1024 * 1024
MAX_FILE = 120_000 * 1024

_SOURCES = "must be a path, bytes, an open binary file or an async iterator of bytes"

# A connection of a megabit a second takes 16 minutes for the largest file.
SLOWEST = 128 * 1024


async def prepared(
    check: Validation,
    file: object,
    *,
    kind: object,
    name: str | None,
    mime_type: str | None,
    timeout_without: float,
) -> Upload:
    """Return the upload of a file.

    Args:
        check: Collects what is wrong, and raises it.
        file: The caller's file.
        kind: The file's purpose.
        name: Its name; the source's own if None.
        mime_type: Its type; by its name if None.
        timeout_without: Seconds that a call has without an upload.

    Raises:
        InvalidRequestError: The file breaks a rule.
        OSError: The file at a path cannot be looked at.
    """
    source = _source(file)
    kinds = tuple(member.value for member in MediaKind)
    check.choice("type", kind, kinds)
    known = check.require("file", source is not None, _SOURCES)
    called = name if name is not None else _name_of(file)
    if check.text("name", called):
        allowed = FILES if kind == MediaKind.FILE else IMAGES
        ending = PurePath(called).suffix.removeprefix(".").lower()
        check.require("name", ending in allowed, f"must end in .{', .'.join(allowed)}")
    if mime_type is not None:
        # An empty one counts as left out, and a blank one would be no type at all.
        holds = _is_visible(mime_type)
        check.require("mime_type", holds, "must be visible ASCII, for example image/png")
    start, size = await _extent(source) if known else (None, None)
    most = MAX_FILE if kind == MediaKind.FILE else MAX_IMAGE
    check.require("file", size is None or 0 < size <= most, f"must have 1 to {most} bytes")
    check.finish()
    guessed = mimetypes.guess_type(called)[0] or "application/octet-stream"
    content_type, head, tail = form("file", called, mime_type or guessed)
    return Upload(
        source=cast("Source", source),
        start=start,
        size=size,
        timeout=timeout_without + (most if size is None else size) / SLOWEST,
        content_type=content_type,
        head=head,
        tail=tail,
    )


def _is_visible(mime_type: object) -> bool:
    written = mime_type if isinstance(mime_type, str) else "\0"
    return written.isascii() and written.isprintable() and (written == "" or not written.isspace())


def _source(file: object) -> Source | None:
    if isinstance(file, str | os.PathLike):
        path = os.fsdecode(cast("str", file))
        return None if "\0" in path else Path(path)
    if isinstance(file, bytes | bytearray | memoryview):
        # A copy: the caller may change it before the last attempt.
        return bytes(cast("bytes", file))
    if isinstance(file, AsyncIterable) or _can_be_read(file):
        return cast("BinaryIO", file)
    return None


def _can_be_read(file: object) -> bool:
    read = getattr(file, "read", None)
    is_file = callable(read) and not isinstance(file, type | io.TextIOBase)
    # Starlette's UploadFile reads by await; its own file does not.
    is_open = getattr(file, "closed", False) is not True
    return is_file and is_open and not inspect.iscoroutinefunction(read)


def _name_of(file: object) -> str:
    if isinstance(file, str | os.PathLike):
        return PurePath(os.fsdecode(cast("str", file))).name
    name = getattr(file, "name", None)
    # The name of a file that was opened by its descriptor is a number.
    return PurePath(name).name if isinstance(name, str) else ""


async def _extent(source: Source | None) -> tuple[int | None, int | None]:
    """Return where a source begins, if it can go back there, and its size, if that is known."""
    if isinstance(source, bytes):
        return None, len(source)
    if isinstance(source, os.PathLike):
        return None, (await anyio.Path(source).stat()).st_size
    if source is None or isinstance(source, AsyncIterable):
        return None, None
    return await anyio.to_thread.run_sync(_measured, source)


def _measured(file: BinaryIO) -> tuple[int | None, int | None]:
    # A memory map has the method from Python 3.13 on, and returns its new position from there on.
    seekable = getattr(file, "seekable", None)
    if seekable is None or not seekable():
        return None, None
    start = file.tell()
    file.seek(0, os.SEEK_END)
    size = file.tell() - start
    file.seek(start)
    return start, size
