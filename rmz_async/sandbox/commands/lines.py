"""The lines that a sandbox prints while it is served: one for each request and each delivery."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import datetime
from typing import TextIO

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rmz_async.sandbox.delivery.log import Delivery
from rmz_async.sandbox.tokens import without_live_tokens

__all__ = ("Lines", "RequestLines", "has_colours")

# A page loads these by itself, and they say nothing about the shop.
_UNINTERESTING = ("/assets/", "/dashboard-assets/", "/live", "/favicon.ico")
# A link to a customer's portal lets anyone enter, so the log leaves its key out.
_PORTAL_LINK = re.compile(r"/s/[^/?]+")
_RED, _YELLOW, _LOUD = "31", "33", "1;31"


def has_colours(stream: TextIO) -> bool:
    """Return whether *stream* is a terminal that shows colours, and they are wanted."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and stream.isatty()


class Lines:
    """Print a line for each request and each delivery."""

    def __init__(self, stream: TextIO, *, coloured: bool) -> None:
        self._stream = stream
        self._coloured = coloured

    def request(self, at: datetime, method: str, address: str, status: int | None) -> None:
        """Print the line of one request."""
        colour = "" if status is None or status < 400 else _YELLOW if status < 500 else _RED
        self._print(at, status, f"{method} {address}", colour)

    def delivery(
        self, delivery: Delivery, next_at: datetime | None, *, world: str | None = None
    ) -> None:
        """Print the line of one attempt to deliver; a failed one is loud.

        Args:
            delivery: The attempt.
            next_at: When the next one is due, UTC; None if there is none.
            world: The name of the world that sent it; None for the server's own sandbox.
        """
        place = "" if world is None else f"world {world}: "
        about = f"{place}webhook {delivery.webhook_id} ← {delivery.event} of {delivery.object_id}"
        if delivery.succeeded:
            self._print(delivery.at, delivery.status, about, "")
            return
        reason = f" ({delivery.error})" if delivery.error else ""
        outlook = "no further attempt" if next_at is None else f"next attempt at {next_at:%H:%M:%S}"
        text = f"DELIVERY FAILED: {about}, attempt {delivery.attempt}{reason}; {outlook}"
        self._print(delivery.at, delivery.status, text, _LOUD)

    def _print(self, at: datetime, status: int | None, text: str, colour: str) -> None:
        # Somebody's bytes could steer the terminal.
        shown = "".join(sign if sign.isprintable() else " " for sign in text)
        line = f"{at:%Y-%m-%d %H:%M:%S}  {status or '---'}  {shown}"
        if colour and self._coloured:
            line = f"\x1b[{colour}m{line}\x1b[0m"
        try:
            self._stream.write(f"{line}\n")
            self._stream.flush()
        except OSError:
            # The reader of a pipe has gone, which is no reason to stop serving.
            return


class RequestLines:
    """Call *note* with the line of each request, except those that a page makes by itself.

    Args:
        app: The sandbox.
        now: Returns the sandbox's time.
        note: Takes the time, the method, the address and the status.
    """

    def __init__(
        self,
        app: ASGIApp,
        now: Callable[[], datetime],
        note: Callable[[datetime, str, str, int | None], None],
    ) -> None:
        self._app = app
        self._now = now
        self._note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note its end."""
        if scope["type"] != "http" or scope["path"].startswith(_UNINTERESTING):
            await self._app(scope, receive, send)
            return
        status: int | None = None

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._note(self._now(), scope["method"], _address_of(scope), status)


def _address_of(scope: Scope) -> str:
    """Return the address as it was sent, without the secrets that it may contain."""
    sent: bytes = scope["raw_path"]
    if scope["query_string"]:
        sent += b"?" + scope["query_string"]
    return _PORTAL_LINK.sub("/s/…", without_live_tokens(sent).decode("latin-1"))
