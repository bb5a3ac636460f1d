"""The way every API call goes: token, limit, input, answer."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar, cast

import attrs
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.endpoints.throttle import Throttle
from rmz_async.sandbox.rules.uploads import SentFile
from rmz_async.sandbox.store.state import Store
from rmz_async.sandbox.wire.answers import InvalidFieldsError, RefusedError, Success
from rmz_async.sandbox.wire.exact_json import dumps, loads
from rmz_async.sandbox.wire.fields import Fields
from rmz_async.sandbox.wire.quirks import quirky

__all__ = ("AdmittedCall", "FrontDoor", "Handler")

T = TypeVar("T")


@attrs.frozen
class AdmittedCall:
    """An admitted call.

    Attributes:
        origin: The server as the caller named it, or as it was asked to name itself, without a
            trailing slash.
        path: The path of the call, from the root.
        target: The id in the path; empty if there is none.
        fields: The caller's fields: the query of a GET, the body of a POST or PUT.
        now: When it came, UTC.
        store: The data for a read, which may lag. A change works on the backend's own.
        file: The uploaded file, or None.
    """

    origin: str
    path: str
    target: str
    fields: Fields
    now: datetime
    store: Store
    file: SentFile | None = None

    @property
    def address(self) -> str:
        """The address of the call, without its query."""
        return f"{self.origin}{self.path}"

    def named(self, rows: Mapping[int, T], kind: str) -> T:
        """Return the row whose id is in the path.

        Raises:
            RefusedError: 404, there is none.
        """
        # Longer than any id, and int() would refuse thousands of digits.
        is_number = self.target.isascii() and self.target.isdigit() and len(self.target) < 20
        row = rows.get(int(self.target)) if is_number else None
        if row is None:
            raise RefusedError(404, f"{kind} not found")
        return row


Handler = Callable[[AdmittedCall], Success]
Endpoint = Callable[[Request], Awaitable[Response]]
Reply = Success | RefusedError | InvalidFieldsError


class FrontDoor:
    """Turns handlers, which know nothing of HTTP, into endpoints."""

    def __init__(self, token: str, backend: Backend, *, throttle: bool) -> None:
        self._token = token.encode()
        self._backend = backend
        self._throttles = throttle
        self._shared = backend.throttles["shared"] = Throttle(60)

    def lets_in(self, handle: Handler, own_limit: int | None = None) -> Endpoint:
        """Return the endpoint for *handle*, which has a limit of its own or shares the usual."""
        throttle = self._shared
        if own_limit:
            throttle = self._backend.throttles[handle.__qualname__] = Throttle(own_limit)

        async def endpoint(request: Request) -> Response:
            now = self._backend.now()
            if not self._knows(request):
                # Without a token there is no window, and so there are no rate limit headers.
                return _unauthenticated()
            headers: dict[str, str] = {}
            if self._throttles:
                admission = throttle.admit(now)
                if self._backend.store.switches.rate_limit_headers:
                    headers = admission.headers
                if admission.retry_at is not None:
                    return _response(429, {"message": "Too Many Requests"}, headers)
            try:
                answer: Reply = handle(await self._call(request, now))
            except (RefusedError, InvalidFieldsError) as refusal:
                answer = refusal
            return self._response(answer, now, headers)

        return endpoint

    def guards(self, act: Endpoint) -> Endpoint:
        """Return the endpoint for a call that RMZ does not have, which takes the token, too.

        A call raises ValueError, or what reading its fields raises, to refuse.
        """

        async def endpoint(request: Request) -> Response:
            if not self._knows(request):
                return _unauthenticated()
            try:
                return await act(request)
            except (ValueError, OverflowError) as problem:
                reason = str(problem)
            except RecursionError:
                reason = "the body is nested too deeply"
            return JSONResponse({"message": reason}, 422)

        return endpoint

    def _response(self, answer: Reply, now: datetime, headers: Mapping[str, str]) -> Response:
        switches = self._backend.store.switches
        status = answer.status
        if isinstance(answer, InvalidFieldsError):
            status = switches.invalid_fields_status
        body = answer.body(now + timedelta(seconds=switches.timestamp_skew))
        if isinstance(answer, Success):
            body["data"] = quirky(body["data"], switches)
        return _response(status, body, headers)

    async def _call(self, request: Request, now: datetime) -> AdmittedCall:
        sent: Mapping[str, object] = dict(request.query_params)
        file = None
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            file = await _file(request)
        elif request.method in ("POST", "PUT"):
            sent = _object(await request.body()) if _is_json(request) else {}
        return AdmittedCall(
            origin=self._backend.origin_for(request),
            path=request.url.path,
            target=request.path_params.get("id", ""),
            fields=Fields(sent),
            now=now,
            store=self._backend.replica.store(),
            file=file,
        )

    def _knows(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        known = hmac.compare_digest(token.encode("latin-1"), self._token)
        return known and scheme.lower() == "bearer"


async def _file(request: Request) -> SentFile | None:
    """Return the field ``file`` of a form; its content is dropped."""
    try:
        async with request.form(max_files=1, max_fields=10) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                return None
            return SentFile(file.filename or "", file.content_type or "", file.size or 0)
    except HTTPException:  # not a form after all
        return None


def _is_json(request: Request) -> bool:
    """Say whether Laravel would read the body as JSON."""
    content_type = request.headers.get("content-type", "")
    return "/json" in content_type or "+json" in content_type


def _object(body: bytes) -> Mapping[str, object]:
    """Read a body; as in Laravel, one that is no JSON object has no fields."""
    try:
        value = loads(body)
    except ValueError:
        return {}
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def _unauthenticated() -> Response:
    return JSONResponse({"message": "Unauthenticated."}, 401)


def _response(status: int, body: Mapping[str, object], headers: Mapping[str, str]) -> Response:
    return Response(dumps(body), status, headers, media_type="application/json")
