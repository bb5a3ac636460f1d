"""Answers of somebody in between, errors that cannot be read, and bytes that follow an answer."""

from __future__ import annotations

import gzip
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tests.faults.http1 import Answer, Wire

Act = Callable[[Wire, Answer], Awaitable[None]]

JSON = {"content-type": "application/json"}
HTML = {"content-type": "text/html; charset=UTF-8"}

_NOT_FOUND = b"<html><head><title>404 Not Found</title></head><body>nginx</body></html>"
_BLOCKED = b"<!DOCTYPE html><title>Attention Required! | Cloudflare</title>Error 1020"
_ALL_TOLD = {"retry-after": "7", "x-ratelimit-limit": "60", "x-ratelimit-remaining": "0"}


def says(status: int, body: bytes, headers: Mapping[str, str]) -> Act:
    """Answer every request alike."""
    answer = Answer(status, body, headers)

    async def act(wire: Wire, _: Answer) -> None:
        await wire.send(answer.whole())

    return act


def foreign() -> dict[str, Act]:
    """Return the error answers of those who stand between a client and RMZ, by their names."""
    alien = {"error": {"code": "blocked", "reason": "policy"}}
    return {
        "404-nginx": says(404, _NOT_FOUND, HTML),
        "403-cloudflare": says(403, _BLOCKED, {**HTML, "cf-ray": "8c1d-RUH"}),
        "401-html": says(401, b"<html>Sign in</html>", HTML),
        "422-html": says(422, b"<html>Unprocessable</html>", HTML),
        "429-html": says(429, b"<html>Slow down</html>", {**HTML, **_ALL_TOLD}),
        "403-alien-json": says(403, json.dumps(alien).encode(), JSON),
    }


def refusals() -> dict[str, Act]:
    """Return RMZ's errors that say nothing of the call but that it was refused, by their names."""
    body = gzip.compress(b'{"message": "No.", "errors": {"days": ["Too many."]}}')
    route = b'{"message": "The route products could not be found."}'
    found = {"404-no-route": says(404, route, JSON)}
    for status in (401, 404, 422, 429):
        headers = {**JSON, "content-encoding": "gzip"}
        if status == 429:
            headers |= _ALL_TOLD
        found[f"{status}-empty-gzip"] = says(status, b"", headers)
        found[f"{status}-cut-gzip"] = says(status, body[:-12], headers)
    return found


def stray() -> dict[str, Act]:
    """Return RMZ's own answer with bytes behind it that belong to no request, by their names."""
    refusal = json.dumps({"message": "No.", "success": False}).encode()
    after: dict[str, Callable[[Answer], bytes]] = {
        "same": Answer.whole,
        "other-object": lambda answer: Answer(200, _of_another(answer), JSON).whole(),
        "null": lambda _: Answer(200, b"null", JSON).whole(),
        "401": lambda _: Answer(401, refusal, JSON).whole(),
        "408": lambda _: Answer(408, b"", {"connection": "close"}).whole(),
        "422": lambda _: Answer(422, refusal, JSON).whole(),
        "garbage": lambda _: b"\x00\xff nobody asked\r\n",
    }
    return {f"stray-{name}": _followed_by(bytes_of) for name, bytes_of in after.items()}


def _followed_by(bytes_of: Callable[[Answer], bytes]) -> Act:
    async def act(wire: Wire, answer: Answer) -> None:
        # Together, so that a client has both before it can send another request.
        await wire.send(answer.whole() + bytes_of(answer))

    return act


def _of_another(answer: Answer) -> bytes:
    envelope: dict[str, Any] = json.loads(answer.body)
    envelope["data"] = {"id": 533, "status": "canceled", "session_id": "of another"}
    return json.dumps(envelope).encode()
