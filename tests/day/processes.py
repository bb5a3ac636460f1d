"""Servers that are processes, on a clock that stands still while any of them is at work."""

from __future__ import annotations

import asyncio
import logging
import math
import os
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import anyio
import httpx
from anyio.abc import TaskGroup, TaskStatus

from rmz_async import Event
from rmz_async.redis import RedisAccessCache
from tests.day.server import Answer, Given, Server
from tests.day.simulated_time import Loop, in_simulated_time, seconds

__all__ = ("Process", "ServerGoneError", "SharedClock")


class ServerGoneError(Exception):
    """The server was killed before it had answered."""


class SharedClock:
    """Moves the time of the program and of its servers on, while all of them have nothing to do."""

    def __init__(self) -> None:
        self.processes: list[Process] = []

    def __call__(self, loop: Loop, timeout: float | None) -> bool:
        """Move the time on to the next task of any process; see `Loop`."""
        if not all(process.is_idle for process in self.processes):
            return True
        ends = [process.ends for process in self.processes]
        loop.seconds = min([loop.seconds + (math.inf if timeout is None else timeout), *ends])
        for process in self.processes:
            if process.ends <= loop.seconds:
                process.send("time")
        return False


class Pipe:
    """An end of the pipe between the program and a server.

    Args:
        connection: The end.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.sent, self.received = 0, 0
        self._numbers = 0
        self._is_broken = False
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    def send(self, *message: Any) -> None:
        """Send a message, with the time; a process that is gone gets none."""
        self.sent += 1
        with suppress(ConnectionError):
            self.connection.send((seconds(), *message))

    async def ask(self, *message: Any) -> Any:
        """Send a message, and return the answer to it, or raise it."""
        if self._is_broken:
            raise ServerGoneError
        self._numbers += 1
        number = self._numbers
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self.send("ask", number, *message)
            return await future
        finally:
            del self._waiting[number]

    def answer(self, number: int, result: Any) -> None:
        """Take the answer to a message that was sent."""
        future = self._waiting.get(number)
        if future is None or future.done():
            return
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)

    def break_off(self) -> None:
        """Answer all that wait for a process that is gone."""
        self._is_broken = True
        for number in list(self._waiting):
            self.answer(number, ServerGoneError())


class Process:
    """A server in a process of its own, which is reached as a `Server` is.

    Args:
        given: The orders.
        way: Its way to RMZ, which lives in this program.
        clock: The clock of this program and of all servers.
    """

    def __init__(self, given: Given, way: httpx.AsyncBaseTransport, clock: SharedClock) -> None:
        self._given = given
        self._way = way
        self._clock = clock
        self._has_ended = anyio.Event()
        # When its next task begins, and how many messages it had read when it said so.
        self.ends, self._read = 0.0, -1
        self._pipe: Pipe
        self._tasks: TaskGroup

    @property
    def is_idle(self) -> bool:
        """Whether it has read all messages, and has nothing to do before `ends`."""
        return self._read == self._pipe.sent

    def send(self, *message: Any) -> None:
        """Send a message that has no answer."""
        self._pipe.send(*message)

    async def run(self, *, task_status: TaskStatus[None]) -> None:
        """Start it, and pass its requests on until it ends."""
        context = get_context("spawn")
        mine, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, self._given), daemon=True)
        self._process.start()
        theirs.close()
        self._pipe = Pipe(mine)
        self._clock.processes.append(self)
        loop = asyncio.get_running_loop()
        loop.add_reader(mine.fileno(), self._take)
        async with anyio.create_task_group() as self._tasks:
            await self._pipe.ask("begin")
            task_status.started()
            await self._has_ended.wait()
        self._process.join()
        self._process.close()
        mine.close()

    def kill(self) -> None:
        """End it without a chance to say goodbye."""
        self._process.kill()

    async def end(self) -> None:
        """Stop it as a server that is asked to."""
        await self._pipe.ask("end")
        self.kill()
        await self._has_ended.wait()

    async def check(self, user: str) -> Answer:
        """Answer a page view."""
        answer: Answer = await self._pipe.ask("check", user)
        return answer

    async def feed(self, event: Event) -> None:
        """Pass an event on."""
        await self._pipe.ask("feed", event)

    async def change(self, kind: str, number: int) -> None:
        """Change a subscription."""
        await self._pipe.ask("change", kind, number)

    async def start(self, user: str) -> str:
        """Return the address of a checkout page for a user."""
        address: str = await self._pipe.ask("start", user)
        return address

    async def confirm(self, link: str, user: str) -> bool:
        """Return whether a redirect is confirmed."""
        is_confirmed: bool = await self._pipe.ask("confirm", link, user)
        return is_confirmed

    def _take(self) -> None:
        try:
            while self._pipe.connection.poll():
                _, kind, *rest = self._pipe.connection.recv()
                match kind:
                    case "idle":
                        self.ends, self._read = rest
                    case "ask":
                        self._tasks.start_soon(self._request, *rest)
                    case _:
                        self._pipe.answer(*rest)
        except (EOFError, ConnectionError):
            asyncio.get_running_loop().remove_reader(self._pipe.connection.fileno())
            self._clock.processes.remove(self)
            self._pipe.break_off()
            self._has_ended.set()

    async def _request(self, number: int, method: str, url: str, *rest: Any) -> None:
        headers, body = rest
        request = httpx.Request(method, url, headers=headers, content=body)
        answer: Any
        try:
            response = await self._way.handle_async_request(request)
            answer = (response.status_code, response.headers.raw, await response.aread())
        except httpx.TransportError as error:
            answer = type(error)(str(error))
        if not self._has_ended.is_set():
            self._pipe.send("answer", number, answer)


class Way(httpx.AsyncBaseTransport):
    """The way of a process to RMZ: through the program that has started it."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return RMZ's answer."""
        body = await request.aread()
        status, headers, content = await self._pipe.ask(
            request.method, str(request.url), request.headers.raw, body
        )
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(content))


class Serving:
    """The inside of such a process.

    Args:
        connection: To the program that has started it.
        given: The orders.
    """

    def __init__(self, connection: Connection, given: Given) -> None:
        self._pipe = Pipe(connection)
        self._given = given
        self._server: Server
        self._tasks: TaskGroup

    def rest(self, loop: Loop, timeout: float | None) -> bool:
        """Say when the next task begins, and wait for a message; see `Loop`."""
        ends = math.inf if timeout is None else loop.seconds + timeout
        self._pipe.connection.send((loop.seconds, "idle", ends, self._pipe.received))
        return True

    async def run(self) -> None:
        """Serve until the program kills this process, or has ended."""
        given = self._given
        shared = None
        if given.redis is not None:
            shared = RedisAccessCache(given.redis, shop="shop", timeout=5)
        self._server = Server(given, Way(self._pipe), shared)
        async with anyio.create_task_group() as self._tasks:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, Loop)
            loop.add_reader(self._pipe.connection.fileno(), self._take, loop)
            await anyio.sleep_forever()

    def _take(self, loop: Loop) -> None:
        try:
            while self._pipe.connection.poll():
                loop.seconds, kind, *rest = self._pipe.connection.recv()
                self._pipe.received += 1
                if kind == "ask":
                    self._tasks.start_soon(self._do, *rest)
                elif kind == "answer":
                    self._pipe.answer(*rest)
        except (EOFError, ConnectionError):
            # The program has ended without a word, and its servers end with it.
            os._exit(1)

    async def _do(self, number: int, what: str, *given: Any) -> None:
        try:
            if what == "begin":
                result = await self._tasks.start(self._server.run)
            else:
                result = await getattr(self._server, what)(*given)
        except Exception as error:  # noqa: BLE001 - the program raises it
            result = error
        self._pipe.send("answer", number, result)


def serve(connection: Connection, given: Given) -> None:
    """Be a server."""
    logging.disable(logging.CRITICAL)
    serving = Serving(connection, given)
    in_simulated_time(serving.run, serving.rest)
