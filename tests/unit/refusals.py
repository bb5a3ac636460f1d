"""Answers by which RMZ refuses a call, and the error that each becomes."""

from __future__ import annotations

import json
from typing import Any

from rmz_async import operations
from rmz_async._calls.outcome import Answer
from rmz_async._calls.wire import error_of
from rmz_async.errors import APIError
from rmz_async.operations import Operation

GET = operations.SUBSCRIPTIONS_GET
EXTEND = operations.SUBSCRIPTIONS_EXTEND
NOW = 1445412480.0


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    """An answer with RMZ's JSON, to which a body adds; or with the bytes given."""
    if body is None or isinstance(body, dict):
        marked = {"error": True} if status in (403, 404) else {}
        body = {"message": None, **marked, **(body or {})}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, {"content-type": "application/json", **given}, raw)


def error(
    status: int,
    body: Any = None,
    operation: Operation = GET,
    sent: tuple[str, ...] = (),
    **headers: str,
) -> APIError:
    """The error for such an answer."""
    return error_of(operation, answer(status, body, **headers), sent=sent, now=NOW)
