"""A page for people that shows an inbox, as an ASGI application to mount."""

from __future__ import annotations

from rmz_async.errors import MissingExtraError

try:
    from rmz_async.integrations.inbox_page.application import inbox_page
except ModuleNotFoundError as _missing:
    raise MissingExtraError(
        f"the page of the inbox needs {_missing.name}, which is not installed: "
        'pip install "rmz[inbox]"'
    ) from _missing

__all__ = ("inbox_page",)
