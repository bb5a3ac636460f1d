"""The async client as the sync one wraps it: it knows what to say of a call that is cut off."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, TypeVar

import rmz_async
from rmz_async._calls.call import Call
from rmz_async._transport import Transport
from rmz_async.errors import OutcomeUnknownError
from rmz_sync._portal import cut_off

T = TypeVar("T")


class WrappedClient(rmz_async.Client):
    """The async client over such a transport, and all copies of it."""

    def _use(self, transport: Transport, *, owns_connections: bool) -> None:
        super()._use(WrappedTransport.of(transport), owns_connections=owns_connections)


class WrappedTransport(Transport):
    """A transport that can say at any time what became of a call.

    In async code a cancelled call raises what cancelled it. Here its caller is another thread,
    which cancelled nothing: it wants to know whether something was sent.
    """

    @classmethod
    def of(cls, transport: Transport) -> WrappedTransport:
        """Return the same transport as one of these."""
        copy = object.__new__(cls)
        vars(copy).update(vars(transport))
        return copy

    async def call(self, call: Call[T]) -> T:
        """Make *call*; if it is cut off, raise what became of it."""
        execution = self.begin(call)
        here = cut_off.get()
        here.verdict = execution.cut_off
        with suppress(asyncio.CancelledError):
            return await execution.run()
        raise execution.cut_off(here.reason)

    async def resolve(self, error: OutcomeUnknownError) -> Any:
        """Find out later; if this is cut off, it has found out nothing."""
        cut_off.get().verdict = lambda _: error.with_traceback(None)
        with suppress(asyncio.CancelledError):
            return await super().resolve(error)
        raise error.with_traceback(None)
