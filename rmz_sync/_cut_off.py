"""The verdict on a call that is cut off: the async client leaves it, and the portal asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, TypeVar

import rmz_async
from rmz_async._calls.call import Call
from rmz_async._execution import Execution
from rmz_async._transport import Transport
from rmz_async.errors import OutcomeUnknownError, RMZError

T = TypeVar("T")

CLOSED = "cut off, because this client was closed or its loop ended"


class CutOff:
    """The error that a job raises if it is cut off.

    A `CutOff` does not refer to its job, because a connection keeps the context in which it was
    opened, and with it whatever the context refers to.

    Attributes:
        reason: Why the job is cut off.
        verdict: Makes the error of that reason; None if the call has not begun. Any thread may ask.
    """

    __slots__ = ("reason", "verdict")

    def __init__(self) -> None:
        self.reason = CLOSED
        self.verdict: Callable[[str], RMZError] | None = None


cut_off: ContextVar[CutOff] = ContextVar("cut_off")
"""The `CutOff` of the job that runs."""


class WrappedClient(rmz_async.Client):
    """The async client, and all copies of it, over a `WrappedTransport`."""

    def _use(self, transport: Transport, *, owns_connections: bool) -> None:
        super()._use(WrappedTransport.of(transport), owns_connections=owns_connections)


class WrappedTransport(Transport):
    """A transport whose calls can say at any time whether something was sent.

    In async code a cancelled call raises the cancellation. Here another thread waits for the call.
    That thread cancelled nothing, and wants to know whether something was sent.
    """

    @classmethod
    def of(cls, transport: Transport) -> WrappedTransport:
        """Return the same transport as a `WrappedTransport`."""
        copy = object.__new__(cls)
        vars(copy).update(vars(transport))
        return copy

    async def call(self, call: Call[T]) -> T:
        """Make *call*; if it is cut off, raise the verdict."""
        execution: Execution[T] = self.execution(self, call)
        here = cut_off.get()
        here.verdict = execution.cut_off
        with suppress(asyncio.CancelledError):
            return await execution.run()
        raise execution.cut_off(here.reason)

    async def resolve(self, error: OutcomeUnknownError) -> Any:
        """Resolve *error*; if that is cut off, raise *error* again, which is still true."""
        cut_off.get().verdict = lambda _: error.with_traceback(None)
        with suppress(asyncio.CancelledError):
            return await super().resolve(error)
        raise error.with_traceback(None)
