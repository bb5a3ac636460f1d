"""The async client as the sync one wraps it: it knows what to say of a call that is cut off."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TypeVar

import rmz_async
from rmz_async._calls.call import Call, Failed
from rmz_async._calls.retry import Failure, History
from rmz_async._http.exchange import PreparedRequest
from rmz_async._transport import Transport
from rmz_async.errors import RMZError
from rmz_sync._loop_thread import notice

T = TypeVar("T")


class WrappedClient(rmz_async.Client):
    """The async client over such a transport, and all copies of it."""

    def _use(self, transport: Transport, *, owns_connections: bool) -> None:
        super()._use(WrappedTransport.of(transport), owns_connections=owns_connections)


class WrappedTransport(Transport):
    """A transport that can tell at any time what became of a call.

    In async code a cancelled call raises what cancelled it. Here its caller is another thread,
    which cancelled nothing: it wants to know whether something was sent.
    """

    @classmethod
    def of(cls, transport: Transport) -> WrappedTransport:
        """Return the same transport as one of these."""
        copy = object.__new__(cls)
        vars(copy).update(vars(transport))
        return copy

    async def _call_until(
        self, call: Call[T], outgoing: PreparedRequest, deadline: float, history: History
    ) -> T:
        here = notice.get()
        if here.error is not None:  # It reads back for a call that has said what to raise.
            return await super()._call_until(call, outgoing, deadline, history)
        here.error = cut_off = partial(self._cut_off, call, outgoing, history)
        with suppress(asyncio.CancelledError):
            return await super()._call_until(call, outgoing, deadline, history)
        raise cut_off()

    def _cut_off(self, call: Call[T], outgoing: PreparedRequest, history: History) -> RMZError:
        failed = Failed(
            Failure.AMBIGUOUS if history.under_way else Failure.NOT_SENT,
            "cut off, as this client was closed or its loop ended",
        )
        return self._given_up(call, outgoing, failed, history, None)
