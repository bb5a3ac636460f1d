"""The rules of uploads, and how a file is kept."""

from __future__ import annotations

from pathlib import PurePosixPath

import attrs

from rmz_async.sandbox.store.catalog import Upload, UploadType
from rmz_async.sandbox.store.state import Store
from rmz_async.sandbox.wire.fields import Fields

__all__ = ("MOST_BYTES", "SentFile", "keep")

_IMAGES = ("jpg", "jpeg", "png", "gif")
_FILES = ("jpg", "mp4", "jpeg", "png", "gif", "pdf", "zip", "docx", "txt")
# Laravel counts these in KiB.
_MOST_KIB = {UploadType.IMAGE: 10_240, UploadType.EXTRA_IMAGE: 10_240, UploadType.FILE: 120_000}
_FOLDERS = {
    UploadType.IMAGE: "products/images",
    UploadType.EXTRA_IMAGE: "products/extra-images",
    UploadType.FILE: "products/files",
}
# The largest file, and a little for what stands around it in the body.
MOST_BYTES = 120_000 * 1024 + 64 * 1024


@attrs.frozen
class SentFile:
    """A file in the body of a request.

    Attributes:
        name: As the caller named it.
        mime_type: As the caller named it; empty if they did not.
        size: In bytes.
    """

    name: str
    mime_type: str
    size: int


def keep(fields: Fields, file: SentFile | None, store: Store) -> Upload:
    """Keep what is known of an upload.

    Raises:
        InvalidFieldsError: There is no file, or it is not allowed for what it is meant for.
    """
    named = fields.choice("type", tuple(UploadType), required=True)
    kind = UploadType(named) if named else None
    if file is None:
        fields.refuse("file", "The {} field is required.")
    elif kind is not None:
        allowed = _FILES if kind is UploadType.FILE else _IMAGES
        if _ending(file.name) not in allowed:
            fields.refuse("file", f"The {{}} field must be a file of type: {', '.join(allowed)}.")
        if file.size > _MOST_KIB[kind] * 1024:
            most = _MOST_KIB[kind]
            fields.refuse("file", f"The {{}} field must not be greater than {most} kilobytes.")
    fields.check()
    assert file is not None  # or the check would have refused it
    assert kind is not None
    number = store.ids.number("upload", first=601)
    upload = Upload(
        id=number,
        type=kind,
        name=file.name,
        file_name=f"{store.ids.key('uploaded file')}.{_ending(file.name)}",
        path=_FOLDERS[kind],
        mime_type=file.mime_type or "application/octet-stream",
        size=file.size,
    )
    store.uploads[number] = upload
    return upload


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix.removeprefix(".").lower()
