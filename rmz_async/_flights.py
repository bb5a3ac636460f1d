"""Requests that all share who ask the same at the same time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import anyio

from rmz_async._per_loop import PerLoop

T = TypeVar("T")


class Flight(Generic[T]):
    """A request that is on its way.

    Attributes:
        landed: Set when the request is over.
        results: The answer; empty if the one who asked was cancelled or failed.
    """

    def __init__(self) -> None:
        self.landed: anyio.Event = anyio.Event()
        self.results: list[T] = []


class Flights(Generic[T]):
    """The requests that are on their way, one for each key and event loop."""

    def __init__(self) -> None:
        self._flights: PerLoop[dict[Hashable, Flight[T]]] = PerLoop(dict[Hashable, Flight[T]])

    async def join(
        self, key: Hashable, ask: Callable[[], Awaitable[T]], *, depart_later: bool = False
    ) -> T:
        """Return what *ask* returns, or what the *ask* of somebody else returns.

        If the one who asked is cancelled, or fails, the next one asks.

        Args:
            key: Those with the same key share a request.
            ask: Makes the request.
            depart_later: Only a request that begins after this call will do.
        """
        flights = self._flights.for_running_loop()
        if depart_later and (early := flights.get(key)) is not None:
            await early.landed.wait()
        while (flight := flights.get(key)) is not None:
            await flight.landed.wait()
            if flight.results:
                return flight.results[0]
        flight = flights[key] = Flight[T]()
        try:
            result = await ask()
            flight.results.append(result)
        finally:
            del flights[key]
            flight.landed.set()
        return result
