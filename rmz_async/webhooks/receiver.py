"""Store verified deliveries, answer RMZ, and run handlers for them afterwards."""

from __future__ import annotations

import fnmatch
import hashlib
import inspect
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeAlias, TypeVar, cast

import anyio
import attrs
from anyio import to_thread

from rmz_async._calls.clock import Clock
from rmz_async._calls.refusals import quoted
from rmz_async.errors import ConfigurationError, PayloadError, SignatureError
from rmz_async.webhooks._headers import Headers
from rmz_async.webhooks._reading import event_of
from rmz_async.webhooks._secrets import Keys, Secrets
from rmz_async.webhooks._verifying import verified
from rmz_async.webhooks.events import Event, EventType
from rmz_async.webhooks.inbox.interface import Delivery, Grouping, Inbox, Stats, Task
from rmz_async.webhooks.inbox.opening import open_inbox

__all__ = ("Ack", "Receiver")

logger: logging.Logger = logging.getLogger("rmz_async")

Handler: TypeAlias = Callable[[Any], Awaitable[object] | object]
"""A function of one event: async, or plain, which runs in a worker thread."""

H = TypeVar("H", bound=Handler)

# Seconds between two looks at the inbox, in case another process has stored a delivery.
POLL = 1.0

# Seconds after which the task of a worker that has died is taken by another.
LEASE = 60.0

# Seconds before the second attempt; each next wait is four times as long.
BACKOFF = 5.0
MAX_BACKOFF = 3600.0

# Seconds that an attempt of an async handler may take, which must end before its lease.
HANDLER_TIMEOUT = 50.0

UNREADABLE = "(unreadable)"
"""The name of a signed delivery that names no event."""


@attrs.frozen
class Ack:
    """The answer to RMZ.

    Attributes:
        status: The HTTP status.
        body: A short string, which RMZ ignores.
    """

    status: int
    body: str = ""


class Receiver:
    """Receives deliveries: each event is stored once, and each of its handlers succeeds once.

    A handler runs after the answer to RMZ. If it fails, it is attempted again later, and after the
    last attempt the error stays in the inbox. A process that dies in the middle of a handler makes
    the handler run again: use ``event.dedupe_key`` so that its effect happens once.

    Args:
        secrets: See `verify`.
        inbox: ``sqlite:///`` and the path of a file, which all processes of one machine may share;
            ``postgresql://`` and the address of a database; or an `Inbox` of your own.
        max_attempts: How many attempts each handler gets, 1 or more.
        allow_unsigned: See `verify`.

    Raises:
        ConfigurationError: The inbox is not a SQLite address, or there is no attempt.
    """

    def __init__(
        self,
        *,
        secrets: Secrets,
        inbox: str | Inbox,
        max_attempts: int = 8,
        allow_unsigned: bool = False,
        _clock: Clock | None = None,
    ) -> None:
        self._keys = Keys(secrets)
        self._handlers: dict[str, tuple[Callable[[Event], bool], Handler]] = {}
        if not callable(secrets):
            del secrets
            self._keys.check()
        if max_attempts < 1:
            raise ConfigurationError("max_attempts: must be an integer of 1 or more")
        self._allow_unsigned = allow_unsigned
        self._max_attempts = max_attempts
        self._clock = Clock() if _clock is None else _clock
        self._inbox = open_inbox(inbox, self._clock) if isinstance(inbox, str) else inbox
        self._stored: anyio.Event | None = None

    def __repr__(self) -> str:
        # A traceback with variables shows a receiver whose options were refused, too.
        inbox = getattr(self, "_inbox", None)
        return f"Receiver(inbox={inbox!r}, handlers={len(self._handlers)})"

    def on(self, *wanted: EventType | type[Event] | str) -> Callable[[H], H]:
        """Register the decorated function for events.

        Args:
            wanted: Event types, event classes, or patterns of names such as ``subscription.*``.

        Returns:
            A decorator that returns the function unchanged.

        Raises:
            ConfigurationError: Nothing was named, or two handlers have the same name.
        """
        if not wanted:
            raise ConfigurationError("on: name an event, an event class or a pattern")
        accepts = partial(_is_wanted, wanted)

        def register(handler: H) -> H:
            # The name stands in the inbox, so that a restarted program finds its tasks.
            named = handler if hasattr(handler, "__qualname__") else type(handler)
            name = f"{named.__module__}.{named.__qualname__}"
            if name in self._handlers:
                raise ConfigurationError(f"on: there are two handlers called {name}")
            self._handlers[name] = (accepts, handler)
            return handler

        return register

    async def receive(self, body: bytes, headers: Headers | None) -> Ack:
        """Verify and store a delivery, and return the answer to RMZ.

        Args:
            body: The raw body of the request.
            headers: All headers of the request, as for `verify`.

        Returns:
            200 once the delivery is stored, and for an event that is known; 401 if RMZ did not
            sign it. A signed body that names no event is answered with 200 and logged, because a
            retry has the same body.

        Raises:
            ConfigurationError: The secrets cannot be used.
        """
        try:
            event = verified(body, headers, self._keys, allow_unsigned=self._allow_unsigned)
        except SignatureError as error:
            logger.warning("a delivery was refused: %s", error)
            return Ack(401, "the signature does not match")
        except PayloadError as error:
            logger.warning("a signed delivery waits in the inbox: %s", error)
            return await self._store(
                Delivery(key=_digest(body), name=UNREADABLE, body=body, fault=str(error))
            )
        return await self._store(
            Delivery(
                key=event.dedupe_key,
                name=event.event,
                body=body,
                request_id=event.request_id,
                secret_index=event.secret_index,
                handlers={
                    name: Grouping.EACH
                    for name, (accepts, _) in self._handlers.items()
                    if accepts(event)
                },
            )
        )

    async def _store(self, delivery: Delivery) -> Ack:
        try:
            await to_thread.run_sync(self._inbox.add, [delivery])
        except Exception as error:  # noqa: BLE001 - each database has errors of its own
            logger.error("a delivery was not stored: %s", error)  # noqa: TRY400 - no riddle for RMZ
            return Ack(503, "not stored")
        if self._stored is not None:
            self._stored.set()
        return Ack(200, "stored")

    @asynccontextmanager
    async def working(self) -> AsyncGenerator[None]:
        """Run the handlers in the background for as long as the block runs."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._work)
            try:
                yield
            finally:
                group.cancel_scope.cancel()

    async def drain(self) -> int:
        """Run all handlers that are due, and return how many ran; for tests and for cron jobs."""
        count = 0
        while await self._run_next():
            count += 1
        return count

    async def stats(self) -> Stats:
        """Return how many deliveries and tasks the inbox holds."""
        return await to_thread.run_sync(self._inbox.stats)

    async def aclose(self) -> None:
        """Close the inbox."""
        await to_thread.run_sync(self._inbox.close)

    async def _work(self) -> None:
        while True:
            stored = self._stored = anyio.Event()
            try:
                await self.drain()
            except Exception as error:  # noqa: BLE001 - each database has errors of its own
                logger.error("the inbox cannot be read: %s", error)  # noqa: TRY400 - it may repeat
            async with anyio.create_task_group() as group:
                group.start_soon(self._poll, stored)
                await stored.wait()
                group.cancel_scope.cancel()

    async def _poll(self, stored: anyio.Event) -> None:
        await self._clock.sleep(POLL)
        stored.set()

    async def _run_next(self) -> bool:
        claimed = await to_thread.run_sync(
            partial(self._inbox.claim, tuple(self._handlers), limit=1, lease=LEASE)
        )
        if not claimed:
            return False
        (task,) = claimed
        event = event_of(task.body, task.request_id, task.secret_index)
        try:
            with anyio.fail_after(HANDLER_TIMEOUT):
                await _call(self._handlers[task.handler][1], event)
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(self._inbox.release, [task])
            raise
        except Exception as error:  # noqa: BLE001 - a handler raises what it likes
            await self._failed(task, error)
        else:
            await to_thread.run_sync(self._inbox.done, [task])
        return True

    async def _failed(self, task: Task, error: Exception) -> None:
        reason = quoted(f"{type(error).__name__}: {error}")
        is_last = task.attempt >= self._max_attempts
        wait = min(BACKOFF * 4 ** (task.attempt - 1), MAX_BACKOFF)
        logger.log(
            logging.ERROR if is_last else logging.WARNING,
            "%s failed for %s (attempt %d of %d): %s",
            task.handler,
            task.name,
            task.attempt,
            self._max_attempts,
            reason,
        )
        await to_thread.run_sync(
            partial(self._inbox.failed, task, reason, retry_after=None if is_last else wait)
        )


async def _call(handler: Handler, event: Event) -> None:
    if _is_async(handler) or _is_async(type(handler).__call__):
        await cast("Callable[[Event], Awaitable[object]]", handler)(event)
    else:
        await to_thread.run_sync(_call_plain, handler, event)


def _is_async(function: object) -> bool:
    return inspect.iscoroutinefunction(function)


def _call_plain(handler: Handler, event: Event) -> None:
    result = handler(event)
    if inspect.iscoroutine(result):
        # No code in this thread could await it, and its work would silently be left undone.
        result.close()
        raise TypeError("a plain handler returned a coroutine: make it an async function")


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _is_wanted(wanted: Sequence[EventType | type[Event] | str], event: Event) -> bool:
    return any(
        isinstance(event, one) if isinstance(one, type) else fnmatch.fnmatchcase(event.event, one)
        for one in wanted
    )
