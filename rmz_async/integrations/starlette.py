"""RMZ in Starlette: a client for the application's life, and a route for deliveries.

::

    app = Starlette(routes=[route(receiver)], lifespan=lifespan(receiver=receiver))
"""

from __future__ import annotations

import functools
import logging
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

from rmz_async._callables import is_async
from rmz_async._extras import extra
from rmz_async.client import Client
from rmz_async.errors import (
    ConfigurationError,
    ConnectionFailedError,
    OutcomeUnknownError,
    RateLimitError,
    RMZError,
    ServerError,
    UnexpectedAnswerError,
)
from rmz_async.integrations._bodies import PATH, AsyncReceiver, check_receiver, read_body
from rmz_async.integrations._gate import (
    RETRY_AFTER,
    AsyncGate,
    AsyncPaywall,
    Gate,
    Refusal,
    SignedIn,
    keep_private,
)
from rmz_async.integrations._lifetime import check_client, lifetime
from rmz_async.operations import OPERATIONS, RetryRule
from rmz_async.paywall import Access, Paywall, Reason
from rmz_async.webhooks import Receiver

with extra("starlette", needed_by="rmz_async.integrations.starlette"):
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import ClientDisconnect, HTTPConnection, Request
    from starlette.responses import JSONResponse, PlainTextResponse, Response
    from starlette.routing import Route

__all__ = ("client", "exception_handlers", "lifespan", "requires", "route", "webhook")

Endpoint = Callable[[Request], Awaitable[Response]]
PlainEndpoint = Callable[[Request], Response]
# The type that FastAPI requires, which is stricter than Starlette's.
ExceptionHandlers = dict[
    int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]
]
Lifespan = Callable[[Any], AbstractAsyncContextManager[dict[str, Any]]]

# These say that RMZ could not be asked, or gave no answer of its own.
_OUTAGES: tuple[type[RMZError], ...] = (
    ConnectionFailedError,
    OutcomeUnknownError,
    RateLimitError,
    ServerError,
    UnexpectedAnswerError,
)
_HARMLESS = frozenset(row.name for row in OPERATIONS if row.retry is RetryRule.HARMLESS)
_LOGGER = logging.getLogger("rmz_async.integrations")


def lifespan(
    *,
    client: Callable[[], Client] = Client,
    receiver: Receiver | None = None,
    paywall: Paywall | None = None,
    concurrency: int = 10,
) -> Lifespan:
    """Return a lifespan that opens a client and a paywall, and runs the handlers of a receiver.

    A lifespan of your own may enter this one: ``async with lifespan()(app) as state``.

    Args:
        client: Makes the client; `client` returns it in a request.
        receiver: Its handlers run in the background, and its inbox is closed at the end. None if
            another process works.
        paywall: Asks RMZ again in the background.
        concurrency: How many handlers of the receiver may run at the same time.

    Returns:
        The argument for ``Starlette(lifespan=…)``.
    """
    check_client(client)

    @asynccontextmanager
    async def running(_: Any) -> AsyncGenerator[dict[str, Any]]:
        async with lifetime(client, receiver, paywall, concurrency) as rmz:
            yield {"rmz": rmz}

    return running


def exception_handlers() -> ExceptionHandlers:
    """Return the handlers that answer 503 with ``Retry-After`` while RMZ cannot be asked.

    Without them such an error is a 500. A change whose outcome is unknown stays one, because a
    caller who sends the request again could make the change twice.

    Returns:
        The argument for ``Starlette(exception_handlers=…)``; put your own beside them.
    """
    handlers: ExceptionHandlers = dict.fromkeys(_OUTAGES, _unavailable)
    return handlers


def client(request: HTTPConnection) -> Client:
    """Return the client of the application's lifespan.

    Raises:
        ConfigurationError: The application was made without `lifespan`.
    """
    rmz = getattr(request.state, "rmz", None)
    if not isinstance(rmz, Client):
        raise ConfigurationError(
            "the application has no client: pass lifespan=lifespan() when you make it"
        )
    return rmz


def route(receiver: AsyncReceiver, path: str = PATH) -> Route:
    """Return the route at which RMZ delivers.

    Args:
        receiver: Verifies and stores the deliveries.
        path: The path of the URL that you gave RMZ.
    """
    return Route(path, webhook(receiver), methods=["POST"])


def webhook(receiver: AsyncReceiver) -> Endpoint:
    """Return the endpoint for deliveries, for a route of your own.

    Raises:
        ConfigurationError: *receiver* is not of ``rmz_async.webhooks``.
    """
    check_receiver(receiver, is_async=True)

    async def rmz_webhook(request: Request) -> Response:
        try:
            body = await read_body(request.stream())
        except ClientDisconnect:
            return PlainTextResponse("the body is not complete", 400)
        ack = await receiver.receive(body, request.headers.raw)
        return PlainTextResponse(ack.body, ack.status)

    return rmz_webhook


def requires(
    *slugs: str,
    paywall: AsyncPaywall,
    user: Callable[[Request], SignedIn],
    offer: Callable[[Request], str | None] | None = None,
) -> Callable[[Endpoint | PlainEndpoint], Endpoint]:
    """Return a decorator that lets subscribers in; ``request.state.access`` is the answer.

    As in Starlette itself, an endpoint that does not await runs in a thread.

    :mod:`rmz_async.integrations` says what all others get.

    Args:
        slugs: The products that let in; none for all that the paywall counts.
        paywall: Answers.
        user: Returns the signed-in user, and may be async; None if nobody is signed in.
        offer: Returns the address at which the user can subscribe.

    Raises:
        ConfigurationError: A slug is empty, *paywall* is one of `rmz_sync`, or *user* is no
            function.
    """
    gate = AsyncGate(slugs, paywall, user, offer)

    def decorate(endpoint: Endpoint | PlainEndpoint) -> Endpoint:
        @functools.wraps(endpoint)
        async def guarded(request: Request) -> Response:
            answer = await gate.answer(request, request.headers)
            if isinstance(answer, Refusal):
                return JSONResponse(answer.body, answer.status, answer.headers)
            request.state.access = answer
            if is_async(endpoint):
                return keep_private(await cast("Endpoint", endpoint)(request))
            return keep_private(await run_in_threadpool(cast("PlainEndpoint", endpoint), request))

        return guarded

    return decorate


async def _unavailable(request: Request, error: Exception) -> Response:
    if isinstance(error, OutcomeUnknownError) and error.operation not in _HARMLESS:
        # Something may have been changed, so that the caller must not send the request again.
        raise error
    _LOGGER.warning("answered with 503: %s: %s", type(error).__name__, error)
    seconds = getattr(error, "retry_after", None) or RETRY_AFTER
    access = Access(
        granted=False,
        reason=Reason.UNAVAILABLE,
        checked_at=datetime.now(UTC),
        retry_after=math.ceil(seconds),
    )
    refusal = Gate(()).refusal(access, request.headers, None)
    return JSONResponse(refusal.body, refusal.status, refusal.headers)
