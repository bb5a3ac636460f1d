"""A file that is to be uploaded, as data: nothing of it is read here."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterable
from typing import BinaryIO, Final, TypeAlias

Source: TypeAlias = "bytes | os.PathLike[str] | BinaryIO | AsyncIterable[bytes]"
"""The source of a file: bytes, a path, a binary file object, or an async stream of bytes."""


class Upload:
    """A file of a multipart form, and how it is sent.

    Attributes:
        source: The bytes, or an object to read them from.
        start: The position of a file object when the call began; None if it cannot go back there.
        size: Bytes of the file; None if only reading it to its end would show that.
        timeout: Seconds for the call, over all its attempts.
        content_type: The type of the whole form.
        head: The form before the file.
        tail: The form after the file.
    """

    def __init__(
        self,
        *,
        source: Source,
        start: int | None,
        size: int | None,
        timeout: float,
        content_type: str,
        head: bytes,
        tail: bytes,
    ) -> None:
        self.source: Final = source
        self.start: Final = start
        self.size: Final = size
        self.timeout: Final = timeout
        self.content_type: Final = content_type
        self.head: Final = head
        self.tail: Final = tail

    @property
    def length(self) -> int | None:
        """The bytes of the whole form, or None."""
        return None if self.size is None else len(self.head) + self.size + len(self.tail)


def form(field: str, name: str, mime_type: str) -> tuple[str, bytes, bytes]:
    """Return the content type of a form with one file, and what stands before and after the file.

    Args:
        field: The name of the field.
        name: The name of the file; any string.
        mime_type: The file's type, without line breaks.
    """
    boundary = secrets.token_hex(16)
    # Escaped as browsers do, so that no name can end the line or the quotes.
    quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{field}"; filename="{quoted}"\r\n'
        f"Content-Type: {mime_type}\r\n\r\n"
    )
    return (
        f"multipart/form-data; boundary={boundary}",
        head.encode(),
        f"\r\n--{boundary}--\r\n".encode(),
    )
