"""Tokens: the own ones of a sandbox, and those of real stores, which it keeps out."""

from __future__ import annotations

import re
import secrets
from urllib.parse import unquote_plus

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = (
    "NoLiveTokens",
    "checked_token",
    "looks_live",
    "may_be_live",
    "new_token",
    "without_live_tokens",
)

# A number, a bar and at least 40 letters and digits; a sandbox's own begin with its name. Some
# issuers put a name of theirs before the letters, with underscores.
_LIVE = re.compile(r"[0-9]+(?:\||%7[Cc])(?!sandbox)[0-9A-Za-z_]{40,}")
_LIVE_BYTES = re.compile(_LIVE.pattern.encode())
# RMZ's framework takes the part after the bar for a token, too.
_SECOND_PART = re.compile(r"(?!sandbox)[0-9A-Za-z_]{40,}")
_ESCAPE = re.compile(rb"\\u([0-9A-Fa-f]{4})")
_MASK = "[a live token]"
# In bytes: only uploads are longer, and of these nothing but the beginning is kept.
_LOOKED_AT = 1024 * 1024
_UNPROCESSABLE = (
    "The request contains a token that may belong to a real store. The sandbox has not kept it. "
    "Replace it with a made-up value, such as 1|local."
)
_UNAUTHENTICATED = (
    "Unauthenticated. The token may belong to a real store; the sandbox has not kept it. Use the "
    "token that the sandbox printed."
)
_OWN_PREFIX = "1|sandbox"


def new_token() -> str:
    """Return a random token of the form and length that RMZ's have."""
    return f"{_OWN_PREFIX}{secrets.token_hex(20)}"[:42]


def checked_token(token: str) -> str:
    """Return *token* if a sandbox may have it.

    Raises:
        ValueError: The token may belong to a real store, or no request can carry it. The message
            does not show the token.
    """
    if re.fullmatch(r"[!-~]+", token) is None:
        raise ValueError("a token is visible ASCII characters without blanks, and not empty")
    if may_be_live(token):
        raise ValueError(
            "this token may belong to a real store, and was not kept: give the sandbox one that a "
            "sandbox has printed, or a short one such as 1|local"
        )
    return token


def looks_live(text: str) -> bool:
    """Return whether *text* contains a token that may belong to a real store."""
    return _LIVE.search(text) is not None


def may_be_live(token: str) -> bool:
    """Return whether *token*, which is given as a token, may belong to a real store."""
    return looks_live(token) or _SECOND_PART.fullmatch(token) is not None


def without_live_tokens(content: bytes) -> bytes:
    """Return *content* with a mark in the place of each token that may belong to a real store."""
    return _LIVE_BYTES.sub(_MASK.encode(), content)


class NoLiveTokens:
    """Answer 401 or 422 to a request that contains the token of a real store, and keep nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, as long as it has no such token."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = _refusal_of_head(scope)
        replay = receive
        if refusal is None and scope["method"] not in ("GET", "HEAD"):
            began = await _beginning(receive)
            replay = _Replay(began, receive)
            if _is_in_body(b"".join(message.get("body", b"") for message in began)):
                refusal = _answer(422, _UNPROCESSABLE)
        if refusal is not None:
            await refusal(scope, replay, send)
            return
        await self._app(scope, replay, send)


def _answer(status: int, message: str) -> JSONResponse:
    # The unread rest of a body must not pass for the next request.
    return JSONResponse({"message": message}, status, {"Connection": "close"})


def _refusal_of_head(scope: Scope) -> JSONResponse | None:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    _, _, token = headers.pop(b"authorization", "").partition(" ")
    if may_be_live(token.strip()):
        return _answer(401, _UNAUTHENTICATED)
    others = (scope["path"], unquote_plus(scope["query_string"].decode("latin-1")))
    if any(map(looks_live, (*others, *headers.values()))):
        return _answer(422, _UNPROCESSABLE)
    return None


async def _beginning(receive: Receive) -> list[Message]:
    """Return the messages of the body, as far as they are looked at."""
    messages: list[Message] = []
    size = 0
    while size < _LOOKED_AT:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return messages


class _Replay:
    """Gives the messages that were read already, and then the others."""

    def __init__(self, messages: list[Message], receive: Receive) -> None:
        self._messages = messages[::-1]
        self._receive = receive

    async def __call__(self) -> Message:
        return self._messages.pop() if self._messages else await self._receive()


def _is_in_body(body: bytes) -> bool:
    if _LIVE_BYTES.search(body) is not None:
        return True
    # JSON may write the bar, and any letter, as an escape.
    return _LIVE_BYTES.search(_ESCAPE.sub(_unescaped, body)) is not None


def _unescaped(escape: re.Match[bytes]) -> bytes:
    return chr(int(escape[1], 16)).encode("utf-8", "replace")
