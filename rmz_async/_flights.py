"""Singleflight: callers that ask for the same at the same time share one request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import anyio

from rmz_async._per_loop import PerLoop

T = TypeVar("T")


class Flight(Generic[T]):
    """A request that has not ended.

    Attributes:
        ended: Set when the request ends.
        results: The answer; empty if the request was cancelled or failed.
    """

    def __init__(self) -> None:
        self.ended: anyio.Event = anyio.Event()
        self.results: list[T] = []


class Flights(Generic[T]):
    """The requests that have not ended, one for each key and event loop."""

    def __init__(self) -> None:
        self._flights: PerLoop[dict[Hashable, Flight[T]]] = PerLoop(dict[Hashable, Flight[T]])

    async def join(
        self, key: Hashable, ask: Callable[[], Awaitable[T]], *, begun_later: bool = False
    ) -> T:
        """Return what *ask* returns, or what the *ask* of another caller returns.

        If that caller is cancelled, or its request fails, the next caller asks.

        Args:
            key: Callers with the same key share a request.
            ask: Makes the request.
            begun_later: Do not share a request that began before this call.
        """
        flights = self._flights.for_running_loop()
        if begun_later and (early := flights.get(key)) is not None:
            await early.ended.wait()
        while (flight := flights.get(key)) is not None:
            await flight.ended.wait()
            if flight.results:
                return flight.results[0]
        flight = flights[key] = Flight[T]()
        try:
            result = await ask()
            flight.results.append(result)
        finally:
            del flights[key]
            flight.ended.set()
        return result
