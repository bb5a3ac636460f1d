"""A proxy before a served sandbox that does to each request what its plan says."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import attrs

from tests.faults.faults import MADE_UP, Fault, Position
from tests.faults.http1 import Answer, Request, Wire, forward

T = TypeVar("T")


class Plan(Protocol):
    """Says what goes wrong; called from the proxy's thread, once for each."""

    def on_connection(self) -> Fault | None:
        """Return what happens to the next connection."""
        ...

    def on_request(self, method: str) -> Fault | None:
        """Return what happens to the next request."""
        ...

    def passing(self, when: str) -> None:
        """Take note that a request is about to reach RMZ, or has just done so."""
        ...


@attrs.frozen
class Seen:
    """A request that arrived."""

    method: str
    path: str
    fault: Fault | None


class Line:
    """A port of its own, between one client and the sandbox.

    Attributes:
        base_url: For the client.
        seen: The requests that arrived whole.
        injected: How often something went wrong on purpose.
    """

    def __init__(self, proxy: Proxy, plan: Plan) -> None:
        self.plan = plan
        self.seen: list[Seen] = []
        self.injected = 0
        self._proxy = proxy
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.base_url = address + proxy.base_path
        self._server: asyncio.Server | None = None
        self._wires: set[Wire] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._limbo: list[tuple[Request, Position]] = []
        self._forwarding = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def listen(self) -> None:
        """Begin to accept connections; before, the port is closed."""
        if self._server is None:
            self._server = self._proxy.run(self._listen())

    def close_idle(self) -> None:
        """Close the connections that clients keep for later."""
        self._proxy.run(self._close_idle())

    def settle(self) -> None:
        """Carry out what is still on its way to RMZ, and wait for it."""
        self._proxy.run(self._settle())

    def close(self) -> None:
        """Stop, and end all connections."""
        self._proxy.run(self._close())

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._accept, sock=self._socket, backlog=1024)

    async def _close_idle(self) -> None:
        for wire in tuple(self._wires):
            wire.finish()
            self.injected += 1

    async def _settle(self) -> None:
        await self._idle.wait()
        await self._deliver(Position.LATE, Position.LATER)

    async def _close(self) -> None:
        if self._server is None:
            self._socket.close()
        else:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(Wire(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, wire: Wire) -> None:
        self._wires.add(wire)
        try:
            fault = self.plan.on_connection()
            if fault is not None:
                self.injected += 1
                await fault.kind.act(wire, MADE_UP)
                return
            while (request := await wire.request()) is not None:
                if not await self._answer(wire, request):
                    return
        finally:
            self._wires.discard(wire)
            wire.finish()

    async def _answer(self, wire: Wire, request: Request) -> bool:
        fault = self.plan.on_request(request.method)
        self.seen.append(Seen(request.method, request.path, fault))
        if fault is None:
            await wire.send((await self._forward(request)).whole())
            return True
        self.injected += 1
        answer = MADE_UP
        if fault.position is Position.AFTER:
            answer = await self._forward(request)
        elif fault.position is not Position.BEFORE:
            self._limbo.append((request, fault.position))
        await fault.kind.act(wire, answer)
        return fault.kind.keeps

    async def _forward(self, request: Request) -> Answer:
        self._forwarding += 1
        self._idle.clear()
        try:
            self.plan.passing("before")
            answer = await forward(request, self._proxy.target)
            self.plan.passing("after")
            await self._deliver(Position.LATE)
            return answer
        finally:
            self._forwarding -= 1
            if not self._forwarding:
                self._idle.set()

    async def _deliver(self, *positions: Position) -> None:
        due = [request for request, position in self._limbo if position in positions]
        self._limbo = [entry for entry in self._limbo if entry[1] not in positions]
        for request in due:
            await forward(request, self._proxy.target)


class Proxy:
    """Lines to one served sandbox, in a thread of their own.

    Args:
        base_url: The address of the sandbox.

    Attributes:
        target: The sandbox's port.
        base_path: The beginning of all its addresses.
    """

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        assert parts.port is not None
        self.target = parts.port
        self.base_path = parts.path
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def line(self, plan: Plan, *, listening: bool = True) -> Line:
        """Return a new line.

        Args:
            plan: The faults on it.
            listening: Whether its port is open from the beginning.
        """
        line = Line(self, plan)
        if listening:
            line.listen()
        return line

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run *work* in the proxy's loop, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)
