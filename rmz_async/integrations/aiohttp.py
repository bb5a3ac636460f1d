"""RMZ in an aiohttp server: a client for the application's life, and a route for deliveries.

::

    setup(app, receiver=receiver)

    async def premium(request: web.Request) -> web.Response:
        rmz = request.app[CLIENT]
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from rmz_async._extras import extra
from rmz_async.client import Client
from rmz_async.integrations._bodies import PATH, AsyncReceiver, check_receiver, read_body
from rmz_async.integrations._gate import AsyncGate, AsyncPaywall, Refusal, SignedIn, keep_private
from rmz_async.integrations._lifetime import check_client
from rmz_async.paywall import Access, Paywall
from rmz_async.webhooks import Receiver

with extra("aiohttp", needed_by="rmz_async.integrations.aiohttp"):
    from aiohttp import web

__all__ = ("ACCESS", "CLIENT", "requires", "setup", "webhook", "working")

View = Callable[[web.Request], Awaitable[web.StreamResponse]]

ACCESS: web.RequestKey[Access] = web.RequestKey("ACCESS", Access)
"""The key under which a request has the answer of `requires`."""

CLIENT: web.AppKey[Client] = web.AppKey("CLIENT", Client)
"""The key under which an application has its client."""


def setup(
    app: web.Application,
    *,
    client: Callable[[], Client] = Client,
    receiver: Receiver | None = None,
    paywall: Paywall | None = None,
    path: str = PATH,
    concurrency: int = 10,
) -> None:
    """Give an application a client and a paywall, and a route for RMZ's deliveries.

    Args:
        app: The application, before it starts.
        client: Makes the client, which is ``request.app[CLIENT]`` in a handler.
        receiver: Verifies and stores the deliveries, and runs their handlers in the background.
            None for no route.
        paywall: Asks RMZ again in the background.
        path: The path of the URL that you gave RMZ.
        concurrency: How many handlers of events may run at the same time.
    """
    check_client(client)

    async def open_client(app: web.Application) -> AsyncIterator[None]:
        async with client() as rmz:
            app[CLIENT] = rmz
            yield

    app.cleanup_ctx.append(open_client)
    if paywall is not None:
        app.cleanup_ctx.append(_for_the_life_of_the_application(lambda: paywall))
    if receiver is not None:
        app.cleanup_ctx.append(working(receiver, concurrency=concurrency))
        app.router.add_post(path, webhook(receiver))


def working(
    receiver: Receiver, *, concurrency: int = 10
) -> Callable[[web.Application], AsyncIterator[None]]:
    """Return a ``cleanup_ctx`` that runs a receiver's handlers, and closes its inbox at the end."""

    @asynccontextmanager
    async def work() -> AsyncGenerator[None]:
        async with receiver.working(concurrency=concurrency):
            yield
        await receiver.aclose()

    return _for_the_life_of_the_application(work)


def webhook(receiver: AsyncReceiver) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return the handler for deliveries, for a route of your own.

    Raises:
        ConfigurationError: *receiver* is not of ``rmz_async.webhooks``.
    """
    check_receiver(receiver, is_async=True)

    async def rmz_webhook(request: web.Request) -> web.Response:
        # aiohttp's own limit belongs to the application, and may be any.
        try:
            # If a middleware has read the body, aiohttp has kept it, and the stream is empty.
            body = await read_body(request.content.iter_any()) or await request.read()
        # The sender has closed the connection, or aiohttp cannot decompress the body.
        except (web.RequestPayloadError, ConnectionError):
            return web.Response(text="the body is not complete", status=400)
        ack = await receiver.receive(body, request.raw_headers)
        return web.Response(text=ack.body, status=ack.status)

    return rmz_webhook


def requires(
    *slugs: str,
    paywall: AsyncPaywall,
    user: Callable[[web.Request], SignedIn],
    offer: Callable[[web.Request], str | None] | None = None,
) -> Callable[[View], View]:
    """Return a decorator that lets subscribers in; ``request[ACCESS]`` is the answer.

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

    def decorate(view: View) -> View:
        @functools.wraps(view)
        async def guarded(request: web.Request) -> web.StreamResponse:
            answer = await gate.answer(request, request.headers)
            if isinstance(answer, Refusal):
                return web.json_response(answer.body, status=answer.status, headers=answer.headers)
            request[ACCESS] = answer
            return keep_private(await view(request))

        return guarded

    return decorate


def _for_the_life_of_the_application(
    opened: Callable[[], AbstractAsyncContextManager[object]],
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def run(_: web.Application) -> AsyncIterator[None]:
        async with _in_a_task(opened()):
            yield

    return run


@asynccontextmanager
async def _in_a_task(opened: AbstractAsyncContextManager[object]) -> AsyncGenerator[None]:
    # aiohttp may start and stop an application in two tasks, and a task group may not be left in
    # another task than the one in which it was entered.
    started, stopping = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        async with opened:
            started.set()
            await stopping.wait()

    task = asyncio.create_task(work())
    starting = asyncio.create_task(started.wait())
    try:
        await asyncio.wait((task, starting), return_when=asyncio.FIRST_COMPLETED)
        if started.is_set():
            yield
    finally:
        starting.cancel()
        stopping.set()
        await task
