"""Text that every database stores."""

from __future__ import annotations

from typing import overload


@overload
def text_of(value: str) -> str: ...
@overload
def text_of(value: None) -> None: ...
def text_of(value: str | None) -> str | None:
    """Return *value* without what a database refuses: zero bytes, and halves of characters."""
    if value is None:
        return None
    return value.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
