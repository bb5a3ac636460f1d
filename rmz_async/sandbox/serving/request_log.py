"""A log of the API's requests and answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import attrs
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rmz_async.sandbox.faults.requests import ABORT
from rmz_async.sandbox.store.ledger import Records
from rmz_async.sandbox.wire.below import BASE_PATH

__all__ = ("Exchange", "KeptRequests", "RequestLog", "Requests")

_MOST_EXCHANGES = 1_000
_SHOWN_BYTES = 16 * 1024


@attrs.frozen(kw_only=True)
class Exchange:
    """A request of the API, and its answer. No header is kept: one of them is the token.

    Attributes:
        at: When the request came, UTC.
        path: Below the base URL, with the query.
        sent: The first 16 KiB of the request's body.
        answer: The first 16 KiB of the answer's body.
    """

    at: datetime
    method: str
    path: str
    status: int
    sent: bytes = attrs.field(repr=False)
    answer: bytes = attrs.field(repr=False)


class Requests(Records[Exchange]):
    """The latest requests, in their order."""

    def of(
        self, *, method: str | None = None, path: str | None = None, status: int | None = None
    ) -> Requests:
        """Return the requests that fit.

        Args:
            method: Such as ``POST``; None for any.
            path: The beginning of the path below the base URL; None for any.
            status: The status of the answer; None for any.
        """
        found = (
            exchange
            for exchange in self
            if method in (None, exchange.method)
            and exchange.path.startswith(path or "")
            and status in (None, exchange.status)
        )
        return Requests.of_run(found, self.seed)

    def assert_none(
        self, *, method: str | None = None, path: str | None = None, status: int | None = None
    ) -> None:
        """Fail if a request fits; the arguments are those of `of`.

        Raises:
            AssertionError: A request does. The message lists the first ten.
        """
        found = self.of(method=method, path=path, status=status)
        if found:
            lines = [f"{len(found)} request(s) fit, expected none:"]
            lines += [
                f"  {request.method} {request.path} → {request.status}" for request in found[:10]
            ]
            raise AssertionError(self.listed(lines))


class RequestLog:
    """Note each request of the API.

    Args:
        note: Is called with each exchange, just before the end of its answer goes out: whoever has
            the answer finds the exchange noted.
    """

    def __init__(
        self,
        app: ASGIApp,
        now: Callable[[], datetime],
        note: Callable[[Exchange], object],
    ) -> None:
        self._app = app
        self._now = now
        self._note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note what became of it."""
        if scope["type"] != "http" or not scope["path"].startswith(f"{BASE_PATH}/"):
            await self._app(scope, receive, send)
            return
        query = scope["query_string"].decode("latin-1")
        path = scope["path"].removeprefix(BASE_PATH) + (f"?{query}" if query else "")
        recording = _Recording(scope["method"], path, self._now(), self._note)
        if ABORT in scope:
            scope = {**scope, ABORT: recording.aborting(scope[ABORT])}
        await self._app(scope, recording.receiving(receive), recording.sending(send))
        recording.end()


class _Recording:
    """Copies the beginning of what passes, and notes it before the caller can see the end."""

    def __init__(
        self, method: str, path: str, at: datetime, note: Callable[[Exchange], object]
    ) -> None:
        self._method = method
        self._path = path
        self._at = at
        self._note = note
        self._status = 0
        self._sent = bytearray()
        self._answer = bytearray()
        self._has_ended = False

    def receiving(self, receive: Receive) -> Receive:
        """Return *receive*, recorded."""

        async def recorded() -> Message:
            message = await receive()
            _keep(self._sent, message)
            return message

        return recorded

    def sending(self, send: Send) -> Send:
        """Return *send*, recorded."""

        async def recorded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._status = message["status"]
            else:
                _keep(self._answer, message)
                if not message.get("more_body", False):
                    self.end()
            await send(message)

        return recorded

    def aborting(self, abort: Callable[[], None]) -> Callable[[], None]:
        """Return *abort*, recorded."""

        def recorded() -> None:
            self.end()
            abort()

        return recorded

    def end(self) -> None:
        """Note the exchange, once."""
        if self._has_ended:
            return
        self._has_ended = True
        self._note(
            Exchange(
                at=self._at,
                method=self._method,
                path=self._path,
                status=self._status,
                sent=bytes(self._sent),
                answer=bytes(self._answer),
            )
        )


class KeptRequests:
    """The latest thousand requests."""

    def __init__(self) -> None:
        self._kept: deque[Exchange] = deque(maxlen=_MOST_EXCHANGES)
        self.count: int = 0

    def note(self, exchange: Exchange) -> None:
        """Keep one more."""
        self._kept.append(exchange)
        self.count += 1

    def put_back(self, kept: Iterable[Exchange], count: int) -> None:
        """Have the requests of another moment; *count* were answered until then."""
        self._kept = deque(kept, maxlen=_MOST_EXCHANGES)
        self.count = count

    def __iter__(self) -> Iterator[Exchange]:
        return iter(tuple(self._kept))


def _keep(kept: bytearray, message: Message) -> None:
    body = message.get("body", b"")
    kept += body[: _SHOWN_BYTES - len(kept)]
