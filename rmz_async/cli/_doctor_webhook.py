"""Checks of your own address for webhooks, by events that change nothing."""

from __future__ import annotations

import json
import secrets
import time
import uuid
from collections.abc import Sequence

import httpx
from anyio import fail_after

from rmz_async.cli._findings import Finding, State
from rmz_async.cli._wording import text
from rmz_async.errors import ConfigurationError
from rmz_async.webhooks import sign
from rmz_async.webhooks._secrets import Keys

# RMZ gives up after 3 s.
_LIMIT, _SLOW = 3.0, 1.0
_TIMEOUT = 5.0
_EVENT = "rmz.doctor"

# A server's answers to a path that it does not have, or that takes no POST: nobody has looked at a
# signature.
_NO_ROUTE = (404, 405, 410)


async def check_webhook(url: str | None, keys: Sequence[str]) -> list[Finding]:
    """Send a forged event, and one for each secret, and say how they were answered."""
    if url is None:
        how = text("not looked at: name your address by --webhook")
        return [Finding("webhook", State.SKIPPED, how)]
    if "discord" in url.lower():
        advice = text("choose an address without the word discord: RMZ sends such one no events")
        return [Finding("webhook", State.FAILED, text("RMZ takes it for Discord"), advice)]
    if not url.lower().startswith(("http://", "https://")):
        advice = text("begin the address with https://, or for your own machine with http://")
        return [Finding("webhook", State.FAILED, text("is no address of a webhook"), advice)]
    advice = text("set RMZ_WEBHOOK_SECRETS to the secrets of your webhooks")
    if not keys:
        return [Finding("webhook", State.FAILED, text("no secret is known"), advice)]
    try:
        Keys(keys).check()
    except ConfigurationError as error:
        return [Finding("webhook", State.FAILED, str(error), advice)]
    try:
        async with httpx.AsyncClient(timeout=2 * _TIMEOUT) as http:
            findings = [_forged(await _status(http, url, secrets.token_hex()))]
            for index, key in enumerate(keys):
                began = time.perf_counter()
                status = await _status(http, url, key)
                seconds = time.perf_counter() - began
                findings.append(_genuine(status, index) or speed_finding(seconds))
    except TimeoutError:
        found = text("no answer within %(seconds)s s", seconds=round(_TIMEOUT))
        return [Finding("webhook", State.FAILED, found, _faster())]
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        found = text("no answer (%(error)s)", error=type(error).__name__)
        advice = text("look whether the address can be reached, and its certificate")
        return [Finding("webhook", State.FAILED, found, advice)]
    return findings


async def _status(http: httpx.AsyncClient, url: str, key: str) -> int:
    event: dict[str, object] = {"event": _EVENT, "event_id": str(uuid.uuid4()), "data": {}}
    body = json.dumps(event, separators=(",", ":")).encode()
    headers = {
        "Content-Type": "application/json",
        "Signature": sign(body, key),
        "X-RMZ-WEBHOOKS": "1.2",
        "X-RMZ-REQUEST-ID": "0",
    }
    # httpx measures each part of an answer by itself, and an answer may come byte by byte.
    with fail_after(_TIMEOUT):
        answer = await http.post(url, content=body, headers=headers)
    return answer.status_code


def _forged(status: int) -> Finding:
    if 200 <= status < 300:
        return Finding(
            "webhook",
            State.FAILED,
            text("a forged event was accepted with %(status)s", status=status),
            text("verify the signature of each delivery: anyone can give access now"),
        )
    if 400 <= status < 500 and status not in _NO_ROUTE:
        found = text("a forged event is refused with %(status)s", status=status)
        return Finding("webhook", State.OK, found)
    found = text("a forged event is not refused, but answered with %(status)s", status=status)
    return Finding("webhook", State.FAILED, found, _advice(status))


def _genuine(status: int, index: int) -> Finding | None:
    if 200 <= status < 300:
        return None
    found = text("secret %(number)s: answered with %(status)s", number=index + 1, status=status)
    return Finding("webhook", State.FAILED, found, _advice(status))


def _advice(status: int) -> str:
    if status in (401, 403):
        return text("give your application the same secret, and the raw bytes of the body")
    if status in _NO_ROUTE:
        return text("name the address at which your application takes deliveries, with its path")
    if 300 <= status < 400:
        return text("RMZ counts a redirect as a failure: name the address that it leads to")
    return text("look into the log of your application")


def speed_finding(seconds: float) -> Finding:
    """Return what is to be said of an event that was accepted within *seconds*."""
    found = text("a signed event is accepted in %(ms)s ms", ms=round(seconds * 1000))
    if seconds < _SLOW:
        return Finding("webhook", State.OK, found)
    return Finding(
        "webhook",
        State.FAILED if seconds >= _LIMIT else State.WARNING,
        found,
        _faster(),
    )


def _faster() -> str:
    return text("store the event and answer: RMZ waits 3 s, and switches off a webhook that fails")
