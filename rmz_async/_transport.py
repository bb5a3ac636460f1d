"""The one way to RMZ: what the calls of a client share."""

from __future__ import annotations

from copy import copy
from typing import Any, TypeVar

from rmz_async import _resolving
from rmz_async._calls.call import Call
from rmz_async._calls.clock import Clock
from rmz_async._calls.retry import Budget
from rmz_async._execution import Execution
from rmz_async._http.client import Connections
from rmz_async._http.request import headers_for
from rmz_async._observed import ObservedExecution
from rmz_async._pacing.slots import Slots
from rmz_async.errors import OutcomeUnknownError
from rmz_async.observing import Observer, guarded
from rmz_async.options import Options

T = TypeVar("T")


class Transport:
    """Makes calls over connections, within the options of one client.

    Attributes:
        options: How long a call may take, how often it may be attempted, and the API's address.
        connections: They carry the requests.
        clock: The clock, and how to sleep.
        slots: The gates before each request.
        budget: How many retries the client has left.
        observer: Gets a record of each call and attempt; None for none.
        execution: Runs one call.
        headers: The headers of every request, without the token.
    """

    def __init__(
        self,
        connections: Connections,
        options: Options,
        clock: Clock | None = None,
        observer: Observer | None = None,
    ) -> None:
        self.options = options
        self.connections = connections
        self.clock: Clock = Clock() if clock is None else clock
        self.slots: Slots = Slots(options.pacing, self.clock)
        self.budget: Budget = Budget()
        self.observer: Observer | None = guarded(observer)
        self.execution: type[Execution[Any]] = Execution if observer is None else ObservedExecution
        # The class is httpx's, which only `_http` may import.
        self.headers: Any = headers_for(options.base_url)

    def with_options(self, options: Options) -> Transport:
        """Return a transport over the same connections."""
        transport = copy(self)
        transport.options = options
        transport.slots = self.slots.with_pacing(options.pacing)
        return transport

    async def aclose(self) -> None:
        """Close the connections, for all copies."""
        await self.connections.aclose()

    async def call(self, call: Call[T]) -> T:
        """Make *call*, retry it if that is safe, and return its decoded answer.

        Raises:
            RMZError: See the tree in `rmz_async.errors`.
        """
        result: T = await self.execution(self, call).run()
        return result

    async def resolve(self, error: OutcomeUnknownError) -> Any:
        """Find out whether the call of *error* was applied, and return what it would have returned.

        Raises:
            RMZError: As `Client.resolve` says.
        """
        return await _resolving.resolve(self, error)
