"""Files that the store has uploaded: what is known of them, without their content."""

from __future__ import annotations

from enum import StrEnum

import attrs

from rmz_async.sandbox.store.choices import chosen
from rmz_async.sandbox.store.table import WATCHED, Row

__all__ = ("Upload", "UploadType")


class UploadType(StrEnum):
    """The purpose of an uploaded file."""

    IMAGE = "image"
    EXTRA_IMAGE = "extra_image"
    FILE = "file"


def _upload_type(value: object) -> UploadType:
    return chosen(UploadType, value, "type")


@attrs.define(kw_only=True, on_setattr=WATCHED)
class Upload(Row):
    """An uploaded file.

    Attributes:
        name: As the caller named it.
        file_name: As it is kept.
        size: In bytes.
    """

    id: int
    type: UploadType = attrs.field(converter=_upload_type)
    name: str
    file_name: str
    path: str
    mime_type: str
    size: int
