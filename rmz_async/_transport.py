"""The one way to RMZ: what the calls of a client share, and the beginning of each call."""

from __future__ import annotations

from copy import copy
from typing import Any, TypeVar

from rmz_async._calls import wire as _wire
from rmz_async._calls.call import Call
from rmz_async._calls.clock import Clock
from rmz_async._calls.outcome import History
from rmz_async._calls.retry import Budget
from rmz_async._execution import UNCLEAR, Execution, UnclearCall
from rmz_async._http.client import Connections
from rmz_async._http.request import PreparedRequest, headers_for
from rmz_async._http.upload_body import UploadBody
from rmz_async._pacing.slots import Slots
from rmz_async.errors import ConfigurationError, OutcomeUnknownError
from rmz_async.operations import RetryRule
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
    """

    def __init__(
        self, connections: Connections, options: Options, clock: Clock | None = None
    ) -> None:
        self.options = options
        self.connections = connections
        self.clock: Clock = Clock() if clock is None else clock
        self.slots: Slots = Slots(options.pacing, self.clock)
        self.budget: Budget = Budget()
        self._headers = headers_for(options.base_url)

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
        return await self.begin(call).run()

    async def resolve(self, error: OutcomeUnknownError) -> Any:
        """Find out whether the call of *error* was applied, and return what it would have returned.

        Raises:
            RMZError: As `Client.resolve` says.
        """
        unclear: UnclearCall[Any] | None = vars(error).get(UNCLEAR)
        if unclear is None:
            raise ConfigurationError(
                f"{error.operation}: this error was pickled or copied, and has lost its call; look "
                "for the change yourself, as its message says"
            )
        if unclear.base_url != self.options.base_url:
            raise ConfigurationError(
                f"{error.operation}: this error is of a call to another base URL; resolve it with "
                "a client of that one"
            )
        execution = Execution(self, unclear.call, unclear.prepared, unclear.history)
        return await execution.resolve(error)

    def begin(self, call: Call[T]) -> Execution[T]:
        """Return *call*, ready to run."""
        return Execution(self, call, self.prepare(call), History())

    def deadline(self, call: Call[Any]) -> float:
        """Return when *call* must be over if it begins now; seconds, monotonic."""
        upload = call.upload
        return self.clock.clock() + (self.options.timeout if upload is None else upload.timeout)

    def prepare(self, call: Call[Any]) -> PreparedRequest:
        """Return the request that every attempt of *call* sends."""
        # RMZ recognizes a retried order by its bytes, so the caller's objects are read only once.
        path = _wire.target(call.operation, call.object_id, call.query)
        return PreparedRequest(
            call.operation.method,
            self.options.base_url + path,
            self._headers,
            _wire.encode_body(call.body),
            dedicated=call.operation.retry is RetryRule.ONCE,
            upload=None if call.upload is None else UploadBody(call.upload),
            silence=self.options.retry.attempt_timeout,
        )
