"""Pure: what goes over the wire, and what comes back from it.

Paths and queries out; envelopes and errors in. Nothing here sends anything.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import TypeVar
from urllib.parse import urlencode

from rmz_async._calls.call import Call
from rmz_async._calls.headers import retry_after
from rmz_async._calls.outcome import Answer, Failed, Failure, UnreadableBodyError
from rmz_async._calls.refusals import field_errors, quoted, summary
from rmz_async._calls.token import Secret
from rmz_async._decoding import strict_json as _json
from rmz_async._decoding.converter import decode
from rmz_async.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RefusedFieldsError,
    ServerError,
    UnexpectedAnswerError,
    UnprocessableEntityError,
)
from rmz_async.models._json_object import JSON
from rmz_async.operations import Operation, RetryRule

T = TypeVar("T")

# The most bytes of an answer's body, which takes less than 64 MiB in memory once it is decoded.
MAX_BODY = 4 * 1024 * 1024

# The most parts of a gzip stream: each one copies all that follows it, so very many would take
# minutes.
_MAX_MEMBERS = 16

_SHOWN_BODY = 2_000


def target(operation: Operation, object_id: int | None, query: Mapping[str, object]) -> str:
    """Return the path and query of a call, below the base URL.

    Args:
        operation: The call.
        object_id: The value of ``{id}``; a checked positive integer.
        query: None values are left out, and true is written as ``1``.
    """
    path = operation.path if object_id is None else operation.path.replace("{id}", str(object_id))
    if not query:
        return path
    given = {name: _written(value) for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _written(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    # A member of (str, Enum) would be written as "Colour.RED".
    return value.value if isinstance(value, Enum) else value


def encode_body(fields: Mapping[str, object]) -> bytes:
    """Return the JSON of a body without its None values."""
    return _json.dump({name: value for name, value in fields.items() if value is not None})


def decompress(raw: bytes, encoding: str) -> bytes:
    """Undo the one content encoding that is asked for.

    The HTTP library would undo any number of layers, without a limit, and would take a cut stream
    for a whole one.

    Raises:
        UnreadableBodyError: Another encoding, a broken or cut stream, or more than ``MAX_BODY``
            bytes.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return raw
    if encoding not in ("gzip", "x-gzip"):
        raise UnreadableBodyError("an encoding that was not asked for")
    body = b""
    for _ in range(_MAX_MEMBERS):
        stream = zlib.decompressobj(wbits=31)
        try:
            body += stream.decompress(raw, MAX_BODY + 1 - len(body))
        except zlib.error:
            raise UnreadableBodyError("broken gzip") from None
        if len(body) > MAX_BODY:
            raise UnreadableBodyError(f"more than {MAX_BODY} bytes")
        if not stream.eof:
            raise UnreadableBodyError("cut gzip")
        # Zeros after a member are padding, as gzip itself takes them.
        raw = stream.unused_data.lstrip(b"\0")
        if not raw:
            return body
    raise UnreadableBodyError(f"gzip of more than {_MAX_MEMBERS} members")


def read(
    call: Call[T], answer: Answer, token: Secret, *, today: Callable[[], datetime]
) -> tuple[T | Failed, datetime | None]:
    """Return what an answer means for the call, and RMZ's own clock if the answer names it.

    Args:
        call: The call.
        answer: Its answer.
        token: The token that was sent, which no error may show.
        today: Returns the time on the calendar.
    """
    answered_at, reason = None, ""
    if 200 <= answer.status < 300:
        try:
            envelope = envelope_of(answer)
            answered_at = timestamp(envelope.get("timestamp"))
            check_object(envelope["data"], call.object_id)
            return decode(envelope["data"], call.returns), answered_at
        except UnreadableBodyError as error:
            failure, reason = Failure.AMBIGUOUS, str(error)
        except ValueError as error:
            failure, reason = Failure.UNREADABLE, str(error)
    else:
        failure = failure_of(call.operation, answer)
    shown = Answer(answer.status, answer.headers, token.hidden_in(answer.body), answer.is_whole)
    if reason:
        return Failed(failure, reason, unexpected(call.operation, shown, reason)), answered_at
    now = today().timestamp()
    answered = error_of(call.operation, shown, sent=tuple(call.body or ()), now=now)
    return Failed(failure, f"RMZ answered {answer.status}", answered), answered_at


def envelope_of(answer: Answer) -> dict[str, JSON]:
    """Return the envelope of a success; it has ``data``.

    Raises:
        UnreadableBodyError: The answer claims to be JSON, and is not: perhaps it was cut.
        ValueError: The body is not the documented envelope; the message says in what.
    """
    if not answer.is_whole:
        raise UnreadableBodyError("the body could not be read")
    if not _is_named_json(answer):
        raise ValueError("the content type is not JSON")
    try:
        envelope = _json.parse(answer.body)
    except ValueError as error:
        raise UnreadableBodyError(str(error)) from None
    if not isinstance(envelope, dict) or "data" not in envelope:
        raise ValueError("there is no data in it")
    # The marks of a second answer to the same order, and of an error's envelope.
    if envelope.get("error") or envelope.get("success") is False:
        raise ValueError("the envelope is marked as an error")
    return envelope


def check_object(data: JSON, object_id: int | None) -> None:
    """See that an answer is about the object in the call's address.

    A proxy that gets requests and answers out of step passes on another call's answer.

    Args:
        data: The answer's; empty if the call returns nothing.
        object_id: The id in the address; None if there is none.

    Raises:
        ValueError: The answer is about another object.
    """
    if object_id is None or not isinstance(data, (dict, list)) or not data:
        return
    found = data.get("id") if isinstance(data, dict) else None
    if found != object_id and str(found) != str(object_id):
        raise ValueError("it is not about the object that was asked for")


def unexpected(operation: Operation, answer: Answer, reason: str) -> UnexpectedAnswerError:
    """Return the error for an answer that is not of the documented shape."""
    return UnexpectedAnswerError(
        f"{operation.name}: the answer ({answer.status}) is not what RMZ documents: {reason}. "
        "Check the base URL and what stands between this machine and RMZ",
        status=answer.status,
        body=_shown(answer),
        operation=operation.name,
    )


def error_of(operation: Operation, answer: Answer, *, sent: Sequence[str], now: float) -> APIError:
    """Return the error that an answer other than a success means.

    Args:
        operation: The call.
        answer: Its answer; the status is not 2xx.
        sent: The fields that were sent: a 422 that names none of them is about the object's state.
        now: Unix time, to read a ``Retry-After`` date.
    """
    if answer.status < 400:
        return unexpected(operation, answer, "a redirect, which is never followed with a token")
    if answer.status < 500 and not is_documented(answer):
        reason = "an error page or message of a server between this machine and RMZ"
        return unexpected(operation, answer, reason)
    body = _shown(answer)
    fields = body if isinstance(body, dict) else {}
    errors = field_errors(answer.status, body)
    message = fields.get("message")
    message = message if isinstance(message, str) else ""
    if answer.status == 404 and _NO_ROUTE.match(message):
        reason = f"RMZ has no such address ({quoted(message)}), so the base URL is wrong: it ends "
        return unexpected(operation, answer, reason + "with /shawarma")
    error_class, advice = _class_of(operation, answer.status, errors, sent)
    said = quoted(summary(errors) or message)
    wait = retry_after(answer.headers.get("retry-after"), now)
    # To wait and retry is the wrong advice if the first attempt may have been applied.
    if error_class is RateLimitError and wait is not None and operation.retry is not RetryRule.ONCE:
        advice = f"wait {wait:.0f} s"
    text = f"{operation.name}: RMZ answered {answer.status}" + (f" ({said})" if said else "")
    return error_class(
        f"{text}: {advice}",
        status=answer.status,
        message=message,
        errors=errors,
        timestamp=timestamp(fields.get("timestamp")),
        body=body,
        retry_after=wait,
        operation=operation.name,
    )


_CORRECT = "correct the fields named"
# Laravel says so if no route fits the address.
_NO_ROUTE = re.compile(r"The route .* could not be found\.")

_CLASSES: Mapping[int, tuple[type[APIError], str]] = {
    400: (BadRequestError, "a rule of the shop forbids this"),
    401: (AuthenticationError, "check the token"),
    403: (PermissionDeniedError, "the API needs an RMZ+ store and a token of that store"),
    404: (NotFoundError, "there is no such object in this store"),
    409: (ConflictError, "the object's state does not allow this; read it first"),
    422: (UnprocessableEntityError, _CORRECT),
    429: (RateLimitError, "wait before the next call"),
}


def _class_of(
    operation: Operation, status: int, errors: Mapping[str, object], sent: Sequence[str]
) -> tuple[type[APIError], str]:
    if status == 422 and operation.refuses_states and not any(field in errors for field in sent):
        status = 409
    if status == 400 and errors:
        return RefusedFieldsError, _CORRECT
    if status == 422 and not errors:
        return UnprocessableEntityError, "no field is named, so RMZ's message is all there is"
    if status == 429 and operation.refused_advice:
        return RateLimitError, operation.refused_advice
    if status in _CLASSES:
        return _CLASSES[status]
    if status >= 500:
        return ServerError, "RMZ failed; retry later"
    return APIError, "this status is not documented"


def is_documented(answer: Answer) -> bool:
    """Return whether an error is RMZ's own: JSON in the form that RMZ documents for its status.

    A proxy, a firewall or a login page in between answers with a page of its own, and a gateway
    with JSON that has a message too: its 403 or 404 says nothing about the store.
    """
    if not _is_named_json(answer):
        return False
    if not answer.is_whole:
        # Only the head shows who has answered, which is not enough for a 403: gateways and
        # firewalls answer 403 in JSON, even after RMZ has applied a change.
        return answer.status != 403
    try:
        body = _json.parse(answer.body)
    except ValueError:
        return False
    if not isinstance(body, dict) or "message" not in body:
        return False
    return answer.status not in (403, 404) or _is_marked(body)


def _is_marked(body: Mapping[str, JSON]) -> bool:
    """Return whether an error has RMZ's envelope, or is Laravel's for an unknown address."""
    message = body["message"]
    is_no_route = isinstance(message, str) and _NO_ROUTE.match(message) is not None
    return body.get("error") is True or "api" in body or is_no_route


def refuses_token(answer: Answer) -> bool:
    """Return whether RMZ, and no proxy in between, refused the token before it did anything."""
    return answer.status == 401 and is_documented(answer)


def _is_named_json(answer: Answer) -> bool:
    return "json" in answer.headers.get("content-type", "").partition(";")[0].lower()


def failure_of(operation: Operation, answer: Answer) -> Failure:
    """Return what an answer other than a success means for the call."""
    status, headers = answer.status, answer.headers
    if 400 <= status < 500 and status not in (408, 425) and not is_documented(answer):
        # A read loses nothing by one retry.
        again = status == 429 and operation.retry is RetryRule.SAFE
        return Failure.REFUSED if again else Failure.UNREADABLE
    if status == 429:
        # Both headers are needed: the throttle adds its limits to the guard's answer, too.
        throttled = "retry-after" in headers and headers.get("x-ratelimit-remaining") == "0"
        return Failure.THROTTLED if throttled else Failure.REFUSED
    if status in (408, 425) or status >= 500:
        return Failure.AMBIGUOUS
    if status in (400, 409, 422):
        return Failure.CONFLICT
    return Failure.UNREADABLE if status < 400 else Failure.FINAL


def _shown(answer: Answer) -> JSON:
    try:
        return _json.parse(answer.body)
    except ValueError:
        return answer.body[:_SHOWN_BODY].decode(errors="replace")


def timestamp(value: object) -> datetime | None:
    """Return the server's clock at its answer; None if it gave none."""
    if type(value) is not int or not 0 <= value < 2**33:
        return None
    return datetime.fromtimestamp(value, UTC)
