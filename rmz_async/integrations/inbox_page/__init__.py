"""A page for people that shows an inbox, as an ASGI application to mount."""

from __future__ import annotations

from rmz_async._extras import extra

with extra("inbox", needed_by="the page of the inbox"):
    from rmz_async.integrations.inbox_page.application import inbox_page

__all__ = ("inbox_page",)
